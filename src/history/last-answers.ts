/** The last answer of each connection, also of one that was not to be stored. Bounded in bytes together, the oldest goes first. */
import { AgingMap } from '../lib/aging-map.ts';
import type { Kept } from './kept.ts';

export class LastAnswers {
  readonly #bytesMax: number;
  /** By whoever remembers it. */
  readonly #kept = new AgingMap<object, Kept>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get(connection: object): Kept | undefined {
    return this.#kept.get(connection);
  }

  /** In the place of the one before. */
  put(connection: object, kept: Kept): void {
    this.forget(connection);
    this.#kept.put(connection, kept);
    this.#bytes += kept.bytes;
    while (this.#bytes > this.#bytesMax) {
      const oldest = this.#kept.takeOldest();
      if (oldest === undefined) break;
      this.#bytes -= oldest.bytes;
    }
  }

  forget(connection: object): void {
    const kept = this.#kept.get(connection);
    if (kept === undefined) return;
    this.#kept.delete(connection);
    this.#bytes -= kept.bytes;
  }
}
