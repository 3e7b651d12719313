/** A TCP proxy between two nodes that keeps every byte that passes, and can cut what runs over it. */
import { connect, createServer, type Socket } from 'node:net';

export interface WireTap extends AsyncDisposable {
  readonly port: number;
  /** All that passed so far, both ways. */
  bytes(): Buffer;
  /** The part of it that the dialler sent. */
  sent(): Buffer;
  /** Cuts every connection that runs over it; new ones may come. */
  cut(): void;
}

export async function startTap(target: { readonly host: string; readonly port: number }): Promise<WireTap> {
  const seen: Buffer[] = [];
  const sent: Buffer[] = [];
  const sockets = new Set<Socket>();
  const join = (from: Socket, to: Socket, keep: (chunk: Buffer) => void) => {
    sockets.add(from);
    // It must not add a delay of its own.
    from.setNoDelay(true);
    from.on('data', (chunk) => {
      seen.push(chunk);
      keep(chunk);
      to.write(chunk);
    });
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((near) => {
    const far = connect(target);
    join(near, far, (chunk) => sent.push(chunk));
    join(far, near, () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    bytes: () => Buffer.concat(seen),
    sent: () => Buffer.concat(sent),
    cut,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}
