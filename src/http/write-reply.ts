/**
 * A `Reply` on its way to the client. Before the first byte a failure is the caller's to tell with a status; after it a
 * stream gets its dialect's error event and then a closed socket, never an end that a client could take for the answer's.
 */
import type { Call, Reply } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import { SOCKET_CLOSE_MS } from '../core/limits.ts';
import { shapes } from '../dialect/dialects.ts';
import { asClawError, errorHeaders } from './error-reply.ts';
import type { Visit } from './visit.ts';

const EVENT_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // Tells nginx not to collect the events.
  'x-accel-buffering': 'no',
};

const COMMENT = 0x3a;

/** Resolves once all is written; rejects with what broke the reply, or with `cancelled` where the client left. */
export async function writeReply(visit: Visit, call: Call, reply: Reply): Promise<void> {
  if (reply.status < 400 && call.stream) await writeStream(visit, call, reply);
  else await writeWhole(visit, reply);
}

async function writeStream(visit: Visit, call: Call, reply: Reply): Promise<void> {
  const { response } = visit;
  const events = reply.body[Symbol.asyncIterator]();
  const passed = new Passed();
  const commit = () => {
    if (response.headersSent || visit.gone) return;
    response.writeHead(reply.status, visit.headers(reply.headers, EVENT_HEADERS));
    response.flushHeaders();
  };
  const first = events.next();
  // The head goes out at once, but in one packet with the first events where those are there already.
  process.nextTick(commit);
  try {
    for (let next = await first; next.done !== true; next = await events.next()) {
      if (!response.headersSent)
        response.writeHead(reply.status, visit.headers(reply.headers, EVENT_HEADERS));
      passed.note(next.value);
      if (!response.write(next.value)) await drained(visit);
      mustStay(visit);
    }
  } catch (thrown) {
    const error = asClawError(thrown);
    await leave(events);
    if (response.headersSent) breakStream(visit, call, passed, error);
    throw error;
  }
  commit();
  response.end();
}

function breakStream(visit: Visit, call: Call, passed: Passed, error: ClawError): void {
  const { response, gone, clock } = visit;
  if (gone) return;
  const watch = shapes[call.dialect].watch();
  for (const events of passed.chunks) watch.see(events);
  response.write(watch.failure(error));
  // Not `end`: that would write the last chunk of the body, and say that it is whole.
  response.socket?.destroySoon();
  // A client that does not read would keep the socket for ever.
  const cancel = clock.after(SOCKET_CLOSE_MS, () => response.destroy());
  response.once('close', cancel);
}

/** What a dialect needs of the stream to number its failure: by reference, at no cost while all goes well. */
class Passed {
  #first: Uint8Array | undefined;
  #latest: Uint8Array | undefined;
  /** A comment says nothing of where the stream is. */
  #comment: Uint8Array | undefined;

  get chunks(): readonly Uint8Array[] {
    return [this.#first, this.#latest, this.#comment].filter((chunk) => chunk !== undefined);
  }

  note(events: Uint8Array): void {
    if (events[0] === COMMENT) {
      this.#comment = events;
      return;
    }
    if (this.#first === undefined) this.#first = events;
    this.#latest = events;
    this.#comment = undefined;
  }
}

/** A reply without a stream: of a stated length where it is there in one piece, as nearly all are. */
async function writeWhole(visit: Visit, reply: Reply): Promise<void> {
  const { response } = visit;
  const body = reply.body[Symbol.asyncIterator]();
  const headers = visit.headers({
    'content-type': 'application/json',
    ...errorHeaders(reply.status, reply.headers),
  });
  try {
    const first = await body.next();
    let next = first.done === true ? first : await body.next();
    mustStay(visit);
    const bytes = first.done === true ? new Uint8Array(0) : first.value;
    if (next.done === true) {
      headers['content-length'] = bytes.length;
      response.writeHead(reply.status, headers);
      response.end(bytes);
      return;
    }
    response.writeHead(reply.status, headers);
    response.write(bytes);
    do {
      if (!response.write(next.value)) await drained(visit);
      mustStay(visit);
      next = await body.next();
    } while (next.done !== true);
    response.end();
  } catch (thrown) {
    await leave(body);
    if (response.headersSent) response.destroy();
    throw asClawError(thrown);
  }
}

/** The client has taken what was written, or has left. */
function drained({ response }: Visit): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve();
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

/** Frees the source of a body that is not read to its end. */
async function leave(body: AsyncIterator<Uint8Array>): Promise<void> {
  await body.return?.();
}

function mustStay({ gone }: Visit): void {
  if (gone) throw new ClawError('cancelled', 'the client left');
}
