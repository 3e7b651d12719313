/** The ends of a stream that passed: what a dialect needs to number its failure, or to show life, at no cost before. */
import type { Dialect } from '../core/call.ts';
import { asBuffer } from '../dialect/bytes.ts';
import { shapes } from '../dialect/dialects.ts';
import type { StreamWatch } from '../dialect/shape.ts';

const COMMENT = 0x3a;
const DATA = Buffer.from('data:');

export class Passed {
  #first: Uint8Array | undefined;
  /** The finish of a chat stream may be followed by its usage. */
  #previous: Uint8Array | undefined;
  #latest: Uint8Array | undefined;

  get latest(): Uint8Array | undefined {
    return this.#latest;
  }

  note(events: Uint8Array): void {
    // A comment says nothing of where the stream is.
    if (events[0] === COMMENT && !asBuffer(events).includes(DATA)) return;
    if (this.#first === undefined) this.#first = events;
    else this.#previous = this.#latest;
    this.#latest = events;
  }

  /** A watch that has seen them. */
  watch(dialect: Dialect): StreamWatch {
    const watch = shapes[dialect].watch();
    for (const events of new Set([this.#first, this.#previous, this.#latest]))
      if (events !== undefined) watch.see(events);
    return watch;
  }
}
