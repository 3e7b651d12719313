/** A server of HTTP begins to listen, and tells at which port. */
import type { Server } from 'node:http';

/** Rejects with the system's own error. */
export function listenOn(server: Server, { host, port }: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      // A connection that could not be accepted, for want of descriptors perhaps: the others go on.
      server.on('error', () => {});
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error(`no port for ${host}:${port}`));
      else resolve(address.port);
    });
  });
}
