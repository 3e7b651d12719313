/** Waiting for a daemon to change: looks until it has, tells once that it takes long, and gives up in time. */
import type { Clock } from '../lib/clock.ts';
import { onAbort } from '../lib/signals.ts';

/** What a command that tells the daemon to change hands over. */
export interface ChangeOptions {
  /** The control socket. */
  readonly path: string;
  readonly clock: Clock;
  /** How long the daemon has; by default all that it may take, and some for the process itself. */
  readonly ms?: number;
  readonly isAlive?: (pid: number) => boolean;
  /** Called once when it takes longer than a second. */
  readonly onWait?: () => void;
  /** Ends the waiting; the daemon does what it was told. */
  readonly signal?: AbortSignal;
}

export interface Patience {
  readonly clock: Clock;
  readonly ms: number;
  /** Called once, when it takes longer than a person waits without wondering. */
  readonly onWait?: (() => void) | undefined;
  /** Whoever asked waits no longer. */
  readonly signal?: AbortSignal | undefined;
}

/** A question over the socket costs the daemon a millisecond. */
const LOOK_MS = 50;
/** Whoever typed the command wonders by then whether anything happens. */
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
