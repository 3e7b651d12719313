/** What happens when an abort signal aborts, and the unlinking that it needs. */

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
