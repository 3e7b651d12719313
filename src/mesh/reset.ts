/** Errors across the wire: a `ClawError` as the head of `model_reset`, and back. */
import { ClawError, isErrorCode } from '../core/errors.ts';
import type { ResetHead } from '../protocol/frame.ts';

const MESSAGE_CHARS_MAX = 4_000;

/** Message, code and what a client acts on. The cause stays here. */
export function resetHeadOf(error: ClawError): ResetHead {
  return {
    code: error.code,
    message: error.message.slice(0, MESSAGE_CHARS_MAX),
    status: error.status,
    ...(error.param === undefined ? {} : { param: error.param.slice(0, 256) }),
    ...(error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
  };
}

/** A code that this build does not know keeps its status and message. */
export function errorOfReset(head: ResetHead): ClawError {
  const { code, message, status, param, retryAfterSeconds } = head;
  return new ClawError(isErrorCode(code) ? code : 'peer_protocol', message, {
    ...(status === undefined ? {} : { status }),
    ...(param === undefined ? {} : { param }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}
