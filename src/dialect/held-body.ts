/** A reply's body that is already whole: one chunk, with the ending that belongs to it. */
import type { Outcome, Reply } from '../core/call.ts';

type Told = Pick<Extract<Outcome, { kind: 'complete' }>, 'finish' | 'usage'>;

const OVER = { done: true, value: undefined } as const;

/** No generator: one that is left before it was begun runs nothing, and `ended` would never settle. */
class HeldBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly ended: Promise<Outcome>;
  readonly #told: Told;
  readonly #length: number;
  #left: Uint8Array | undefined;
  #settle: (outcome: Outcome) => void = () => {};

  constructor(bytes: Uint8Array, told: Told) {
    this.#left = bytes;
    this.#length = bytes.length;
    this.#told = told;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const value = this.#left;
    this.#left = undefined;
    if (value !== undefined) return { done: false, value };
    return this.#over();
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#left === undefined) return this.#over();
    this.#left = undefined;
    this.#settle({ kind: 'cancelled', bytes: 0 });
    return OVER;
  }

  /** A second settling changes nothing. */
  #over(): typeof OVER {
    this.#settle({ kind: 'complete', bytes: this.#length, ...this.#told });
    return OVER;
  }
}

export function heldBody(bytes: Uint8Array, told: Told): Pick<Reply, 'body' | 'ended'> {
  const body = new HeldBody(bytes, told);
  return { body, ended: body.ended };
}
