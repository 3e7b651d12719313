/** What an owner does with a call before its answer begins, and how `model_progress` says it. */
import type { Progress, Standing } from '../core/call.ts';
import type { ProgressHead } from '../protocol/frame.ts';

const WAITING: Standing = { kind: 'waiting' };

/** One call's, at its owner. */
export class OwnStanding {
  #now: Standing = WAITING;
  #told: Standing = WAITING;

  readonly note = (progress: Progress): void => {
    if (progress.kind !== 'trying' && progress.kind !== 'accepted') this.#now = progress;
  };

  /** Whether there is something that the entry has not been told. */
  get isNew(): boolean {
    return this.#now !== this.#told;
  }

  tell(): ProgressHead {
    this.#told = this.#now;
    return progressHeadOf(this.#now);
  }
}

/** `state` stays the one word that the first builds know; the rest is for those that came after. */
function progressHeadOf(standing: Standing): ProgressHead {
  switch (standing.kind) {
    case 'waiting':
      return { state: 'waiting' };
    case 'loading':
      return { state: 'waiting', doing: 'loading' };
    case 'prefill':
      return { state: 'waiting', doing: 'prefill', done: standing.done, total: standing.total };
  }
}

/** What is not known, or not whole, is a sign of life all the same. */
export function standingOf({ doing, done, total }: ProgressHead): Standing {
  if (doing === 'loading') return { kind: 'loading' };
  if (doing === 'prefill' && done !== undefined && total !== undefined)
    return { kind: 'prefill', done, total };
  return WAITING;
}
