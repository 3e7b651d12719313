/** Addresses that brought too many wrong keys. Bounded, and without a timer: what is old goes when room is needed. */
import {
  KEY_FAILURES_MAX,
  KEY_FAILURES_MS,
  KEY_FAILURES_REMEMBERED_MAX,
  KEY_LOCKOUT_MS,
} from '../core/limits.ts';
import type { Clock } from '../lib/clock.ts';

type Entry =
  /** The times of the failures. */
  | { readonly kind: 'counting'; readonly failures: readonly number[] }
  | { readonly kind: 'locked'; readonly until: number };

export class Lockouts {
  readonly #clock: Clock;
  /** The one that failed last stands last. */
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  /** For how long the address is still locked out; 0, it is not. */
  remainingMs(address: string): number {
    const entry = this.#entries.get(address);
    return entry?.kind === 'locked' ? Math.max(0, entry.until - this.#clock.now()) : 0;
  }

  failed(address: string): void {
    const now = this.#clock.now();
    const entry = this.#entries.get(address);
    const before = entry?.kind === 'counting' ? entry.failures : [];
    const failures = [...before.filter((at) => now - at < KEY_FAILURES_MS), now];
    this.#entries.delete(address);
    if (this.#entries.size >= KEY_FAILURES_REMEMBERED_MAX && !this.#makeRoom(now)) return;
    const locked = failures.length >= KEY_FAILURES_MAX;
    this.#entries.set(
      address,
      locked ? { kind: 'locked', until: now + KEY_LOCKOUT_MS } : { kind: 'counting', failures },
    );
  }

  /** Forgets the oldest that is not locked out: a flood of addresses cannot set free one that is. */
  #makeRoom(now: number): boolean {
    for (const [address, entry] of this.#entries)
      if (entry.kind === 'counting' || entry.until <= now) return this.#entries.delete(address);
    return false;
  }
}
