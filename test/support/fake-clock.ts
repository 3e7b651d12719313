/** A clock that stands still until a test moves it. */
import type { Cancel, Clock } from '../../src/lib/clock.ts';

interface Timer {
  at: number;
  readonly order: number;
  readonly everyMs: number | undefined;
  readonly run: () => void;
}

export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #startedAt = Date.UTC(2026, 0, 1);
  readonly #timers = new Set<Timer>();
  readonly #soon: { run: () => void; open: boolean }[] = [];

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#startedAt + this.#now;
  }

  after(ms: number, run: () => void): Cancel {
    return this.#arm(ms, undefined, run);
  }

  every(ms: number, run: () => void): Cancel {
    return this.#arm(ms, ms, run);
  }

  soon(run: () => void): Cancel {
    const entry = { run, open: true };
    this.#soon.push(entry);
    return () => {
      entry.open = false;
    };
  }

  /** Timers still armed: zero once everything that had one is closed. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Runs what `soon` holds, and what that adds, until there is nothing left. */
  turn(): void {
    for (let round = 0; this.#soon.length > 0; round++) {
      if (round > 10_000) throw new Error('the clock never comes to rest: something calls soon() for ever');
      for (const entry of this.#soon.splice(0)) {
        if (entry.open) entry.run();
      }
    }
  }

  /** Lets `ms` pass: timers fire in the order of their times. */
  advance(ms: number): void {
    const until = this.#now + ms;
    this.turn();
    for (;;) {
      const next = this.#earliest(until);
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      if (next.everyMs === undefined) this.#timers.delete(next);
      // As Node does: what was missed is not made up for.
      else next.at = this.#now + next.everyMs;
      next.run();
      this.turn();
    }
    this.#now = until;
  }

  /** Lets `ms` pass while nothing can run, as when a laptop sleeps: timers due fire late, all at the end. */
  sleep(ms: number): void {
    this.#now += ms;
    this.advance(0);
  }

  #arm(ms: number, everyMs: number | undefined, run: () => void): Cancel {
    const timer: Timer = { at: this.#now + ms, order: this.#order++, everyMs, run };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  #earliest(until: number): Timer | undefined {
    let best: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > until) continue;
      if (best === undefined || timer.at < best.at || (timer.at === best.at && timer.order < best.order))
        best = timer;
    }
    return best;
  }
}
