/** Several menders, one behind the other, as one. */
import { NOTHING } from '../framing/bytes.ts';
import type { HubFailure } from '../hub.ts';
import type { StreamMender } from '../shape.ts';

export class MenderChain implements StreamMender {
  readonly #menders: readonly StreamMender[];

  constructor(menders: readonly StreamMender[]) {
    this.#menders = menders;
  }

  get failure(): HubFailure | undefined {
    for (const { failure } of this.#menders) if (failure !== undefined) return failure;
    return undefined;
  }

  get lastWords(): HubFailure | undefined {
    for (const { lastWords } of this.#menders) if (lastWords !== undefined) return lastWords;
    return undefined;
  }

  get isQuiet(): boolean {
    for (const { isQuiet } of this.#menders) if (!isQuiet) return false;
    return true;
  }

  mend(events: Uint8Array): Uint8Array {
    let mended = events;
    for (const mender of this.#menders) mended = mender.mend(mended);
    return mended;
  }

  /** What one has kept back goes through those behind it, before they end themselves. */
  end(): Uint8Array {
    let kept = NOTHING;
    for (const mender of this.#menders) kept = Buffer.concat([mender.mend(kept), mender.end()]);
    return kept;
  }
}
