/**
 * Makes the end of an upstream's socket safe while its reply is paused. Without this, undici 7.30.2 asserts in
 * `Parser.finish()` that it is not paused, inside a socket event, where nobody can catch it: an upstream that answers
 * `connection: close` and stops while our reader is slow would take the whole process down.
 */
import type { Socket } from 'node:net';

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

/** What ends the socket reaches undici as an error that it survives in every state. */
export function endSafely(socket: Socket): void {
  const emit = socket.emit.bind(socket);
  socket.emit = (event: string | symbol, ...values: unknown[]): boolean => {
    if (event === 'end') {
      socket.destroy(new StreamEnded());
      return true;
    }
    if (event === 'error' && isReset(values[0]))
      return Reflect.apply(emit, socket, [event, new StreamReset(values[0])]);
    return Reflect.apply(emit, socket, [event, ...values]);
  };
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
}
