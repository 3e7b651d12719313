/** The finish reason of a choice, as one that every client knows. */
import { readFinish, writeFinish } from '../ending.ts';

const KNOWN = new Set(['stop', 'length', 'tool_calls', 'content_filter', 'function_call']);

/** Some servers end a turn of calls with "stop", and clients then drop the calls; at an unknown reason they fail the turn. */
export function mendedFinish(reason: string, hasCalls: boolean): string {
  if (KNOWN.has(reason) && !(reason === 'stop' && hasCalls)) return reason;
  const read = readFinish(reason, hasCalls);
  return read === 'error' ? reason : writeFinish(read);
}
