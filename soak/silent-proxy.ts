/** A TCP proxy that can go silent: the connections stay, and not a byte comes through, as when a cable is pulled. */
import { connect, createServer, type Socket } from 'node:net';

export interface SilentProxy {
  readonly port: number;
  silent: boolean;
  close(): Promise<void>;
}

export async function startSilentProxy(port: number): Promise<SilentProxy> {
  const sockets = new Set<Socket>();
  const join = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (bytes) => {
      if (!proxy.silent) to.write(bytes);
    });
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      // While it is silent the other side does not learn of the end either.
      if (!proxy.silent) to.destroy();
    });
  };
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    join(near, far);
    join(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const proxy: SilentProxy = {
    port: address.port,
    silent: false,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return proxy;
}
