/** Node's HTTP server with the limits of the house, and where it listens. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  HTTP_CHECK_MS,
  HTTP_CONNECTIONS_MAX,
  HTTP_HEADER_BYTES_MAX,
  HTTP_HEADERS_MS,
  HTTP_KEEP_ALIVE_MS,
  HTTP_REQUEST_MS,
} from '../core/limits.ts';
import { errnoOf, isErrno } from '../lib/errno.ts';
import { listenOn } from '../lib/listen.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { asksForSocket } from './websocket/sockets.ts';
import { serveWithoutUpgrade } from './without-upgrade.ts';

export interface ServerParts {
  readonly serve: (request: IncomingMessage, response: ServerResponse) => void;
  /** An upgrade to a WebSocket that is served. `rest`: what came behind its head. */
  readonly upgrade: (request: IncomingMessage, rest: Buffer) => void;
}

export function limitedServer({ serve, upgrade }: ServerParts): Server {
  const server = createServer({
    maxHeaderSize: HTTP_HEADER_BYTES_MAX,
    headersTimeout: HTTP_HEADERS_MS,
    // The reading of a body has the same limit of its own, which answers as one of us; this one is behind it.
    requestTimeout: HTTP_REQUEST_MS + HTTP_CHECK_MS,
    connectionsCheckingInterval: HTTP_CHECK_MS,
    keepAliveTimeout: HTTP_KEEP_ALIVE_MS,
    // The guard refuses them in our form.
    requireHostHeader: false,
    // From Node 22.21 and 24.9 on: other upgrades are never begun there.
    ...{ shouldUpgradeCallback: asksForSocket },
  });
  server.maxConnections = HTTP_CONNECTIONS_MAX;
  // Bounded by their bytes alone: beyond a count Node drops headers without a word, an `Origin` among them.
  server.maxHeadersCount = 0;
  return server
    .on('request', serve)
    .on('checkContinue', serve)
    .on('checkExpectation', serve)
    .on('clientError', answerBrokenRequest)
    .on('upgrade', (request: IncomingMessage, _socket, rest: Buffer) => {
      if (asksForSocket(request)) upgrade(request, rest);
      else serveWithoutUpgrade(server, request, rest);
    });
}

/** Resolves with the port; rejects with what a person can mend. */
export async function listenAt(server: Server, host: string, port: number): Promise<number> {
  try {
    return await listenOn(server, { host, port });
  } catch (error) {
    throw new Error(listenFault(`${host}:${port}`, error), { cause: error });
  }
}

function listenFault(at: string, error: unknown): string {
  if (isErrno(error, 'EADDRINUSE'))
    return `the proxy cannot listen on ${at}: another program does; set proxy.port`;
  return `the proxy cannot listen on ${at} (${errnoOf(error) ?? String(error)})`;
}
