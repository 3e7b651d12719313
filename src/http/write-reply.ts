/** A reply without a stream on its way to the client: of a stated length where it is there in one piece, as nearly all are. */
import type { Reply } from '../core/call.ts';
import { CLIENT_PIECE_BYTES } from '../core/limits.ts';
import { asClawError, errorHeaders } from './error-reply.ts';
import type { Journey } from './journey.ts';
import type { Sweep } from './sweep.ts';
import { Uptake } from './uptake.ts';
import type { Visit } from './visit.ts';

/** Resolves once all is written; rejects with what broke the reply, or with `cancelled` where the client left. */
export async function writeReply(visit: Visit, reply: Reply, journey: Journey, sweep: Sweep): Promise<void> {
  const { response } = visit;
  const body = reply.body[Symbol.asyncIterator]();
  try {
    const first = await body.next();
    let next = first.done === true ? first : await body.next();
    visit.mustStay();
    const bytes = first.done === true ? new Uint8Array(0) : first.value;
    // Only now: until the body has begun, another target may be tried.
    const told = journey.headers(reply.headers);
    const headers = visit.headers(reply.status < 400 ? told : errorHeaders(reply.status, told));
    headers['content-type'] ??= 'application/json';
    if (next.done === true) headers['content-length'] = bytes.length;
    response.writeHead(reply.status, headers);
    if (next.done === true && bytes.length <= CLIENT_PIECE_BYTES) {
      response.end(bytes);
      if (!response.writableFinished) sweep.add(new Uptake(visit, sweep));
    } else {
      const uptake = new Uptake(visit, sweep);
      sweep.add(uptake);
      await visit.writePieces(bytes);
      for (; next.done !== true; next = await body.next()) await visit.writePieces(next.value);
      response.end();
      if (response.writableFinished) sweep.remove(uptake);
    }
  } catch (thrown) {
    const error = asClawError(thrown);
    // Frees the source of a body that is not read to its end.
    await body.return?.();
    if (response.headersSent) response.destroy();
    throw error;
  }
}
