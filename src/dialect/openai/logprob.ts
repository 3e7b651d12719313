/** The probability of a token, which OpenAI's two APIs write alike. */
import { z } from 'zod';
import { maybe } from '../door.ts';
import type { HubLogprob } from '../hub-item.ts';

const alternative = {
  token: z.string(),
  logprob: z.number(),
  bytes: z
    .array(z.int())
    .nullish()
    .transform((bytes) => bytes ?? null),
};

export const WireLogprob = z
  .object({ ...alternative, top_logprobs: maybe(z.array(z.object(alternative))) })
  .transform(({ top_logprobs: top = [], ...rest }): HubLogprob => ({ ...rest, top }));
