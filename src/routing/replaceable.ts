/** A reply that another one can still take the place of: until something of its answer has passed, nobody can tell. */
import type { Outcome, Reply } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import { changed } from '../lib/changed.ts';
import { type Chunk, Opening, type OpeningParts } from './opening.ts';

/**
 * `instead` is asked once, for what breaks before the answer begins; it throws where there is nothing else to try. What
 * comes before that is kept back for a while: two streams of which both begin make no sense to a client.
 */
export function replaceable(
  reply: Reply,
  opening: OpeningParts,
  instead: (error: ClawError) => Promise<Reply>,
): Reply {
  const body = new ReplaceableBody(reply, opening, instead);
  return changed(reply, { body, ended: body.ended });
}

class ReplaceableBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly ended: Promise<Outcome>;
  readonly #instead: (error: ClawError) => Promise<Reply>;
  readonly #opening: Opening;
  #reply: Reply;
  #source: AsyncIterator<Uint8Array>;
  /** Asked for already, and not handed over yet. */
  #asked: Promise<Chunk> | undefined;
  #state: 'replaceable' | 'final' = 'replaceable';
  #settle: (outcome: Outcome) => void = () => {};

  constructor(reply: Reply, opening: OpeningParts, instead: (error: ClawError) => Promise<Reply>) {
    this.#reply = reply;
    this.#source = reply.body[Symbol.asyncIterator]();
    this.#opening = new Opening(this.#source, opening);
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
      const opening = await this.#opening.read();
      this.#asked = this.#opening.next;
      this.#finally();
      return opening;
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
    const asked = this.#asked;
    if (asked === undefined) return this.#source.next();
    this.#asked = undefined;
    return asked;
  }
}
