/**
 * Whether a request brings one of the proxy's keys, and how fast wrong ones may be tried. A wrong key is told so late,
 * so that guessing is slow. An address that brings ten in a minute is locked out for five, with whatever key it comes:
 * one that still got in with the right key would still be guessing. Loopback is never locked out: any program of this
 * machine could lock out all the others.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ClawError } from '../core/errors.ts';
import type { Clock } from '../lib/clock.ts';
import { isLoopback } from '../lib/host.ts';
import { clientAddress, householdOf } from './client-address.ts';
import { keyOf } from './key-headers.ts';
import { Lockouts } from './lockouts.ts';

export type KeyVerdict = 'in' | { readonly error: ClawError; readonly when: 'now' | 'late' };

export class KeyGuard {
  /** Hashes are of one length, so that comparing them tells nothing of the keys. */
  readonly #keys: readonly Buffer[];
  readonly #trustedProxies: ReadonlySet<string>;
  readonly #lockouts: Lockouts;

  constructor(keys: readonly string[], trustedProxies: ReadonlySet<string>, clock: Clock) {
    this.#keys = keys.map(hash);
    this.#trustedProxies = trustedProxies;
    this.#lockouts = new Lockouts(clock);
  }

  check(request: IncomingMessage): KeyVerdict {
    if (this.#keys.length === 0) return 'in';
    const address = clientAddress(request, this.#trustedProxies);
    const household = isLoopback(address) ? undefined : householdOf(address);
    const lockedMs = household === undefined ? 0 : this.#lockouts.remainingMs(household);
    if (lockedMs > 0) return { error: lockedOut(lockedMs), when: 'now' };
    const given = keyOf(request);
    // Without a key nobody guesses: it is a client that was not told of it.
    if (given === '') return { error: refused(ASKS_FOR_KEY), when: 'now' };
    if (this.#knows(given)) return 'in';
    if (household !== undefined) this.#lockouts.failed(household);
    return { error: refused('the key is not one of proxy.apiKeys'), when: 'late' };
  }

  /** All keys are compared, whichever fits: the time tells nothing. */
  #knows(given: string): boolean {
    const hashed = hash(given);
    let known = false;
    for (const key of this.#keys) known = timingSafeEqual(key, hashed) || known;
    return known;
  }
}

const ASKS_FOR_KEY = 'this proxy asks for a key: send `Authorization: Bearer` with one of proxy.apiKeys';

function refused(text: string): ClawError {
  return new ClawError('unauthorized', text, { headers: { 'www-authenticate': 'Bearer' } });
}

function lockedOut(ms: number): ClawError {
  const seconds = Math.ceil(ms / 1_000);
  const text = `too many wrong keys came from this address: none is taken from it for ${seconds} s; mend the client's key meanwhile`;
  return new ClawError('too_many_wrong_keys', text, {
    retryAfterSeconds: seconds,
    headers: { 'x-should-retry': 'false' },
  });
}

function hash(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
