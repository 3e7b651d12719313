/** The numbers of a stream's events: the server's own, moved by what is put in between, or ours where it has none. */
import type { JsonObject } from '../../../lib/json.ts';
import { amended } from '../../mend/amended.ts';

export class EventNumbers {
  /** Whose they are: the first event shows that. */
  #whose: 'unknown' | 'the server' | 'ours' = 'unknown';
  #next = 0;
  #inserted = 0;

  /** Whether the numbers of the server stand as they are. */
  get areMoved(): boolean {
    return this.#inserted > 0;
  }

  /** A sign of life has no number at some servers that number all else. */
  number(event: JsonObject): JsonObject {
    const { sequence_number: given, type } = event;
    if (type === 'keepalive' && given === undefined) return event;
    if (this.#whose === 'unknown') this.#whose = Number.isInteger(given) ? 'the server' : 'ours';
    if (this.#whose === 'ours') return amended(event, { sequence_number: this.#next++ });
    if (!Number.isInteger(given)) return event;
    return amended(event, { sequence_number: Number(given) + this.#inserted });
  }

  /** An event of our own, before one of the server's. */
  insert(event: JsonObject, before: JsonObject): JsonObject {
    const numbered = this.number({ ...event, sequence_number: before.sequence_number });
    this.#inserted++;
    return numbered;
  }
}
