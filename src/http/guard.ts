/**
 * Who may ask, decided from a request's head alone, before a byte of its body is read. The order matters: a web page
 * must not learn from a 404 or 401 what is served here.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { ClawError } from '../core/errors.ts';
import { REQUEST_BODY_BYTES_MAX } from '../core/limits.ts';
import type { Clock } from '../lib/clock.ts';
import { bareHost } from '../lib/host.ts';
import { plainAddress } from './client-address.ts';
import { KeyGuard } from './key-guard.ts';
import { KNOWN_PATHS, methodsOf, type Route, routeOf } from './route.ts';

export interface GuardOptions {
  /** None: no key is asked for. */
  readonly apiKeys: readonly string[];
  /** Beyond the names of loopback; `name` for any port, or `name:port`. */
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** Addresses whose `X-Forwarded-Host` and `X-Forwarded-For` are believed. */
  readonly trustedProxies: readonly string[];
}

/** What a request is let in as. */
export interface Admission {
  readonly kind: 'in';
  readonly route: Route;
  /** The browser's origin, where it is one that is allowed. */
  readonly origin: string | undefined;
}

/** A request that is told why it is not let in, but not at once. */
export interface LateRefusal {
  readonly kind: 'refused late';
  readonly error: ClawError;
  readonly origin: string | undefined;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

export class Guard {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #proxies: ReadonlySet<string>;
  readonly #keys: KeyGuard;

  constructor(options: GuardOptions, clock: Clock) {
    this.#hosts = new Set(options.allowedHosts.map((host) => host.toLowerCase()));
    // `null` is the origin of sandboxed pages of any site.
    this.#origins = new Set(options.allowedOrigins.filter((origin) => origin !== 'null'));
    this.#proxies = new Set(options.trustedProxies.map(plainAddress));
    this.#keys = new KeyGuard(options.apiKeys, this.#proxies, clock);
  }

  /** Throws a `ClawError` for what is refused. */
  admit(request: IncomingMessage): Admission | LateRefusal {
    this.#checkHost(request);
    const origin = this.#checkOrigin(request);
    const route = checkRoute(request);
    if (route.kind === 'call') checkType(request);
    const refusal = route.kind === 'health' ? undefined : this.#checkKey(request, origin);
    if (refusal !== undefined) return refusal;
    if (route.kind === 'call') checkSize(request);
    return { kind: 'in', route, origin };
  }

  /** Of a request for a WebSocket at a path that has one; undefined, it gets it. Throws as `admit` does. */
  refusalOfSocket(request: IncomingMessage): LateRefusal | undefined {
    this.#checkHost(request);
    return this.#checkKey(request, this.#checkOrigin(request));
  }

  /** The origin of a browser's question before a request (OPTIONS); throws where it is refused. */
  admitPreflight(request: IncomingMessage): string | undefined {
    this.#checkHost(request);
    return this.#checkOrigin(request);
  }

  #checkKey(request: IncomingMessage, origin: string | undefined): LateRefusal | undefined {
    const verdict = this.#keys.check(request);
    if (verdict === 'in') return undefined;
    if (verdict.when === 'now') throw verdict.error;
    return { kind: 'refused late', error: verdict.error, origin };
  }

  /** A page whose own name was made to point here (DNS rebinding) still sends that name. */
  #checkHost(request: IncomingMessage): void {
    const host = this.#hostOf(request)?.toLowerCase() ?? '';
    const name = host.replace(/:\d*$/, '');
    if (LOOPBACK.has(name) || this.#hosts.has(host) || this.#hosts.has(name)) return;
    // An address cannot be rebound: whoever asks for ours by number was given it.
    const bare = bareHost(name);
    if (isIP(bare) !== 0 && bare === plainAddress(request.socket.localAddress)) return;
    const named = host === '' ? 'a request without a Host header' : `the host "${printable(host)}"`;
    throw new ClawError(
      'host_refused',
      `${named} is not served here: use localhost, or add the name to proxy.allowedHosts`,
    );
  }

  #hostOf(request: IncomingMessage): string | undefined {
    const forwarded = request.headers['x-forwarded-host'];
    if (typeof forwarded !== 'string') return request.headers.host;
    return this.#proxies.has(plainAddress(request.socket.remoteAddress)) ? forwarded : request.headers.host;
  }

  #checkOrigin({ headers }: IncomingMessage): string | undefined {
    const { origin } = headers;
    if (origin !== undefined) {
      if (this.#origins.has(origin)) return origin;
      throw new ClawError(
        'origin_refused',
        `web pages of "${printable(origin)}" may not use this proxy: add the origin to proxy.allowedOrigins if they should`,
      );
    }
    if (headers['sec-fetch-site'] === 'cross-site')
      throw new ClawError('origin_refused', 'web pages of other sites may not use this proxy');
    return undefined;
  }
}

function checkRoute(request: IncomingMessage): Route {
  const { method = '', url = '' } = request;
  // `GET http://evil.com/ HTTP/1.1` is for proxies of another kind, and would bypass what Host says.
  if (!url.startsWith('/')) throw new ClawError('bad_request', 'the request target must be a path');
  const route = routeOf(url);
  const path = printable(url.replace(/\?.*$/s, ''));
  if (route === undefined)
    throw new ClawError('not_found', `there is no ${path} here; there are ${KNOWN_PATHS.join(', ')}`);
  const methods = methodsOf(route);
  if (methods.includes(method)) return route;
  const allow = methods.join(', ');
  throw new ClawError('method_not_allowed', `${path} takes ${allow}, not ${printable(method)}`, {
    headers: { allow },
  });
}

/** A form or a plain text is what a web page can send without being asked whether it may. */
function checkType({ headers }: IncomingMessage): void {
  const type = headers['content-type'] ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type))
    throw new ClawError(
      'unsupported_media_type',
      `the content-type must be application/json, not ${type === '' ? 'absent' : `"${printable(type)}"`}`,
    );
  const coding = headers['content-encoding'] ?? 'identity';
  if (coding.toLowerCase() !== 'identity')
    throw new ClawError(
      'unsupported_media_type',
      `the content-encoding "${printable(coding)}" is not read here: send the body as it is`,
    );
}

function checkSize({ headers }: IncomingMessage): void {
  if (Number(headers['content-length'] ?? 0) > REQUEST_BODY_BYTES_MAX) throw tooLarge();
}

export function tooLarge(): ClawError {
  const text = `the request body is larger than ${REQUEST_BODY_BYTES_MAX} bytes, the limit`;
  return new ClawError('body_too_large', text);
}

/** What the client sent is shown back to it: short, and nothing that steers a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 128);
}
