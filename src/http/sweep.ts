/** The one timer of all open replies: each is looked after once a tick, and none has a timer of its own. */
import { EDGE_SWEEP_MS } from '../core/limits.ts';
import type { Cancel, Clock } from '../lib/clock.ts';

export interface Swept {
  tick(): void;
}

export class Sweep {
  readonly #clock: Clock;
  readonly #open = new Set<Swept>();
  #cancel: Cancel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(reply: Swept): void {
    this.#open.add(reply);
    this.#cancel ??= this.#clock.every(EDGE_SWEEP_MS, () => this.#tick());
  }

  remove(reply: Swept): void {
    this.#open.delete(reply);
  }

  close(): void {
    this.#open.clear();
    this.#stop();
  }

  /** The timer ends at a tick that finds nothing open, not with the last reply: quick calls would arm it each time. */
  #tick(): void {
    if (this.#open.size === 0) return this.#stop();
    for (const reply of this.#open) reply.tick();
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
