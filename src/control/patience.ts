/** Waiting for a daemon to change: looks until it has, tells once that it takes long, and gives up in time. */
import type { Clock } from '../lib/clock.ts';
import { onAbort } from '../lib/signals.ts';

export interface Patience {
  readonly clock: Clock;
  readonly ms: number;
  /** Called once, when it takes longer than a person waits without wondering. */
  readonly onWait?: (() => void) | undefined;
  /** Whoever asked waits no longer. */
  readonly signal?: AbortSignal | undefined;
}

const LOOK_MS = 50;
const WONDER_MS = 1_000;

/** What `look` has found; undefined where the time was over, or nobody waits for it any more. */
export async function waitFor<T>(
  { clock, ms, onWait, signal }: Patience,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = clock.now() + ms;
  const cancel = clock.after(WONDER_MS, () => onWait?.());
  try {
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (clock.now() > deadline || signal?.aborted === true) return undefined;
      await pause(clock, LOOK_MS, signal);
    }
  } finally {
    cancel();
  }
}

/** Also over when the signal aborts. */
export function pause(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      unlink();
      resolve();
    };
    const cancel = clock.after(ms, end);
    let unlink = () => {};
    if (signal !== undefined) unlink = onAbort(signal, end);
  });
}
