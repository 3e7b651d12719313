/** How a Chat Completions answer ends: finish reason and usage, both ways. */
import { z } from 'zod';
import { maybe } from '../door.ts';
import type { HubEnding, HubUsage } from '../hub.ts';

const count = maybe(z.int().nonnegative()).catch(undefined);

export const WireUsage = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
  prompt_tokens_details: maybe(z.object({ cached_tokens: count, cache_write_tokens: count })).catch(
    undefined,
  ),
  completion_tokens_details: maybe(z.object({ reasoning_tokens: count })).catch(undefined),
});

export function readUsage(wire: z.infer<typeof WireUsage>): HubUsage {
  const inputTokens = wire.prompt_tokens ?? 0;
  const outputTokens = wire.completion_tokens ?? 0;
  const cacheWriteTokens = wire.prompt_tokens_details?.cache_write_tokens;
  return {
    inputTokens,
    outputTokens,
    totalTokens: wire.total_tokens ?? inputTokens + outputTokens,
    cachedTokens: wire.prompt_tokens_details?.cached_tokens ?? 0,
    reasoningTokens: wire.completion_tokens_details?.reasoning_tokens ?? 0,
    ...(cacheWriteTokens === undefined ? {} : { cacheWriteTokens }),
  };
}

export function writeUsage(usage: HubUsage) {
  const { cacheWriteTokens } = usage;
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    prompt_tokens_details: {
      cached_tokens: usage.cachedTokens,
      ...(cacheWriteTokens === undefined ? {} : { cache_write_tokens: cacheWriteTokens }),
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}

export type Finish = HubEnding | 'error';

export const ENDED_BY_ERROR = 'the upstream ended the answer with an error';

const LENGTH = new Set(['length', 'max_tokens', 'max_output_tokens', 'model_length']);
const FILTER = new Set(['content_filter', 'safety', 'recitation']);
const ERROR = new Set(['error', 'network_error', 'abort', 'insufficient_system_resource']);

/** A reason that nobody else knows is a stop: clients fail the turn at an unknown one. */
export function readFinish(reason: string, hasCalls: boolean): Finish {
  const known = reason.toLowerCase();
  if (LENGTH.has(known)) return 'length';
  if (FILTER.has(known)) return 'filter';
  if (ERROR.has(known)) return 'error';
  // Some servers end a turn of calls with "stop", and clients then drop the calls.
  return hasCalls ? 'calls' : 'stop';
}

export function writeFinish(ending: HubEnding): string {
  return { stop: 'stop', calls: 'tool_calls', length: 'length', filter: 'content_filter' }[ending];
}
