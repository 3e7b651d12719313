/** How a Responses answer ends: status and usage, both ways. */
import { z } from 'zod';
import { maybe } from '../door.ts';
import { readFailure } from '../failure.ts';
import type { HubEnding, HubFailure, HubUsage } from '../hub.ts';
import { present } from '../present.ts';

const count = maybe(z.int().nonnegative()).catch(undefined);

export const WireUsage = z.object({
  input_tokens: count,
  output_tokens: count,
  total_tokens: count,
  /** OpenRouter's. */
  cost: maybe(z.number().nonnegative()).catch(undefined),
  input_tokens_details: maybe(z.object({ cached_tokens: count, cache_write_tokens: count })).catch(undefined),
  output_tokens_details: maybe(z.object({ reasoning_tokens: count })).catch(undefined),
});

export const WireStatus = z.object({
  status: maybe(z.string()),
  incomplete_details: maybe(z.object({ reason: maybe(z.string()) })).catch(undefined),
  error: z.unknown().optional(),
});

/** Undefined where nothing was counted: two zeros are no measurement. */
export function readUsage(wire: z.infer<typeof WireUsage>): HubUsage | undefined {
  const inputTokens = wire.input_tokens ?? 0;
  const outputTokens = wire.output_tokens ?? 0;
  if (inputTokens + outputTokens === 0) return undefined;
  return {
    inputTokens,
    outputTokens,
    totalTokens: wire.total_tokens ?? inputTokens + outputTokens,
    cachedTokens: wire.input_tokens_details?.cached_tokens ?? 0,
    reasoningTokens: wire.output_tokens_details?.reasoning_tokens ?? 0,
    ...present({ cacheWriteTokens: wire.input_tokens_details?.cache_write_tokens, cost: wire.cost }),
  };
}

export function writeUsage(usage: HubUsage) {
  const { cacheWriteTokens } = usage;
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: {
      cached_tokens: usage.cachedTokens,
      ...(cacheWriteTokens === undefined ? {} : { cache_write_tokens: cacheWriteTokens }),
    },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.totalTokens,
    ...present({ cost: usage.cost }),
  };
}

/** Undefined for a response that has not ended: it is still under way at the provider. */
export function readEnding(
  wire: z.infer<typeof WireStatus>,
  hasCalls: boolean,
): HubEnding | HubFailure | undefined {
  switch (wire.status) {
    case 'completed':
      return hasCalls ? 'calls' : 'stop';
    case 'incomplete':
      return wire.incomplete_details?.reason === 'content_filter' ? 'filter' : 'length';
    case 'failed':
      return readFailure(wire.error);
    case 'cancelled':
      return readFailure('the upstream cancelled the response');
    default:
      return undefined;
  }
}
