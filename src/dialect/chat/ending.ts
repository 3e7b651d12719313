/** How a Chat Completions answer ends: finish reason and usage, both ways. */
import { z } from 'zod';
import { maybe } from '../door.ts';
import type { HubEnding, HubUsage } from '../hub.ts';
import { present } from '../present.ts';

const count = maybe(z.int().nonnegative()).catch(undefined);

export const WireUsage = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
  /** OpenRouter's. */
  cost: maybe(z.number().nonnegative()).catch(undefined),
  prompt_tokens_details: maybe(z.object({ cached_tokens: count, cache_write_tokens: count })).catch(
    undefined,
  ),
  completion_tokens_details: maybe(z.object({ reasoning_tokens: count })).catch(undefined),
  /** DeepSeek's name for what the cache had, and Moonshot's. */
  prompt_cache_hit_tokens: count,
  cached_tokens: count,
});

/** Undefined where nothing was counted: clients take two zeros for a measurement, and their absence for none. */
export function readUsage(wire: z.infer<typeof WireUsage>): HubUsage | undefined {
  const inputTokens = wire.prompt_tokens ?? 0;
  const outputTokens = wire.completion_tokens ?? 0;
  const details = wire.prompt_tokens_details;
  if (inputTokens + outputTokens === 0) return undefined;
  return {
    inputTokens,
    outputTokens,
    totalTokens: wire.total_tokens ?? inputTokens + outputTokens,
    cachedTokens: details?.cached_tokens ?? wire.prompt_cache_hit_tokens ?? wire.cached_tokens ?? 0,
    reasoningTokens: wire.completion_tokens_details?.reasoning_tokens ?? 0,
    ...present({ cacheWriteTokens: details?.cache_write_tokens, cost: wire.cost }),
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
    ...present({ cost: usage.cost }),
  };
}

export type Finish = HubEnding | 'error';

export const ENDED_BY_ERROR = 'the upstream ended the answer with an error';

const LENGTH = new Set(['length', 'max_tokens', 'max_output_tokens', 'model_length']);
const FILTER = new Set(['content_filter', 'safety', 'recitation']);
const ERROR = new Set(['error', 'network_error', 'abort', 'insufficient_system_resource']);
const CALLS = ['tool_calls', 'tool_call', 'tool_use', 'function_call'];
const WHOLE = new Set(['stop', 'end', 'end_turn', 'eos', 'eos_token', 'stop_sequence', ...CALLS]);

/** A reason that nobody else knows is a stop: clients fail the turn at an unknown one. */
export function readFinish(reason: string, hasCalls: boolean): Finish {
  const told = reason.toLowerCase();
  if (LENGTH.has(told)) return 'length';
  if (FILTER.has(told)) return 'filter';
  if (ERROR.has(told)) return 'error';
  // Some servers end a turn of calls with "stop", and clients then drop the calls.
  return hasCalls ? 'calls' : 'stop';
}

/** Whether the reason says that the answer broke. Some servers write "" where others write null. */
export function isBroken(reason: unknown): boolean {
  return typeof reason === 'string' && reason !== '' && readFinish(reason, false) === 'error';
}

export function isKnownFinish(reason: string): boolean {
  return [LENGTH, FILTER, ERROR, WHOLE].some((known) => known.has(reason.toLowerCase()));
}

/** `singleCall`: towards a client that knows no other form of a call. */
export function writeFinish(ending: HubEnding, singleCall = false): string {
  if (ending === 'calls' && singleCall) return 'function_call';
  return { stop: 'stop', calls: 'tool_calls', length: 'length', filter: 'content_filter' }[ending];
}
