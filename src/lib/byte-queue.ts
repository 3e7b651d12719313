/** A body that is pulled: one producer that pushes, one consumer that iterates. Knows nothing of what the bytes mean. */

export interface ByteQueueOwner {
  /** Bytes have just been handed to the consumer: the producer may go on by as many. */
  onTaken(bytes: number): void;
  /** The consumer left before the end. */
  onLeft(): void;
}

type State =
  | { kind: 'open' }
  | { kind: 'ended' }
  | { kind: 'failed'; error: Error }
  /** Nobody will read any more. */
  | { kind: 'left' };

/**
 * Everything that waits is handed over in one piece: a consumer that was slow for a moment gets one buffer and makes
 * one write, and the cost of a turn does not depend on how many chunks came in it.
 */
export class ByteQueue implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #owner: ByteQueueOwner;
  #state: State = { kind: 'open' };
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #waiting:
    { resolve(result: IteratorResult<Uint8Array, undefined>): void; reject(error: Error): void } | undefined;

  constructor(owner: ByteQueueOwner) {
    this.#owner = owner;
  }

  /** Bytes pushed and not yet taken. */
  get queuedBytes(): number {
    return this.#bytes;
  }

  /** Takes a chunk over from the producer; one that comes after the end or to nobody is dropped. */
  push(chunk: Uint8Array): void {
    if (this.#state.kind !== 'open' || chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#settle();
  }

  end(): void {
    if (this.#state.kind !== 'open') return;
    this.#state = { kind: 'ended' };
    this.#settle();
  }

  /** What was pushed before is still delivered; then the consumer gets the error. */
  fail(error: Error): void {
    if (this.#state.kind !== 'open') return;
    this.#state = { kind: 'failed', error };
    this.#settle();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#settle();
    });
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    const over = this.#state.kind !== 'open' && this.#bytes === 0;
    this.#state = { kind: 'left' };
    this.#chunks = [];
    this.#bytes = 0;
    this.#settle();
    if (!over) this.#owner.onLeft();
    return Promise.resolve({ done: true, value: undefined });
  }

  #settle(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    if (this.#bytes > 0) {
      this.#waiting = undefined;
      const taken = this.#takeAll();
      waiting.resolve({ done: false, value: taken });
      this.#owner.onTaken(taken.length);
      return;
    }
    if (this.#state.kind === 'open') return;
    this.#waiting = undefined;
    if (this.#state.kind === 'failed') {
      const { error } = this.#state;
      this.#state = { kind: 'left' };
      waiting.reject(error);
    } else {
      waiting.resolve({ done: true, value: undefined });
    }
  }

  #takeAll(): Uint8Array {
    const [first] = this.#chunks;
    const all =
      this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks, this.#bytes);
    this.#chunks = [];
    this.#bytes = 0;
    return all;
  }
}
