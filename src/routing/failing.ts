/** What a failed try says: whether another owner may do better, and who it was that failed. Pure. */
import type { ClawError, ErrorCode } from '../core/errors.ts';

/** `nothing`: it says nothing that is not known otherwise, as of a link that is gone. */
export type Failing = 'node' | 'model' | 'nothing';

/** Nobody else can mend these: they are the request's own, this node's, or the client's who left. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  'internal',
  'cancelled',
  'stream_buffer_exceeded',
  'loop_detected',
]);

const OF_NODE: ReadonlySet<ErrorCode> = new Set(['owner_silent', 'busy', 'peer_protocol']);

const OF_MODEL: ReadonlySet<ErrorCode> = new Set([
  'upstream_unreachable',
  'upstream_protocol',
  'upstream_truncated',
  'upstream_timeout',
]);

/** Connection failures, 429 and 5xx; every other 4xx is the client's to see. */
export function mayTryAnother({ code, status }: ClawError): boolean {
  if (FINAL.has(code)) return false;
  // A model went away there, and this node has not heard of it yet.
  return isOfOwner(status) || code === 'model_not_found';
}

/** Whether a status tells of the owner's trouble, not of the request. */
export function isOfOwner(status: number): boolean {
  return status === 429 || status >= 500;
}

export function failingOf({ code, status }: ClawError): Failing {
  if (OF_NODE.has(code)) return 'node';
  if (OF_MODEL.has(code)) return 'model';
  return code === 'upstream_error' && isOfOwner(status) ? 'model' : 'nothing';
}
