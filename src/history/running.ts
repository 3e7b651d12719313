/** The streams that are on their way to clients: some have ended already for those who read them. */
import type { RunningStream, Told } from '../core/history.ts';
import type { JsonObject } from '../lib/json.ts';
import { begunIn, endedIn } from './told.ts';

interface Entry {
  readonly stream: RunningStream;
  readonly keep: (told: Told) => void;
  /** The last bytes that were looked into: one request may refer to thousands of things that nobody knows. */
  seen?: Uint8Array | undefined;
}

export class RunningStreams {
  readonly #entries = new Set<Entry>();

  /** Returns what takes it out again. `keep` is asked for an answer whose end has passed. */
  add(stream: RunningStream, keep: (told: Told) => void): () => void {
    const entry: Entry = { stream, keep };
    this.#entries.add(entry);
    return () => void this.#entries.delete(entry);
  }

  /**
   * A client goes on as soon as it has read the last event, and what its upstream says behind that may still be awaited
   * here: whoever looks for what is not kept yet has all of these kept first.
   */
  settle(): void {
    for (const entry of this.#entries) {
      const told = entry.stream.told();
      const latest = told.bytes.at(-1);
      if (latest === entry.seen) continue;
      entry.seen = latest;
      if (endedIn(told) === undefined) continue;
      this.#entries.delete(entry);
      entry.keep(told);
    }
  }

  /** Undefined where none of them is it, or its end has passed. */
  cancel(id: string): JsonObject | undefined {
    for (const { stream } of this.#entries) {
      const begun = stream.begun();
      const response = begun === undefined ? undefined : begunIn(begun);
      if (response?.id !== id || endedIn(stream.told()) !== undefined) continue;
      stream.cut();
      return { ...response, status: 'cancelled' };
    }
    return undefined;
  }
}
