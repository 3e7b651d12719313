/** Short questions to the network, each with a deadline: does a server answer, does a port take a connection. */
import { type ClientRequest, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect, createServer } from 'node:net';
import { PROBE_BYTES_MAX, PROBE_MS } from '../../core/limits.ts';
import type { Clock } from '../../lib/clock.ts';
import { readText } from '../../lib/read-text.ts';
import { codeOf } from './finding.ts';

export type Probed =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly date: string | undefined;
      readonly text: string;
    }
  /** The system's code, `TIMEOUT` where there was no answer in time. */
  | { readonly kind: 'failed'; readonly code: string };

export const TIMEOUT = 'TIMEOUT';
/** That code in words. */
export const DID_NOT_ANSWER = `did not answer in ${PROBE_MS / 1_000} s`;

/** Follows no redirect: the key in the headers is for this address alone. */
export function probeHttp(
  url: string,
  headers: Readonly<Record<string, string>>,
  clock: Clock,
): Promise<Probed> {
  return new Promise((resolve) => {
    const done = (probed: Probed) => {
      cancel();
      asked?.destroy();
      resolve(probed);
    };
    const fail = (error: unknown) => done({ kind: 'failed', code: codeOf(error) });
    let asked: ClientRequest | undefined;
    const cancel = clock.after(PROBE_MS, () => done({ kind: 'failed', code: TIMEOUT }));
    try {
      const request = url.startsWith('https:') ? requestHttps : requestHttp;
      asked = request(url, { agent: false, headers: { accept: 'application/json', ...headers } });
    } catch (error) {
      fail(error);
      return;
    }
    asked.on('error', fail);
    asked.once('response', (response) => {
      const { statusCode: status = 0, headers: answered } = response;
      readText(response, PROBE_BYTES_MAX).then(
        ({ text }) => done({ kind: 'answered', status, date: answered.date, text }),
        fail,
      );
    });
    asked.end();
  });
}

/** Undefined where a connection was made; it is closed at once, with nothing sent. */
export function probeTcp(host: string, port: number, clock: Clock): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (code: string | undefined) => {
      cancel();
      socket.destroy();
      resolve(code);
    };
    const cancel = clock.after(PROBE_MS, () => done(TIMEOUT));
    socket.once('connect', () => done(undefined));
    socket.on('error', (error) => done(codeOf(error)));
  });
}

/** Undefined where the port could be listened on, which it is for no longer than it takes to see that. */
export function probeListen(host: string, port: number, clock: Clock): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    const done = (code: string | undefined) => {
      cancel();
      server.close(() => resolve(code));
    };
    const cancel = clock.after(PROBE_MS, () => done(TIMEOUT));
    server.on('error', (error) => done(codeOf(error)));
    server.listen({ host, port, exclusive: true }, () => done(undefined));
  });
}
