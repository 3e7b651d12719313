/** The HTTP edge: the server, its limits and routes, and its end in order. Knows no mesh: whoever answers is handed in. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ClawError } from '../core/errors.ts';
import { ROUTE_HEADER } from '../core/header-names.ts';
import type { CallId } from '../core/ids.ts';
import {
  BUSY_RETRY_SECONDS,
  HTTP_CHECK_MS,
  HTTP_CONNECTIONS_MAX,
  HTTP_HEADER_BYTES_MAX,
  HTTP_HEADERS_MS,
  HTTP_KEEP_ALIVE_MS,
  HTTP_REQUEST_MS,
  SOCKET_CLOSE_MS,
  STOP_MS,
} from '../core/limits.ts';
import type { ModelView, StatusView } from '../core/views.ts';
import type { Clock } from '../lib/clock.ts';
import { urlHost } from '../lib/host.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { callIds } from './call-ids.ts';
import { asClawError, sendError } from './error-reply.ts';
import { type Admission, Guard, type GuardOptions } from './guard.ts';
import { LateRefusals } from './late-refusals.ts';
import { modelRow, modelRows } from './models.ts';
import { type CallParts, serveCall } from './serve-call.ts';
import { Sweep } from './sweep.ts';
import { Visit } from './visit.ts';

export interface EdgeParts extends CallParts {
  readonly clock: Clock;
  /** This node's name, for people. */
  readonly nodeName: string;
  readonly models: () => readonly ModelView[];
  readonly status: () => StatusView;
  readonly newId?: () => CallId;
}

export interface EdgeOptions extends GuardOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

export interface Edge extends AsyncDisposable {
  /** `http://127.0.0.1:19701` */
  readonly url: string;
  readonly port: number;
  /** Takes no more calls, lets the open ones end for `graceMs`, then breaks them, and closes. Twice is safe. */
  close(graceMs?: number): Promise<void>;
}

export async function startEdge(parts: EdgeParts, options: EdgeOptions): Promise<Edge> {
  const edge = new HttpEdge(parts, new Guard(options, parts.clock));
  const port = await edge.listen(options.host, options.port);
  const close = (graceMs = STOP_MS) => edge.close(graceMs);
  return {
    url: `http://${urlHost(options.host)}:${port}`,
    port,
    close,
    [Symbol.asyncDispose]: () => close(0),
  };
}

class HttpEdge {
  readonly #parts: EdgeParts;
  readonly #guard: Guard;
  readonly #late = new LateRefusals();
  readonly #server: Server;
  readonly #newId: () => CallId;
  readonly #calls = new Set<Visit>();
  readonly #sweep: Sweep;
  /** Set once the edge closes; resolves when the last socket has. */
  #closed: Promise<void> | undefined;
  #onIdle: () => void = () => {};

