/**
 * Makes the end of an upstream's socket safe, and tells what it means for the call on it.
 *
 * Safe: while a reply is paused, undici 7.30.2 asserts in `Parser.finish()` that it is not, inside a socket event, where
 * nobody can catch it: an upstream that answers `connection: close` and stops while our reader is slow would take the
 * whole process down.
 *
 * Meaning: a server closes a kept connection when it likes, also in the moment in which the next request is on its way.
 * undici does not tell a call whether its connection was used before, so what passes over the socket is watched here.
 */
import type { Socket } from 'node:net';
import { errnoOf } from '../lib/errno.ts';

/**
 * The other side has closed. For undici it is its own "other side closed", which it takes as the loss of this one
 * connection; for a reply that has no other end than this one, it is the end.
 */
export class StreamEnded extends Error {
  override readonly name = 'StreamEnded';
  readonly code = 'UND_ERR_SOCKET';

  constructor() {
    super('the upstream closed the connection');
  }
}

/** The connection was reset. As an `ECONNRESET` undici would try to read an end into it. */
export class StreamReset extends Error {
  override readonly name = 'StreamReset';
  readonly code = 'UND_ERR_SOCKET';

  constructor(cause: unknown) {
    super('the upstream reset the connection', { cause });
  }
}

/** The connection had answered a call before, and ended without a byte for the one that was sent since. */
export class StaleConnection extends Error {
  override readonly name = 'StaleConnection';
  readonly code = 'UND_ERR_SOCKET';

  constructor(cause?: unknown) {
    super('the upstream had closed the connection that was kept', { cause });
  }
}

/** How far the calls on one socket are: the first is sent or about to be; one has bytes; another one was sent, has none. */
type Use = 'new' | 'answered' | 'asked again';

const LOST = new Set(['ECONNRESET', 'EPIPE']);

/** What ends the socket reaches undici as an error that it survives in every state. */
export function endSafely(socket: Socket): void {
  let use: Use = 'new';
  const emit = socket.emit.bind(socket);
  const read = socket.read.bind(socket);
  const write = socket.write.bind(socket);
  const watched = {
    read(size?: number): unknown {
      const chunk: unknown = read(size);
      if (chunk !== null) use = 'answered';
      return chunk;
    },
    write(...values: unknown[]): boolean {
      if (use === 'answered') use = 'asked again';
      return Reflect.apply(write, socket, values);
    },
  };
  Object.assign(socket, watched);
  socket.emit = (event: string | symbol, ...values: unknown[]): boolean => {
    if (event === 'end') {
      socket.destroy(use === 'asked again' ? new StaleConnection() : new StreamEnded());
      return true;
    }
    const [error] = values;
    if (event === 'error' && isLost(error))
      return Reflect.apply(emit, socket, [
        event,
        use === 'asked again' ? new StaleConnection(error) : new StreamReset(error),
      ]);
    return Reflect.apply(emit, socket, [event, ...values]);
  };
}

function isLost(error: unknown): boolean {
  return LOST.has(errnoOf(error) ?? '');
}
