/** An upstream's own word of its failure: read in whatever form it came, told with a fitting status. */
import { z } from 'zod';
import { ClawError, type ErrorBody, errorType } from '../core/errors.ts';
import { ERROR_TEXT_CHARS_MAX } from '../core/limits.ts';
import { maybe } from './door.ts';
import type { HubFailure } from './hub.ts';

const text = maybe(z.string()).catch(undefined);

/** Codes are numbers at some providers. */
const Fields = z.object({
  message: text,
  type: text,
  param: text,
  code: maybe(z.union([z.string(), z.number().transform(String)])).catch(undefined),
  /** OpenRouter's own message says that a provider failed; here is what that said. */
  metadata: maybe(z.object({ raw: text })).catch(undefined),
});

/** `{"error": …}` as a text or an object, or the same fields without it, as old servers send them. */
export function readFailure(error: unknown): HubFailure {
  if (typeof error === 'string')
    return { message: shortened(error), code: undefined, type: undefined, param: undefined };
  const fields = Fields.safeParse(error);
  const { message = 'the upstream failed without a reason', code, type, param, metadata } = fields.data ?? {};
  const said = metadata?.raw === undefined ? message : `${message}: ${metadata.raw}`;
  return { message: shortened(said), code, type, param };
}

export function failureError(failure: HubFailure): ClawError {
  const { message, code, type, param } = failure;
  const upstream = { code, type };
  return new ClawError('upstream_error', message, {
    status: failureStatus(failure),
    upstream,
    ...(param === undefined ? {} : { param }),
  });
}

/** A stream that ended without the end that its dialect has. */
export function truncated(): ClawError {
  return new ClawError('upstream_truncated', "the upstream's stream ended before the answer was whole");
}

/** As a body of an HTTP reply; the upstream's own code is kept, as clients act on it. */
export function failureBody(failure: HubFailure): ErrorBody {
  const { message, type, param, code } = failure;
  return {
    error: {
      message,
      type: type ?? errorType(failureStatus(failure)),
      param: param ?? null,
      code: code ?? 'upstream_error',
    },
  };
}

export function failureStatus({ code = '', type = '' }: HubFailure): number {
  const status = /^[45]\d\d$/.test(code) ? Number(code) : undefined;
  if (status !== undefined) return status;
  if (/^(rate_limit|insufficient_quota)/.test(code) || type.startsWith('rate_limit')) return 429;
  if (/^(invalid_|context_length_exceeded)/.test(code) || type === 'invalid_request_error') return 400;
  return 502;
}

function shortened(message: string): string {
  return message.length <= ERROR_TEXT_CHARS_MAX ? message : `${message.slice(0, ERROR_TEXT_CHARS_MAX)}…`;
}
