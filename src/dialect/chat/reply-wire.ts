/** What a whole reply and a chunk of a stream have in common: all but what is said. Members of their schemas. */
import { z } from 'zod';
import { maybe } from '../door.ts';
import { WireUsage } from './ending.ts';
import { WireLogprobs } from './said-wire.ts';

export const REPLY_WIRE = {
  /** Old servers send `{"object":"error","message":…}`. */
  object: maybe(z.string()).catch(undefined),
  error: z.unknown().optional(),
  usage: maybe(WireUsage).catch(undefined),
  service_tier: maybe(z.string()).catch(undefined),
};

export const CHOICE_WIRE = {
  index: maybe(z.int()).catch(undefined),
  error: z.unknown().optional(),
  logprobs: WireLogprobs,
  finish_reason: maybe(z.string()),
  usage: maybe(WireUsage).catch(undefined),
};
