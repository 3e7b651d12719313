/**
 * A conversation that this node has summed up, as the item that clients send back: they keep it unread, so the summary
 * stands in it as it is. No other server can read it, and it is a message again before any of them is asked.
 */
import { isObject, type JsonObject } from '../lib/json.ts';

/** Tells ours from a provider's own. */
const TAG = 'clawmatrix.summary.1.';
const LEAD = 'The conversation so far was summed up. What came before:\n\n';

export function compactionItem(id: string, summary: string): JsonObject {
  const encrypted_content = TAG + Buffer.from(summary, 'utf8').toString('base64url');
  return { type: 'compaction', id, encrypted_content };
}

/** The item as a message where it is a summary of ours, else as it is. */
export function opened(item: unknown): unknown {
  const summary = summaryIn(item);
  if (summary === undefined) return item;
  return { type: 'message', role: 'developer', content: [{ type: 'input_text', text: LEAD + summary }] };
}

export function isSummary(item: unknown): boolean {
  return summaryIn(item) !== undefined;
}

function summaryIn(item: unknown): string | undefined {
  if (!isObject(item) || (item.type !== 'compaction' && item.type !== 'compaction_summary')) return undefined;
  const { encrypted_content: content } = item;
  if (typeof content !== 'string' || !content.startsWith(TAG)) return undefined;
  return Buffer.from(content.slice(TAG.length), 'base64url').toString('utf8');
}
