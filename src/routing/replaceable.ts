/** A reply that another one can still take the place of: until its first byte has passed, nobody can tell. */
import type { Outcome, Reply } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import { changed } from '../lib/changed.ts';

/** `instead` is asked once, for what breaks before the first byte; it throws where there is nothing else to try. */
export function replaceable(reply: Reply, instead: (error: ClawError) => Promise<Reply>): Reply {
  const body = new ReplaceableBody(reply, instead);
  return changed(reply, { body, ended: body.ended });
}

type Chunk = IteratorResult<Uint8Array, undefined>;

class ReplaceableBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly ended: Promise<Outcome>;
  readonly #instead: (error: ClawError) => Promise<Reply>;
  #reply: Reply;
  #source: AsyncIterator<Uint8Array>;
  #state: 'replaceable' | 'final' = 'replaceable';
  #settle: (outcome: Outcome) => void = () => {};

  constructor(reply: Reply, instead: (error: ClawError) => Promise<Reply>) {
    this.#reply = reply;
    this.#source = reply.body[Symbol.asyncIterator]();
    this.#instead = instead;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** After the first chunk this is one more call of a function, and no promise. */
  next(): Promise<Chunk> {
    return this.#state === 'final' ? this.#pull() : this.#first();
  }

  async return(): Promise<Chunk> {
    this.#finally();
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  async #first(): Promise<Chunk> {
    let broken: ClawError;
    try {
      const chunk = await this.#pull();
      this.#finally();
      return chunk;
    } catch (thrown) {
      broken = ClawError.from(thrown, 'internal', 'the reply broke');
    }
    await this.#replace(broken);
    return this.#pull();
  }

  async #replace(broken: ClawError): Promise<void> {
    this.#state = 'final';
    try {
      this.#reply = await this.#instead(broken);
    } catch (thrown) {
      const error = ClawError.from(thrown, 'internal', 'the call could not be answered');
      this.#settle({ kind: 'failed', bytes: 0, error });
      throw error;
    }
    this.#source = this.#reply.body[Symbol.asyncIterator]();
    void this.#reply.ended.then(this.#settle);
  }

  /** From now on it is this reply, however it ends. */
  #finally(): void {
    if (this.#state === 'final') return;
    this.#state = 'final';
    void this.#reply.ended.then(this.#settle);
  }

  #pull(): Promise<Chunk> {
    return this.#source.next();
  }
}
