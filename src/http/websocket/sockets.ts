/** The WebSockets of clients: who gets one, how many there are, and their end in order. */
import { type IncomingMessage, ServerResponse } from 'node:http';
import { ClawError } from '../../core/errors.ts';
import type { CallId } from '../../core/ids.ts';
import {
  BUSY_RETRY_SECONDS,
  CLIENT_CHUNKS_MAX,
  CLIENT_FRAGMENTS_MAX,
  CLIENT_SOCKETS_MAX,
  REQUEST_BODY_BYTES_MAX,
  SOCKET_CLOSE_MS,
} from '../../core/limits.ts';
import type { Budget } from '../../lib/budget.ts';
import type { Clock } from '../../lib/clock.ts';
import { acceptText, type TextSocket } from '../../lib/socket.ts';
import { asClawError, sendError } from '../error-reply.ts';
import type { Guard } from '../guard.ts';
import type { LateRefusals } from '../late-refusals.ts';
import { routeOf } from '../route.ts';
import { Visit } from '../visit.ts';
import { ClientSocket, type ClientSocketParts } from './client-socket.ts';

const CAPS = {
  messageBytesMax: REQUEST_BODY_BYTES_MAX,
  fragmentsMax: CLIENT_FRAGMENTS_MAX,
  chunksMax: CLIENT_CHUNKS_MAX,
  closeMs: SOCKET_CLOSE_MS,
};

export interface Serving extends Pick<ClientSocketParts, 'serve'> {
  /** The socket has closed. */
  readonly over: () => void;
}

export interface SocketsParts {
  readonly guard: Guard;
  readonly late: LateRefusals;
  readonly clock: Clock;
  readonly budget: Budget;
  readonly newId: () => CallId;
  /** For one new socket: what serves its calls. */
  readonly serving: () => Serving;
  /** A request for a socket was refused. */
  readonly refused: (visit: Visit, error: ClawError) => void;
  /** Throws while no new call is taken. */
  readonly mustBeOpen: () => void;
}

/** Whether it is an upgrade to what is served as a WebSocket. */
export function asksForSocket({ method, url = '', headers }: IncomingMessage): boolean {
  if (method !== 'GET' || headers.upgrade?.toLowerCase() !== 'websocket') return false;
  const route = routeOf(url);
  return route?.kind === 'call' && route.dialect === 'responses' && route.operation === undefined;
}

export class Sockets {
  readonly #parts: SocketsParts;
  readonly #open = new Set<ClientSocket>();

  constructor(parts: SocketsParts) {
    this.#parts = parts;
  }

  /** For a request that `asksForSocket`. */
  take(request: IncomingMessage, head: Buffer): void {
    const { guard, late } = this.#parts;
    request.socket.on('error', () => request.socket.destroy());
    try {
      const refusal = guard.refusalOfSocket(request);
      if (refusal === undefined) this.#accept(request, head);
      else late.send(this.#refused(request, refusal.error), refusal.error);
    } catch (thrown) {
      const error = asClawError(thrown);
      sendError(this.#refused(request, error), error);
    }
  }

  drain(): void {
    for (const client of this.#open) client.drain();
  }

  destroy(): void {
    for (const client of this.#open) client.destroy();
  }

  /** A refusal is an answer of HTTP like any other, on a connection that ends with it. */
  #refused(request: IncomingMessage, error: ClawError): Visit {
    const { socket } = request;
    const { newId, clock, refused } = this.#parts;
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.on('error', () => {});
    response.on('finish', () => socket.destroySoon());
    response.assignSocket(socket);
    const visit = new Visit(newId(), request, response, clock);
    refused(visit, error);
    return visit;
  }

  #accept(request: IncomingMessage, head: Buffer): void {
    this.#parts.mustBeOpen();
    checkHandshake(request);
    if (this.#open.size >= CLIENT_SOCKETS_MAX)
      throw new ClawError('busy', `${CLIENT_SOCKETS_MAX} WebSockets are open here, as many as may be`, {
        retryAfterSeconds: BUSY_RETRY_SECONDS,
      });
    forgetSocketBeta(request);
    acceptText(request, head, CAPS, (socket) => this.#begin(request, socket));
  }

  #begin(request: IncomingMessage, socket: TextSocket): void {
    const { clock, budget, newId, serving } = this.#parts;
    const { serve, over } = serving();
    const client = new ClientSocket({
      socket,
      request,
      clock,
      budget,
      newId,
      serve,
      closed: () => {
        this.#open.delete(client);
        over();
      },
    });
    this.#open.add(client);
  }
}

function checkHandshake({ headers }: IncomingMessage): void {
  if (headers['sec-websocket-version'] !== '13')
    throw new ClawError('bad_request', 'only version 13 of the WebSocket protocol is spoken here', {
      status: 426,
      headers: { 'sec-websocket-version': '13' },
    });
  if (!/^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? ''))
    throw new ClawError('bad_request', 'the header Sec-WebSocket-Key must be 16 bytes in base64');
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
  if (hasBody) throw new ClawError('bad_request', 'a request for a WebSocket has no body');
}

/** Codex asks for the socket with it; the upstream is called without one. */
function forgetSocketBeta({ headers }: IncomingMessage): void {
  const beta = headers['openai-beta'];
  if (typeof beta !== 'string') return;
  const left = beta.split(',').filter((one) => !one.trim().startsWith('responses_websockets='));
  if (left.length === 0) delete headers['openai-beta'];
  else headers['openai-beta'] = left.join(',').trim();
}