  constructor(parts: EdgeParts, guard: Guard) {
    this.#parts = parts;
    this.#guard = guard;
    this.#newId = parts.newId ?? callIds();
    this.#sweep = new Sweep(parts.clock);
    this.#server = createServer({
      maxHeaderSize: HTTP_HEADER_BYTES_MAX,
      headersTimeout: HTTP_HEADERS_MS,
      // The reading of a body has the same limit of its own, which answers as one of us; this one is behind it.
      requestTimeout: HTTP_REQUEST_MS + HTTP_CHECK_MS,
      connectionsCheckingInterval: HTTP_CHECK_MS,
      keepAliveTimeout: HTTP_KEEP_ALIVE_MS,
      // The guard refuses them in our form.
      requireHostHeader: false,
    });
    this.#server.maxConnections = HTTP_CONNECTIONS_MAX;
    // Bounded by their bytes alone: beyond a count Node drops headers without a word, an `Origin` among them.
    this.#server.maxHeadersCount = 0;
    const serve = (request: IncomingMessage, response: ServerResponse) => this.#serve(request, response);
    this.#server
      .on('request', serve)
      .on('checkContinue', serve)
      .on('checkExpectation', serve)
      .on('clientError', answerBrokenRequest);
  }

  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) =>
        reject(new Error(listenFault(host, port, error), { cause: error })),
      );
      this.#server.listen(port, host, () => {
        const address = this.#server.address();
        resolve(address !== null && typeof address === 'object' ? address.port : port);
      });
    });
  }

  close(graceMs: number): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  async #close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    for (const { response } of this.#calls) lastOfItsConnection(response);
    await this.#idleWithin(graceMs);
    for (const { cut } of this.#calls) cut.abort(this.#stopping());
    // The clients of broken calls are told so; what is still open then is cut.
    const cancel = this.#parts.clock.after(SOCKET_CLOSE_MS, () => this.#server.closeAllConnections());
    await closed;
    cancel();
    this.#sweep.close();
  }

  async #idleWithin(ms: number): Promise<void> {
    if (this.#calls.size === 0 || ms <= 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#parts.clock.after(ms, resolve);
      this.#onIdle = () => {
        cancel();
        resolve();
      };
    });
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const visit = new Visit(this.#newId(), request, response, this.#parts.clock);
    // A client that leaves while it is written to: the call is told by `close`.
    response.on('error', () => {});
    request.on('error', () => {});
    if (this.#closed !== undefined) lastOfItsConnection(response);
    try {
      if (request.method === 'OPTIONS') return this.#preflight(visit);
      const admission = this.#guard.admit(request);
      if (admission.origin !== undefined) allowOrigin(response, admission.origin);
      if (admission.kind === 'in') return this.#route(visit, admission);
      this.#log(visit, admission.error);
      this.#late.send(visit, admission.error);
    } catch (thrown) {
      const error = asClawError(thrown);
      this.#log(visit, error);
      sendError(visit, error);
    }
  }

  #log({ id: callId }: Visit, error: ClawError): void {
    const { log } = this.#parts;
    if (error.code === 'internal') log.error({ callId, err: error.cause ?? error }, 'request failed');
    else log.debug({ callId, code: error.code }, 'request refused');
  }

  #route(visit: Visit, { route }: Admission): void {
    const { models, status } = this.#parts;
    switch (route.kind) {
      case 'call':
        if (this.#closed !== undefined) throw this.#stopping();
        void this.#call(visit, route.dialect);
        return;
      case 'models':
        return visit.sendJson(200, { object: 'list', data: modelRows(models(), route.all) });
      case 'model':
        return visit.sendJson(200, modelRow(models(), route.name));
      case 'health':
        return visit.sendJson(200, { status: 'ok' });
      case 'status':
        return visit.sendJson(200, status());
    }
  }

  async #call(visit: Visit, dialect: Parameters<typeof serveCall>[1]): Promise<void> {
    this.#calls.add(visit);
    await serveCall(visit, dialect, this.#parts, this.#sweep);
    // What the client has yet to take belongs to the call: a drain waits for it.
    if (!visit.response.writableFinished) await visit.finished();
    this.#calls.delete(visit);
    if (this.#closed === undefined) return;
    visit.response.once('close', () => this.#server.closeIdleConnections());
    this.#server.closeIdleConnections();
    if (this.#calls.size === 0) this.#onIdle();
  }

  #stopping(): ClawError {
    return new ClawError('draining', `node ${this.#parts.nodeName} is stopping: ask again`, {
      retryAfterSeconds: BUSY_RETRY_SECONDS,
      headers: { 'x-should-retry': 'true' },
    });
  }

  #preflight(visit: Visit): void {
    const { response } = visit;
    const origin = this.#guard.admitPreflight(visit.request);
    if (origin !== undefined) {
      allowOrigin(response, origin);
      response.setHeader('access-control-allow-methods', 'GET, POST');
      response.setHeader('access-control-allow-headers', 'authorization, content-type, x-session-affinity');
      response.setHeader('access-control-max-age', '600');
    }
    response.writeHead(204, visit.headers({})).end();
  }
}

function allowOrigin(response: ServerResponse, origin: string): void {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('vary', 'Origin');
  response.setHeader('access-control-expose-headers', `x-request-id, ${ROUTE_HEADER}, server-timing`);
}

/** Told in the head, where that is not out yet; else the connection is closed when it is idle. */
function lastOfItsConnection(response: ServerResponse): void {
  response.shouldKeepAlive = false;
}

function listenFault(host: string, port: number, error: NodeJS.ErrnoException): string {
  if (error.code === 'EADDRINUSE')
    return `the proxy cannot listen on ${host}:${port}: another program does; set proxy.port`;
  return `the proxy cannot listen on ${host}:${port} (${error.code ?? error.message})`;
}
