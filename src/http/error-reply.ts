/** A failure before the reply's first byte: its real status and an error body that OpenAI's clients read. */
import { ClawError } from '../core/errors.ts';
import { HTTP_DRAIN_BYTES_MAX, HTTP_DRAIN_MS } from '../core/limits.ts';
import { errorBodyAt } from './error-body.ts';
import type { Visit } from './visit.ts';

/** Asking again does not help; without the header, clients ask two to six times more. */
const PERMANENT = new Set([400, 401, 403, 404, 405, 413, 415, 421]);

export function sendError(visit: Visit, error: ClawError): void {
  if (visit.gone || visit.response.headersSent) return;
  const headers = errorHeaders(error.status, error.headers);
  if (error.retryAfterSeconds !== undefined)
    headers['retry-after'] = String(Math.ceil(error.retryAfterSeconds));
  if (bodyIsRead(visit)) visit.sendJson(error.status, bodyOf(visit, error), headers);
  else refuse(visit, error, headers);
}

/** The headers of a reply of 400 and above, with the advice whether to ask again. */
export function errorHeaders(
  status: number,
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  if (!PERMANENT.has(status) || headers['x-should-retry'] !== undefined) return { ...headers };
  return { 'x-should-retry': 'false', ...headers };
}

/** Any thrown value, for the client's eyes. */
export function asClawError(thrown: unknown): ClawError {
  return ClawError.from(thrown, 'internal', 'this node failed; its log says why');
}

function bodyOf({ request }: Visit, error: ClawError): unknown {
  return errorBodyAt(request.url ?? '', error.body());
}

function bodyIsRead({ request: { complete, headers } }: Visit): boolean {
  return (
    complete || ((headers['content-length'] ?? '0') === '0' && headers['transfer-encoding'] === undefined)
  );
}

/**
 * The whole answer goes out at once, but the connection is closed only when the client has sent its body, up to a
 * bound: closed at once, the system would reset it, and most clients would lose the answer.
 */
function refuse(visit: Visit, error: ClawError, headers: Readonly<Record<string, string>>): void {
  const { request, response, clock } = visit;
  const body = Buffer.from(JSON.stringify(bodyOf(visit, error)));
  const close = Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY) > HTTP_DRAIN_BYTES_MAX;
  response.writeHead(error.status, {
    ...visit.headers(headers),
    'content-type': 'application/json',
    'content-length': body.length,
    ...(close ? { connection: 'close' } : {}),
  });
  response.write(body);
  let bytes = 0;
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > HTTP_DRAIN_BYTES_MAX) over();
  };
  const over = () => {
    cancel();
    request.off('data', count).off('end', over).off('close', over);
    response.end();
    if (!request.complete) request.socket.destroySoon();
  };
  const cancel = clock.after(HTTP_DRAIN_MS, over);
  request.on('data', count).on('end', over).on('close', over);
  request.resume();
}
