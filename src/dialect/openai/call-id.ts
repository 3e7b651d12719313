/** A call's id towards servers that take only short ones: the same for a call and its result, in every request anew. */
import { createHash } from 'node:crypto';

/** The id itself where it fits. */
export function shortCallId(id: string, charsMax: number): string {
  if (id.length <= charsMax) return id;
  const hash = createHash('sha256').update(id).digest('hex');
  return `call_${hash}`.slice(0, charsMax);
}
