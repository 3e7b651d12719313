/** The one error of the house: a closed set of codes, each with the HTTP status that a client sees. */

/** What the client gets for each code. `upstream_error` keeps the upstream's own status instead. */
export const STATUS = {
  // The request itself.
  bad_request: 400,
  invalid_json: 400,
  unsupported_parameter: 400,
  websocket_connection_limit_reached: 400,
  previous_response_not_found: 400,
  unauthorized: 401,
  origin_refused: 403,
  not_found: 404,
  item_not_found: 404,
  response_not_found: 404,
  unsupported_operation: 404,
  model_not_found: 404,
  model_ambiguous: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  /** A WebSocket has one response at a time. */
  response_already_in_flight: 409,
  body_too_large: 413,
  unsupported_media_type: 415,
  host_refused: 421,
  too_many_wrong_keys: 429,
  /** Only in the log: the client has gone. */
  cancelled: 499,
  // This node, or the way to the owner.
  internal: 500,
  loop_detected: 508,
  busy: 503,
  draining: 503,
  no_owner: 503,
  peer_lost: 502,
  peer_protocol: 502,
  call_unknown: 502,
  owner_silent: 504,
  // The owner's upstream.
  upstream_unreachable: 502,
  upstream_error: 502,
  upstream_protocol: 502,
  upstream_truncated: 502,
  stream_buffer_exceeded: 502,
  upstream_timeout: 504,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof STATUS;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(STATUS, text);
}

export interface ErrorDetail {
  /** In place of the code's own status. */
  readonly status?: number;
  /** The request's field at fault, as `messages[2].content`. */
  readonly param?: string;
  /** The upstream's own code and type, which clients act on, in place of ours. */
  readonly upstream?: { readonly code?: string | undefined; readonly type?: string | undefined };
  /** Seconds after which a new try makes sense. */
  readonly retryAfterSeconds?: number;
  /** For the log alone: never sent to a client or a peer. */
  readonly cause?: unknown;
  /** Headers that the reply carries beside the body, as the route that was tried. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The body of every error reply, as OpenAI's clients read it. */
export interface ErrorBody {
  readonly error: { message: string; type: string; param: string | null; code: string | null };
}

/** Its message says what, where and how to mend it, and is fit for a client's eyes: no key, no stack, no path. */
export class ClawError extends Error {
  override readonly name = 'ClawError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly param: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly upstream: { readonly code?: string | undefined; readonly type?: string | undefined };
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.status = detail.status ?? STATUS[code];
    this.param = detail.param;
    this.retryAfterSeconds = detail.retryAfterSeconds;
    this.upstream = detail.upstream ?? {};
    this.headers = detail.headers ?? {};
  }

  /** Any thrown value as a `ClawError`: for each catch at the border of a folder. The original is kept as cause. */
  static from(thrown: unknown, code: ErrorCode, message: string): ClawError {
    return thrown instanceof ClawError ? thrown : new ClawError(code, message, { cause: thrown });
  }

  /** The same error with headers added. */
  withHeaders(headers: Readonly<Record<string, string>>): ClawError {
    const { status, param, retryAfterSeconds, upstream, cause } = this;
    return new ClawError(this.code, this.message, {
      status,
      upstream,
      headers: { ...this.headers, ...headers },
      ...(param === undefined ? {} : { param }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      ...(cause === undefined ? {} : { cause }),
    });
  }

  body(): ErrorBody {
    const { code = this.code, type = errorType(this.status) } = this.upstream;
    return { error: { message: this.message, type, param: this.param ?? null, code } };
  }
}

/** OpenAI's error class for a status: their SDKs and those built on them branch on it. */
export function errorType(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** For the `default` of a switch over a closed union: a new member is a compile error. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected value: ${JSON.stringify(value)}`);
}
