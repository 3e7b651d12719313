/** How much one side of a call lets the other send. Counts bytes; sends nothing itself. */
import { WINDOW_BYTES_MAX } from '../core/limits.ts';
import type { Budget } from '../lib/budget.ts';

/** The receiver's side. What it grants beyond the first window comes out of shared budgets, and goes back at `close`. */
export class Grant {
  readonly #budgets: readonly Budget[];
  readonly #first: number;
  #window: number;
  #allowed: number;
  #received = 0;
  #consumed = 0;

  constructor(firstWindow: number, budgets: readonly Budget[]) {
    this.#first = firstWindow;
    this.#window = firstWindow;
    this.#allowed = firstWindow;
    this.#budgets = budgets;
  }

  /** Counts bytes that came; false when the sender had no credit for them. */
  receive(bytes: number): boolean {
    this.#received += bytes;
    return this.#received <= this.#allowed;
  }

  get receivedBytes(): number {
    return this.#received;
  }

  /** Counts bytes that were consumed; the new offset to announce, once it is worth a frame. */
  consume(bytes: number): number | undefined {
    this.#consumed += bytes;
    if (this.#consumed + this.#window - this.#allowed < this.#window / 2) return undefined;
    this.#widen();
    this.#allowed = this.#consumed + this.#window;
    return this.#allowed;
  }

  close(): void {
    const extra = this.#window - this.#first;
    this.#window = this.#first;
    if (extra > 0) for (const budget of this.#budgets) budget.give(extra);
  }

  /** A call that got through half a window is a long or a fast one: it gets the largest window if there is room. */
  #widen(): void {
    const extra = WINDOW_BYTES_MAX - this.#first;
    if (this.#window !== this.#first || extra <= 0) return;
    const taken: Budget[] = [];
    for (const budget of this.#budgets) {
      if (!budget.take(extra)) {
        for (const done of taken) done.give(extra);
        return;
      }
      taken.push(budget);
    }
    this.#window = WINDOW_BYTES_MAX;
  }
}

/** The sender's side. */
export class Allowance {
  readonly #aheadMax: number;
  #allowed: number;
  #sent = 0;

  /** `aheadMax`: how far beyond what was sent the other side may raise it. */
  constructor(firstWindow: number, aheadMax: number) {
    this.#allowed = firstWindow;
    this.#aheadMax = aheadMax;
  }

  get roomBytes(): number {
    return this.#allowed - this.#sent;
  }

  get sentBytes(): number {
    return this.#sent;
  }

  sent(bytes: number): void {
    this.#sent += bytes;
  }

  /** Credit never falls: an offset that is not higher says nothing. False for one that is too far ahead. */
  raise(offset: number): boolean {
    if (offset > this.#sent + this.#aheadMax) return false;
    if (offset > this.#allowed) this.#allowed = offset;
    return true;
  }
}
