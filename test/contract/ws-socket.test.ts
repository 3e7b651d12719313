import { createServer, type Server, type Socket } from 'node:net';
import { describe } from 'vitest';
import { dialSocket, listenSockets } from '../../src/lib/socket.ts';
import { eventually } from '../support/eventually.ts';
import { socketContract } from './socket.contract.ts';

/** Accepts connections and says nothing. */
function silentServer(): { url(): Promise<string>; close(): Promise<void> } {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  return {
    url: () =>
      new Promise((resolve, reject) => {
        server = createServer((socket) => {
          sockets.add(socket);
          socket.on('error', () => socket.destroy());
        });
        server.listen(0, '127.0.0.1', () => {
          const address = server?.address();
          if (address === null || typeof address !== 'object') reject(new Error('no port'));
          else resolve(`ws://127.0.0.1:${address.port}`);
        });
      }),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        if (server === undefined) resolve();
        else server.close(() => resolve());
      }),
  };
}

describe('real WebSockets', () => {
  socketContract(() => {
    const silent = silentServer();
    return {
      dial: dialSocket,
      listen: listenSockets,
      url: (port) => `ws://127.0.0.1:${port}`,
      silentUrl: () => silent.url(),
      until: async (what, check) => {
        await eventually(what, check);
      },
      close: () => silent.close(),
    };
  });
});
