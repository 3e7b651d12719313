/** Errors across the wire: a `ClawError` as the head of `model_reset`, and back. */
import { ClawError, isErrorCode } from '../core/errors.ts';
import {
  ERROR_MESSAGE_CHARS_MAX,
  ERROR_PARAM_CHARS_MAX,
  ERROR_WORD_CHARS_MAX,
  RETRY_AFTER_SECONDS_MAX,
} from '../core/limits.ts';
import type { ResetHead } from '../protocol/frame.ts';

/**
 * Message, code and what a client acts on. The cause stays here. An upstream has a say in most of this, and a head that
 * the other side refuses ends the link: what does not fit is cut or left out.
 */
export function resetHeadOf(error: ClawError): ResetHead {
  const { code, message, status, param, retryAfterSeconds, upstream } = error;
  return {
    code,
    message: message.slice(0, ERROR_MESSAGE_CHARS_MAX),
    ...(Number.isInteger(status) && status >= 400 && status <= 599 ? { status } : {}),
    ...(param === undefined ? {} : { param: param.slice(0, ERROR_PARAM_CHARS_MAX) }),
    ...(retryAfterSeconds !== undefined && retryAfterSeconds >= 0
      ? { retryAfterSeconds: Math.min(retryAfterSeconds, RETRY_AFTER_SECONDS_MAX) }
      : {}),
    ...(upstream.code === undefined && upstream.type === undefined
      ? {}
      : { upstream: { code: wordOf(upstream.code), type: wordOf(upstream.type) } }),
  };
}

function wordOf(text: string | undefined): string | undefined {
  return text?.slice(0, ERROR_WORD_CHARS_MAX);
}

/** A code that this build does not know keeps its status and message. */
export function errorOfReset(head: ResetHead): ClawError {
  const { code, message, status, param, retryAfterSeconds, upstream } = head;
  return new ClawError(isErrorCode(code) ? code : 'peer_protocol', message, {
    ...(status === undefined ? {} : { status }),
    ...(param === undefined ? {} : { param }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(upstream === undefined ? {} : { upstream }),
  });
}
