/** The ends of a stream that passed: what a dialect needs to number its failure, or to show life, at no cost before. */
import type { Dialect } from '../core/call.ts';
import type { ClawError } from '../core/errors.ts';
import { SSE_EVENT_BYTES_MAX } from '../core/limits.ts';
import { shapes } from '../dialect/dialects.ts';
import type { DialectShape, StreamContext, StreamWatch } from '../dialect/shape.ts';

export class Passed {
  readonly shape: DialectShape;
  #first: Uint8Array | undefined;
  /** The finish of a chat stream may be followed by its usage. */
  #previous: Uint8Array | undefined;
  #latest: Uint8Array | undefined;
  /** What a failure would tell once more; nothing once it is more than an event should hold. */
  #repeated: Uint8Array[] = [];
  #repeatedBytes = 0;

  constructor(dialect: Dialect) {
    this.shape = shapes[dialect];
  }

  get first(): Uint8Array | undefined {
    return this.#first;
  }

  /** The last that said something, and what came before it; oldest first. As the client got them. */
  get last(): readonly Uint8Array[] {
    return [this.#previous, this.#latest].filter((events) => events !== undefined);
  }

  get latest(): Uint8Array | undefined {
    return this.#latest;
  }

  /** Whether they hold an event at all: comments say nothing of where the stream is, nor do many clients count them. */
  note(events: Uint8Array): boolean {
    if (!this.shape.framing.hasEvent(events)) return false;
    this.#previous = this.#latest;
    this.#latest = events;
    this.#first ??= events;
    if (this.shape.isRepeated?.(events) === true) this.#keep(events);
    return true;
  }

  /** How the stream's failure is told, behind all that passed. */
  failure(error: ClawError, context: StreamContext): Uint8Array {
    return this.watch().failure(error, { ...context, repeated: this.#repeated });
  }

  /** A watch that has seen them. */
  watch(): StreamWatch {
    const watch = this.shape.watch();
    for (const events of new Set([this.#first, ...this.last])) if (events !== undefined) watch.see(events);
    return watch;
  }

  /** A copy: such events are few, and may be small parts of large pieces of memory. */
  #keep(events: Uint8Array): void {
    this.#repeatedBytes += events.length;
    if (this.#repeatedBytes > SSE_EVENT_BYTES_MAX) this.#repeated = [];
    else this.#repeated.push(Uint8Array.from(events));
  }
}
