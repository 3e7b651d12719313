/** Linking of abort signals, with the unlinking that `AbortSignal.any` lacks. */

export interface LinkedSignal {
  readonly signal: AbortSignal;
  /** Aborts the linked signal alone; its parents are not touched. */
  abort(reason: unknown): void;
  /** Takes the listeners off the parents again. Must be called once the work is over. */
  done(): void;
}

/**
 * A signal that aborts when any parent does.
 * Not `AbortSignal.any`: with a parent that lives as long as the process, it keeps every child alive
 * (nodejs/node#54614).
 */
export function linkSignals(...parents: readonly AbortSignal[]): LinkedSignal {
  const controller = new AbortController();
  const listeners: (() => void)[] = [];
  const done = () => {
    for (const unlisten of listeners.splice(0)) unlisten();
  };
  for (const parent of parents) {
    if (parent.aborted) {
      controller.abort(parent.reason);
      break;
    }
    const onAbort = () => {
      done();
      controller.abort(parent.reason);
    };
    parent.addEventListener('abort', onAbort, { once: true });
    listeners.push(() => parent.removeEventListener('abort', onAbort));
  }
  if (controller.signal.aborted) done();
  return {
    signal: controller.signal,
    abort: (reason) => {
      done();
      controller.abort(reason);
    },
    done,
  };
}

/** Runs `run` when `signal` aborts, at once if it already has; returns the unlinking. */
export function onAbort(signal: AbortSignal, run: (reason: unknown) => void): () => void {
  if (signal.aborted) {
    run(signal.reason);
    return () => {};
  }
  const listener = () => run(signal.reason);
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
