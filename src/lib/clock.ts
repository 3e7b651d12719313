/** Time. The only file that touches timers or reads a clock; everyone else is handed a `Clock`. */

/** Undoes what made it; calling it again, or after the timer fired, does nothing. */
export type Cancel = () => void;

export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. */
  now(): number;
  /** Milliseconds since 1970, for what people read. Never for a duration: it may jump. */
  wall(): number;
  /** Runs `run` once, `ms` from now. */
  after(ms: number, run: () => void): Cancel;
  /** Runs `run` every `ms`, first after `ms`. */
  every(ms: number, run: () => void): Cancel;
  /** Runs `run` once, after what the present turn of the event loop still has to read. */
  soon(run: () => void): Cancel;
}

/** The real clock. It counts what it has pending, so that a test can show that nothing was left behind. */
export class SystemClock implements Clock {
  #pending = 0;

  /** Timers that were armed and neither fired for good nor were cancelled. */
  get pending(): number {
    return this.#pending;
  }

  now(): number {
    return performance.now();
  }

  wall(): number {
    return Date.now();
  }

  after(ms: number, run: () => void): Cancel {
    let open = true;
    this.#pending++;
    const settle = () => {
      if (!open) return false;
      open = false;
      this.#pending--;
      return true;
    };
    const timer = setTimeout(() => {
      if (settle()) run();
    }, ms);
    return () => {
      if (settle()) clearTimeout(timer);
    };
  }

  every(ms: number, run: () => void): Cancel {
    let open = true;
    this.#pending++;
    const timer = setInterval(run, ms);
    return () => {
      if (!open) return;
      open = false;
      this.#pending--;
      clearInterval(timer);
    };
  }

  soon(run: () => void): Cancel {
    const immediate = setImmediate(run);
    return () => clearImmediate(immediate);
  }
}
