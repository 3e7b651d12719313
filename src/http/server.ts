/** The HTTP edge: the server, its limits and routes, and its end in order. Knows no mesh: whoever answers is handed in. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { ClawError } from '../core/errors.ts';
import type { CallId } from '../core/ids.ts';
import { BUSY_RETRY_SECONDS, SOCKET_CLOSE_MS, STOP_MS } from '../core/limits.ts';
import type { ModelView, StatusView } from '../core/views.ts';
import type { Clock } from '../lib/clock.ts';
import { urlHost } from '../lib/host.ts';
import { callIds } from './call-ids.ts';
import { allowOrigin, allowRequests } from './cross-origin.ts';
import { asClawError, sendError } from './error-reply.ts';
import { type Admission, Guard, type GuardOptions } from './guard.ts';
import { LateRefusals } from './late-refusals.ts';
import { limitedServer, listenAt } from './limited-server.ts';
import { modelRow, modelRows } from './models.ts';
import type { Outlet } from './outlet.ts';
import { readBody } from './read-body.ts';
import { askingOf, forgetting, foundFor } from './response-resources.ts';
import type { ResponseRoute } from './route.ts';
import { type Asking, type CallParts, serveCall } from './serve-call.ts';
import { Sweep } from './sweep.ts';
import { Visit } from './visit.ts';
import { type Serving, Sockets } from './websocket/sockets.ts';
import { warmUp } from './websocket/warm-up.ts';

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
  readonly #sockets: Sockets;
  /** Set once the edge closes; resolves when the last socket has. */
  #closed: Promise<void> | undefined;
  #onIdle: () => void = () => {};

  constructor(parts: EdgeParts, guard: Guard) {
    this.#parts = parts;
    this.#guard = guard;
    this.#newId = parts.newId ?? callIds();
    this.#sweep = new Sweep(parts.clock);
    this.#server = limitedServer({
      serve: (request, response) => this.#serve(request, response),
      upgrade: (request, rest) => this.#sockets.take(request, rest),
    });
    this.#sockets = new Sockets({
      ...{ guard, clock: parts.clock, budget: parts.budget, late: this.#late, newId: this.#newId },
      mustBeOpen: () => this.#mustBeOpen(),
      refused: (visit, error) => this.#log(visit, error),
      serving: () => this.#serving(),
    });
  }

  listen(host: string, port: number): Promise<number> {
    return listenAt(this.#server, host, port);
  }

  close(graceMs: number): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  async #close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    for (const { response } of this.#calls) lastOfItsConnection(response);
    this.#sockets.drain();
    await this.#idleWithin(graceMs);
    for (const { cut } of this.#calls) cut.abort(this.#stopping());
    // The clients of broken calls are told so; what is still open then is cut.
    const cancel = this.#parts.clock.after(SOCKET_CLOSE_MS, () => {
      this.#server.closeAllConnections();
      this.#sockets.destroy();
    });
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
      if (request.method === 'OPTIONS') return this.#preflight(visit, response);
      const admission = this.#guard.admit(request);
      if (admission.origin !== undefined) allowOrigin(response, admission.origin);
      if (admission.kind === 'in') return this.#route(visit, admission, response);
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

  #route(visit: Visit, { route }: Admission, response: ServerResponse): void {
    const { models, status, budget } = this.#parts;
    switch (route.kind) {
      case 'call':
        this.#mustBeOpen();
        void this.#call(visit, Object.assign({ read: () => readBody(visit, response, budget) }, route));
        return;
      case 'response':
        return this.#response(visit, route);
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

  #response(visit: Visit, route: ResponseRoute): void {
    const { history, answer } = this.#parts;
    const { method = '' } = visit.request;
    const found = foundFor(route, method, history);
    if (found.kind === 'here') return visit.sendJson(200, found.value);
    this.#mustBeOpen();
    const forgets = method === 'DELETE' ? { answer: forgetting(answer, route.id, history) } : {};
    void this.#call(visit, askingOf(found), { ...this.#parts, ...forgets });
  }

  async #call(visit: Visit, asking: Asking, parts: CallParts = this.#parts): Promise<void> {
    this.#calls.add(visit);
    await serveCall(visit, asking, parts, this.#sweep);
    // What the client has yet to take belongs to the call: a drain waits for it.
    if (!visit.response.writableFinished) await visit.finished();
    this.#calls.delete(visit);
    if (this.#closed === undefined) return;
    visit.response.once('close', () => this.#server.closeIdleConnections());
    this.#server.closeIdleConnections();
    if (this.#calls.size === 0) this.#onIdle();
  }

  /** What serves the calls of one WebSocket. */
  #serving(): Serving {
    const history = this.#parts.history.session();
    const parts: CallParts = { ...this.#parts, history };
    const warming = { ...parts, answer: warmUp(this.#parts.clock) };
    return {
      serve: (visit, { held, warmsUp }) => {
        const asking: Asking = { dialect: 'responses', read: () => Promise.resolve(held) };
        return this.#call(visit, asking, warmsUp ? warming : parts);
      },
      over: () => history.close(),
    };
  }

  #mustBeOpen(): void {
    if (this.#closed !== undefined) throw this.#stopping();
  }

  #stopping(): ClawError {
    return new ClawError('draining', `node ${this.#parts.nodeName} is stopping: ask again`, {
      retryAfterSeconds: BUSY_RETRY_SECONDS,
      headers: { 'x-should-retry': 'true' },
    });
  }

  #preflight(visit: Visit, response: ServerResponse): void {
    const origin = this.#guard.admitPreflight(visit.request);
    if (origin !== undefined) allowRequests(response, origin);
    response.writeHead(204, visit.headers({})).end();
  }
}

/** Told in the head, where that is not out yet; else the connection is closed when it is idle. */
function lastOfItsConnection(response: Outlet): void {
  response.shouldKeepAlive = false;
}
