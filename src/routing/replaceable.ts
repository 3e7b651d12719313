/** A reply that another one can still take the place of: until something of its answer has passed, nobody can tell. */
import type { Outcome, Reply } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import { PRELUDE_BYTES_MAX } from '../core/limits.ts';
import { changed } from '../lib/changed.ts';

/**
 * `instead` is asked once, for what breaks before the answer begins; it throws where there is nothing else to try. What
 * comes before that is kept back: two streams of which both begin make no sense to a client.
 */
export function replaceable(
  reply: Reply,
  isPrelude: (chunk: Uint8Array) => boolean,
  instead: (error: ClawError) => Promise<Reply>,
): Reply {
  const body = new ReplaceableBody(reply, isPrelude, instead);
  return changed(reply, { body, ended: body.ended });
}

type Chunk = IteratorResult<Uint8Array, undefined>;

class ReplaceableBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly ended: Promise<Outcome>;
  readonly #isPrelude: (chunk: Uint8Array) => boolean;
  readonly #instead: (error: ClawError) => Promise<Reply>;
  #reply: Reply;
  #source: AsyncIterator<Uint8Array>;
  #state: 'replaceable' | 'final' = 'replaceable';
  #settle: (outcome: Outcome) => void = () => {};

  constructor(
    reply: Reply,
    isPrelude: (chunk: Uint8Array) => boolean,
    instead: (error: ClawError) => Promise<Reply>,
  ) {
    this.#reply = reply;
    this.#isPrelude = isPrelude;
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
      return await this.#opening();
    } catch (thrown) {
      broken = ClawError.from(thrown, 'internal', 'the reply broke');
    }
    await this.#replace(broken);
    return this.#pull();
  }

  /** All up to the first chunk with something of the answer in it, in one. */
  async #opening(): Promise<Chunk> {
    const kept: Uint8Array[] = [];
    let keptBytes = 0;
    for (;;) {
      const chunk = await this.#pull();
      if (chunk.done !== true && keptBytes < PRELUDE_BYTES_MAX && this.#isPrelude(chunk.value)) {
        kept.push(chunk.value);
        keptBytes += chunk.value.length;
        continue;
      }
      this.#finally();
      if (kept.length === 0) return chunk;
      return { done: false, value: Buffer.concat(chunk.done === true ? kept : [...kept, chunk.value]) };
    }
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
