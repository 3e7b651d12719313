/** What an owner announces of one model. Its key is (node, provider, id). */
import { z } from 'zod';
import { DIALECTS } from './dialect.ts';
import { CARD_TEXT_CHARS_MAX, MODEL_ID_CHARS_MAX } from './limits.ts';

const tokens = z
  .int()
  .positive()
  .max(2 ** 40);
const dollars = z.number().nonnegative().max(1e6);

/** Printable text: what a model is called must not steer a terminal or a log. */
export const ModelId = z
  .string()
  .min(1)
  .max(MODEL_ID_CHARS_MAX)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u, 'must be printable text');

export const ProviderName = z
  .string()
  .max(64)
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/, 'must be letters, digits, ".", "_" or "-"');

/** Dollars for a million tokens, as OpenClaw writes them. */
export const Cost = z.object({
  input: dollars.optional(),
  output: dollars.optional(),
  cacheRead: dollars.optional(),
  cacheWrite: dollars.optional(),
});

/** Unknown keys are dropped: an older node must survive a newer one's card. */
export const Card = z.object({
  id: ModelId,
  provider: ProviderName,
  /** What the upstream behind it speaks. */
  dialect: z.enum(DIALECTS),
  description: z
    .string()
    .max(CARD_TEXT_CHARS_MAX)
    // Shown on terminals: what could steer one is taken out, not refused.
    .transform((text) => text.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' '))
    .optional(),
  contextWindow: tokens.optional(),
  maxTokens: tokens.optional(),
  input: z
    .array(z.enum(['text', 'image', 'audio', 'file']))
    .max(8)
    .optional(),
  reasoning: z.boolean().optional(),
  cost: Cost.optional(),
  /** Answered by an agent with its own machine's tools and memory, not by a bare model. */
  agent: z.boolean().optional(),
});

export type Card = z.infer<typeof Card>;
