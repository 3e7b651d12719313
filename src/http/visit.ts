/** One request at the edge: its id, its two ends and when it began. Knows the headers that every reply carries. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Headers } from '../core/call.ts';
import type { CallId } from '../core/ids.ts';
import type { Clock } from '../lib/clock.ts';

export class Visit {
  readonly id: CallId;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly clock: Clock;
  readonly #startedAt: number;

  constructor(id: CallId, request: IncomingMessage, response: ServerResponse, clock: Clock) {
    this.id = id;
    this.request = request;
    this.response = response;
    this.clock = clock;
    this.#startedAt = clock.now();
  }

  elapsedMs(): number {
    return Math.round((this.clock.now() - this.#startedAt) * 10) / 10;
  }

  /** The client's connection is closed. */
  get gone(): boolean {
    return this.response.destroyed;
  }

  /** `headers` with those that every reply carries, and `own` over both; what cannot stand in a header is left out. */
  headers(headers: Headers, own: OutgoingHttpHeaders = {}): OutgoingHttpHeaders {
    const all: Record<string, string> = {};
    for (const name in headers) {
      const value = headers[name];
      if (value !== undefined && !NEVER.has(name) && VALUE.test(value)) all[name] = value;
    }
    const timing = `ttfb;dur=${this.elapsedMs()}`;
    const earlier = all['server-timing'];
    all['server-timing'] = earlier === undefined ? timing : `${earlier}, ${timing}`;
    all['x-request-id'] = this.id;
    return Object.assign(all, own);
  }

  sendJson(status: number, value: unknown, headers: Headers = {}): void {
    const body = Buffer.from(JSON.stringify(value));
    const own = { 'content-type': 'application/json', 'content-length': body.length };
    this.response.writeHead(status, this.headers(headers, own));
    this.response.end(body);
  }
}

const VALUE = /^[\t\x20-\x7e]*$/;

/** The framing is ours, and a cookie or a redirect is nothing that a model says. */
const NEVER = new Set(['connection', 'content-length', 'transfer-encoding', 'set-cookie', 'location']);
