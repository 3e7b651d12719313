/** One request at the edge: its id, its two ends and when it began. Knows the headers that every reply carries. */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Headers } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import type { CallId } from '../core/ids.ts';
import { CLIENT_PIECE_BYTES } from '../core/limits.ts';
import type { Clock } from '../lib/clock.ts';
import { Stop } from '../lib/signals.ts';
import type { Outlet } from './outlet.ts';

export class Visit {
  readonly id: CallId;
  readonly request: IncomingMessage;
  readonly response: Outlet;
  readonly clock: Clock;
  /** Aborting it ends the call, whatever it waits for. */
  readonly cut = new Stop();
  readonly #startedAt: number;

  constructor(id: CallId, request: IncomingMessage, response: Outlet, clock: Clock) {
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

  /** Throws where the client has left, or was given up. */
  mustStay(): void {
    if (!this.gone) return;
    throw ClawError.from(this.cut.reason, 'cancelled', 'the client left');
  }

  /** Resolves once the client has taken what was written, or has left. */
  drained(): Promise<void> {
    const { response } = this;
    return new Promise((resolve) => {
      if (response.destroyed) return resolve();
      const done = () => {
        response.off('drain', done).off('close', done);
        resolve();
      };
      response.on('drain', done).on('close', done);
    });
  }

  /** Resolves once the client has the whole reply, or has left. */
  async finished(): Promise<void> {
    const { response } = this;
    if (this.gone || response.writableFinished) return;
    await new Promise<void>((resolve) => {
      response.once('finish', resolve).once('close', resolve);
    });
  }

  /** A large chunk goes in pieces, so that a client that takes them slowly is seen to take them. Resolves once all are. */
  async writePieces(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.gone; at += CLIENT_PIECE_BYTES) {
      if (!this.response.write(bytes.subarray(at, at + CLIENT_PIECE_BYTES))) await this.drained();
    }
    this.mustStay();
  }

  /** `headers` with those that every reply carries, and `own` over both; what cannot stand in a header is left out. */
  headers(headers: Headers, own: OutgoingHttpHeaders = {}): OutgoingHttpHeaders {
    const all: Record<string, string> = {};
    for (const name in headers) {
      const value = headers[name];
      if (value !== undefined && !NEVER.has(name) && isHeaderValue(value)) all[name] = value;
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

export function isHeaderValue(text: string): boolean {
  return VALUE.test(text);
}

const VALUE = /^[\t\x20-\x7e]*$/;

/** The framing is ours, and a cookie or a redirect is nothing that a model says. */
const NEVER = new Set(['connection', 'content-length', 'transfer-encoding', 'set-cookie', 'location']);
