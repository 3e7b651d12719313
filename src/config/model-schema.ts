/** The keys of models and of the servers that run them. */
import { z } from 'zod';
import { Cost, ModelId, ProviderName } from '../core/card.ts';
import { Compat } from '../core/compat.ts';
import { API_NAMES } from '../core/dialect.ts';
import { CARD_TEXT_CHARS_MAX, CARDS_PER_NODE_MAX, CONFIGURED_WAIT_MS_MAX } from '../core/limits.ts';
import { aList, baseUrlField, keyField, nodeNameField, strict } from './fields.ts';
import { headersField } from './headers.ts';
import type { ReadSecret } from './secrets.ts';

const api = z
  .enum(API_NAMES)
  .describe(
    'What the API speaks: "openai-completions" is /chat/completions, "openai-responses" is /responses.',
  );

export const upstreamMs = z
  .int()
  .min(1)
  .max(CONFIGURED_WAIT_MS_MAX)
  .describe('Milliseconds without a byte from the upstream that end a call.');
const upstreamTimeouts = strict({ upstreamMs: upstreamMs.optional() }).describe(
  'In place of the timeouts for all.',
);

const tokens = z.int().positive();

const { input, output, cacheRead, cacheWrite } = Cost.shape;
const cost = {
  input: input.describe('Of the request.'),
  output: output.describe('Of the answer.'),
  cacheRead: cacheRead.describe('Read from a cache.'),
  cacheWrite: cacheWrite.describe('Written to a cache.'),
};

/** What a model can be described by, on its owner or where it is called. */
const traits = {
  contextWindow: tokens.optional().describe('Tokens that fit into a request and its answer.'),
  maxTokens: tokens.optional().describe('Tokens that an answer can have.'),
  input: z
    .array(z.enum(['text', 'image', 'audio', 'file']))
    .max(8)
    .optional()
    .describe('What the model takes.'),
  reasoning: z.boolean().optional().describe('Whether the model thinks before it answers.'),
  cost: strict(cost).optional().describe('Dollars for a million tokens.'),
  description: z
    .string()
    .max(CARD_TEXT_CHARS_MAX)
    .optional()
    .describe('A line for people who choose a model.'),
};

/** What the owner knows of a server and its replies. */
const ways = {
  compat: strict(Compat.shape)
    .optional()
    .describe(
      "What the server cannot do as OpenAI's does. Over what is known of the common ones; a model's over its provider's.",
    ),
  repair: z
    .boolean()
    .optional()
    .describe(
      'Whether what the server gets wrong in its replies is mended. Default: unless it is OpenAI itself.',
    ),
};

export function provider(read: ReadSecret) {
  return strict({
    baseUrl: baseUrlField.describe("The API's root, as http://127.0.0.1:11434/v1."),
    apiKey: keyField(read)
      .optional()
      .describe('Sent as "Authorization: Bearer", to this address and nowhere else.'),
    api: api.optional(),
    headers: headersField(read).optional().describe('Sent with every request.'),
    discover: z
      .boolean()
      .optional()
      .describe('Asks the server which models it has, and offers those that are not in "models".'),
    timeouts: upstreamTimeouts.optional(),
    ...ways,
  });
}

export function models(read: ReadSecret) {
  const model = strict({
    id: ModelId.describe("The model's name, as its server knows it."),
    provider: ProviderName.describe(
      'The name of a provider above, or any name for one that is written out here.',
    ),
    baseUrl: baseUrlField.optional().describe("In place of the provider's."),
    apiKey: keyField(read).optional().describe("In place of the provider's."),
    api: api.optional(),
    headers: headersField(read).optional().describe("On top of the provider's."),
    ...traits,
    share: z
      .enum(['mesh', 'none'])
      .optional()
      .describe(
        'Whether other nodes may call it. Default: "mesh"; "none" for a model that the OpenClaw gateway answers.',
      ),
    timeouts: upstreamTimeouts.optional(),
    ...ways,
  });
  return z
    .array(model)
    .max(CARDS_PER_NODE_MAX)
    .superRefine(
      (list, context) => {
        const seen = new Map<string, number>();
        list.forEach((entry, index) => {
          // This runs on what was written, be it right or not, so that one list has all faults.
          // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
          if (typeof entry?.id !== 'string' || typeof entry.provider !== 'string') return;
          const key = JSON.stringify([entry.provider, entry.id]);
          const first = seen.get(key);
          if (first === undefined) seen.set(key, index);
          else
            context.addIssue({
              code: 'custom',
              path: [index],
              message: `the same provider and id as models[${first}]: one of the two must go`,
            });
        });
      },
      { when: aList },
    );
}

export function proxyModel() {
  return strict({
    id: ModelId.describe('The model that is meant.'),
    nodeId: nodeNameField
      .optional()
      .describe(
        'The only node, by name or id, that this model is called on. Without it any that has the model.',
      ),
    provider: ProviderName.optional().describe('Its provider, where several have a model of that name.'),
    ...traits,
    tell: z
      .boolean()
      .optional()
      .describe(
        'Whether each call tells the model its description, as "[Model: …]" before the system text. Default: no.',
      ),
  });
}
