/** The tools of one call: what they note names the call, and is noted once. */
import type { CallId } from '../core/ids.ts';
import { NOTES_PER_CALL_MAX } from '../core/limits.ts';
import type { DialectTools } from './shape.ts';

export function toolsOf(call: CallId, tools: DialectTools): DialectTools {
  const noted = new Set<string>();
  const note = (lost: string) => {
    if (noted.has(lost) || noted.size >= NOTES_PER_CALL_MAX) return;
    noted.add(lost);
    tools.note(lost, call);
  };
  return { ...tools, note };
}
