/** How a reply begins: all up to the first word of its answer in one piece, or what there is of that after a while. */
import { PRELUDE_BYTES_MAX, PRELUDE_MS } from '../core/limits.ts';
import type { Cancel, Clock } from '../lib/clock.ts';

export type Chunk = IteratorResult<Uint8Array, undefined>;

export interface OpeningParts {
  readonly clock: Clock;
  /** Whether a chunk holds nothing of the answer yet. */
  readonly isPrelude: (chunk: Uint8Array) => boolean;
}

export class Opening {
  readonly #source: AsyncIterator<Uint8Array, undefined>;
  readonly #parts: OpeningParts;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #next: Promise<Chunk> | undefined;
  #cancel: Cancel = () => {};
  #resolve: (opening: Chunk) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #state: 'reading' | 'over' = 'reading';

  constructor(source: AsyncIterator<Uint8Array, undefined>, parts: OpeningParts) {
    this.#source = source;
    this.#parts = parts;
  }

  /** Rejects with what broke the reply before its answer began. */
  read(): Promise<Chunk> {
    const opening = new Promise<Chunk>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#pull();
    return opening;
  }

  /** The chunk that was asked for when the while was over, and belongs behind the opening. */
  get next(): Promise<Chunk> | undefined {
    return this.#next;
  }

  #pull(): void {
    this.#next = this.#source.next();
    this.#next.then(
      (chunk) => this.#came(chunk),
      (error: unknown) => this.#broke(error),
    );
  }

  #came(chunk: Chunk): void {
    if (this.#state === 'over') return;
    this.#next = undefined;
    const isKept =
      chunk.done !== true && this.#keptBytes < PRELUDE_BYTES_MAX && this.#parts.isPrelude(chunk.value);
    if (!isKept) return this.#open(chunk);
    this.#kept.push(chunk.value);
    this.#keptBytes += chunk.value.length;
    // A client that waits for the first word should still see that its answer has begun.
    if (this.#kept.length === 1) this.#cancel = this.#parts.clock.after(PRELUDE_MS, () => this.#open());
    this.#pull();
  }

  #broke(error: unknown): void {
    if (this.#state === 'over') return;
    this.#end();
    this.#next = undefined;
    this.#reject(error);
  }

  /** `chunk`: what came behind the prelude; none where the while is over. */
  #open(chunk?: Chunk): void {
    const kept = this.#end();
    if (chunk !== undefined && kept.length === 0) return this.#resolve(chunk);
    const rest = chunk === undefined || chunk.done === true ? [] : [chunk.value];
    this.#resolve({ done: false, value: Buffer.concat([...kept, ...rest]) });
  }

  /** What was kept goes out with it: the stream behind it may be a long one. */
  #end(): readonly Uint8Array[] {
    this.#state = 'over';
    this.#cancel();
    const kept = this.#kept;
    this.#kept = [];
    return kept;
  }
}
