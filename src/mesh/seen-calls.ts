/** Call ids that were taken here, so that no call runs twice. Two generations: dropping the older one costs nothing. */
import { CALL_ID_MEMORY_MS, CALL_IDS_REMEMBERED_MAX } from '../core/limits.ts';
import type { Clock } from '../lib/clock.ts';

export class SeenCalls {
  readonly #clock: Clock;
  #young = new Set<string>();
  #old = new Set<string>();
  #turnedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#turnedAt = clock.now();
  }

  /** Remembers the id for at least its time, or says that it was there already. */
  add(id: string): 'new' | 'seen' {
    this.#turn();
    if (this.#young.has(id) || this.#old.has(id)) return 'seen';
    this.#young.add(id);
    return 'new';
  }

  /** The call was refused before it ran: it may come again. */
  forget(id: string): void {
    this.#young.delete(id);
  }

  #turn(): void {
    const now = this.#clock.now();
    const full = this.#young.size >= CALL_IDS_REMEMBERED_MAX / 2;
    if (!full && now - this.#turnedAt < CALL_ID_MEMORY_MS) return;
    this.#old = this.#young;
    this.#young = new Set();
    this.#turnedAt = now;
  }
}
