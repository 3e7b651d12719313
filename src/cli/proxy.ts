/** The running daemon's HTTP proxy: where it is, and one request to it, as any client makes it. */
import { type IncomingMessage, request } from 'node:http';
import { isIP } from 'node:net';
import { CHAT_SILENCE_MS } from '../core/limits.ts';
import type { Clock } from '../lib/clock.ts';
import { isErrno } from '../lib/errno.ts';
import { bareHost } from '../lib/host.ts';
import { onAbort } from '../lib/signals.ts';

export interface ProxyRequest {
  /** As the daemon tells it: `http://127.0.0.1:19701`. */
  readonly proxy: string;
  readonly path: string;
  /** Sent where the proxy asks for keys. */
  readonly key: string | undefined;
  readonly body: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export interface ProxyReply {
  readonly status: number;
  header(name: string): string | undefined;
  /** Throws where the connection ends before the reply does. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Closing the connection is what stops the model, so the signal does that, and does it at once. */
export function askProxy({ proxy, path, key, body, signal, clock }: ProxyRequest): Promise<ProxyReply> {
  return new Promise((resolve, reject) => {
    const asked = request(reachable(proxy) + path, {
      method: 'POST',
      agent: false,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
    });
    const unlink = onAbort(signal, () => asked.destroy());
    let read: IncomingMessage | undefined;
    const watch = new SilenceWatch(clock, () => (read ?? asked).destroy(new Error(SILENT)));
    asked.once('close', () => {
      unlink();
      watch.end();
    });
    asked.on('error', (error) =>
      reject(new Error(`the proxy at ${proxy} ${reasonOf(error)}`, { cause: error })),
    );
    asked.once('response', (response) => {
      read = response;
      resolve({
        status: response.statusCode ?? 0,
        header: (name) => textOf(response.headers[name]),
        body: watched(response, watch),
      });
    });
    asked.end(body);
  });
}

const SILENT = `gave no sign of life for ${CHAT_SILENCE_MS / 60_000} minutes`;

/** One timer for the whole reply, not one for each chunk: silence ends it after the time once or twice. */
class SilenceWatch {
  readonly end: () => void;
  #life = false;

  constructor(clock: Clock, silent: () => void) {
    this.end = clock.every(CHAT_SILENCE_MS, () => {
      if (!this.#life) silent();
      this.#life = false;
    });
  }

  alive(): void {
    this.#life = true;
  }
}

async function* watched(response: IncomingMessage, watch: SilenceWatch): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) {
      watch.alive();
      yield chunk;
    }
  } finally {
    // Whoever stops reading early wants no more of it.
    response.destroy();
  }
}

function reasonOf(error: Error): string {
  if (isErrno(error, 'ECONNREFUSED')) return 'refuses the connection';
  if (isErrno(error, 'ECONNRESET')) return 'closed the connection before it answered';
  return error.message;
}

/** A proxy on every address of the machine is called on loopback, where its guard knows the name. */
export function reachable(proxy: string): string {
  const url = new URL(proxy);
  const host = bareHost(url.hostname);
  if (isIP(host) === 0 || !/^(0\.0\.0\.0|::)$/.test(host)) return proxy.replace(/\/$/, '');
  return `http://${host === '::' ? '[::1]' : '127.0.0.1'}:${url.port}`;
}

/** What a client is configured with. */
export function apiRoot(proxy: string): string {
  return `${proxy.replace(/\/(v1\/?)?$/, '')}/v1`;
}

function textOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(', ');
}
