/** New call ids: random bytes are drawn from the system for many at once, since one draw costs as much as the rest of a request's head. */
import { randomFillSync } from 'node:crypto';
import { type CallId, newCallId } from '../core/ids.ts';

const POOL_BYTES = 4096;

export function callIds(): () => CallId {
  const pool = Buffer.alloc(POOL_BYTES);
  let used = POOL_BYTES;
  const draw = (bytes: number) => {
    if (used + bytes > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    used += bytes;
    return pool.subarray(used - bytes, used);
  };
  return () => newCallId(draw);
}
