/** Several menders, one behind the other, as one. */
import { NOTHING } from '../framing/bytes.ts';
import type { HubFailure } from '../hub.ts';
import type { StreamMender } from '../shape.ts';

export class MenderChain implements StreamMender {
  failure: HubFailure | undefined;
  lastWords: HubFailure | undefined;
  isQuiet = false;
  readonly #menders: readonly StreamMender[];

  constructor(menders: readonly StreamMender[]) {
    this.#menders = menders;
  }

  mend(events: Uint8Array): Uint8Array {
    let mended = events;
    let isQuiet = true;
    for (const mender of this.#menders) {
      mended = mender.mend(mended);
      isQuiet &&= mender.isQuiet;
    }
    this.isQuiet = isQuiet;
    // Where no sign of an end was, none has failed.
    if (!isQuiet) this.#note();
    return mended;
  }

  /** What one has kept back goes through those behind it, before they end themselves. */
  end(): Uint8Array {
    let kept = NOTHING;
    for (const mender of this.#menders) kept = Buffer.concat([mender.mend(kept), mender.end()]);
    this.#note();
    return kept;
  }

  #note(): void {
    this.failure = this.#menders.find(({ failure }) => failure !== undefined)?.failure;
    this.lastWords = this.#menders.find(({ lastWords }) => lastWords !== undefined)?.lastWords;
  }
}
