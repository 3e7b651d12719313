/** The parameters that OpenAI's two APIs name or mean alike: who asks, what is kept, how it is cached and served. */
import { z } from 'zod';
import { maybe } from '../door.ts';
import type { HubRequest } from '../hub.ts';

/** llama.cpp's clients write -1 or 0 for an answer without a limit. */
export const TokenLimit = maybe(z.int()).transform((limit) =>
  limit !== undefined && limit > 0 ? limit : undefined,
);

/** Members of a request's schema. */
export const CallerWire = {
  store: maybe(z.boolean()),
  metadata: maybe(z.record(z.string(), z.string())),
  user: maybe(z.string()),
  safety_identifier: maybe(z.string()),
  prompt_cache_key: maybe(z.string()),
  prompt_cache_retention: maybe(z.string()),
  service_tier: maybe(z.string()),
};

type Caller = z.infer<z.ZodObject<typeof CallerWire>>;

/** Members that are undefined are for `present` to leave out. */
export function readCaller(wire: Caller) {
  return {
    store: wire.store,
    metadata: wire.metadata,
    user: wire.user,
    safetyIdentifier: wire.safety_identifier,
    promptCacheKey: wire.prompt_cache_key,
    promptCacheRetention: wire.prompt_cache_retention,
    serviceTier: wire.service_tier,
  };
}

/** What every upstream is told of it; what it keeps is each dialect's own matter. */
export function writeCaller(request: HubRequest) {
  return {
    user: request.user,
    safety_identifier: request.safetyIdentifier,
    prompt_cache_key: request.promptCacheKey,
    prompt_cache_retention: request.promptCacheRetention,
    service_tier: request.serviceTier,
  };
}
