/** A server of plain sockets for what no HTTP server sends: it is told byte for byte what to do with each request. */
import { createServer, type Socket } from 'node:net';

/** Called with each request of a connection, its head and body together, and the number of both. */
export type RawScript = (socket: Socket, request: { readonly text: string; readonly at: number }) => void;

export interface RawUpstream extends AsyncDisposable {
  readonly baseUrl: string;
  readonly port: number;
  /** Requests that came, as text. */
  readonly requests: readonly string[];
  /** Connections that were made. */
  readonly connections: readonly Socket[];
}

export async function rawUpstream(script: RawScript): Promise<RawUpstream> {
  const requests: string[] = [];
  const connections: Socket[] = [];
  const server = createServer((socket) => {
    connections.push(socket);
    let waiting = '';
    socket.on('error', () => {});
    socket.on('data', (data) => {
      waiting += data.toString('latin1');
      const request = wholeRequest(waiting);
      if (request === undefined) return;
      waiting = '';
      requests.push(request);
      script(socket, { text: request, at: requests.length - 1 });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    port,
    requests,
    connections,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of connections) socket.destroy();
      await closed;
    },
  };
}

function wholeRequest(text: string): string | undefined {
  const end = text.indexOf('\r\n\r\n');
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
  return end >= 0 && text.length >= end + 4 + length ? text : undefined;
}

/** A whole answer in HTTP/1.1; its connection is kept. */
export function httpText(body: string, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 200 OK\r\n${lines.join('')}\r\n${body}`;
}
