/**
 * The body of a translated stream: pulls a chunk, gives the events that it comes to. Written by hand, as a generator
 * would keep `return()` waiting behind a `next()` that waits for the upstream.
 */
import type { Outcome, Reply } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import { failureError } from './failure.ts';
import type { HubEnding, HubEvent, HubUsage } from './hub.ts';
import type { StreamRestorer } from './emulate/stage.ts';
import type { EventReader } from './framing/framing.ts';
import type { Origin } from './origin.ts';
import type { StreamReader, StreamWriter } from './shape.ts';
import { sseBytes } from './framing/sse.ts';
import type { StreamEvent } from './framing/stream-event.ts';

/**
 * Open: pulling. Broken: what came before the failure is out, the failure is next. Drained: the upstream has ended
 * well. Closed: over, or left.
 */
type State =
  | { readonly kind: 'open' }
  | { readonly kind: 'broken'; readonly error: ClawError }
  | { readonly kind: 'drained' }
  | { readonly kind: 'closed' };

interface End {
  readonly finish: HubEnding;
  readonly usage?: HubUsage;
}

/** What the bytes of the upstream go through, in this order. */
export interface TranslatedParts {
  readonly events: EventReader;
  readonly reader: StreamReader;
  readonly restorer: StreamRestorer | undefined;
  readonly writer: StreamWriter;
  readonly origin: Origin;
}

const OVER = { done: true, value: undefined } as const;

export class TranslatedBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly ended: Promise<Outcome>;
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #parts: TranslatedParts;
  #settle: (outcome: Outcome) => void = () => {};
  #state: State = { kind: 'open' };
  #isPulling = false;
  #bytes = 0;
  /** Set once the answer's end has been written: whatever happens after it, the client has it whole. */
  #end: End | undefined;

  constructor(reply: Pick<Reply, 'body' | 'ended'>, parts: TranslatedParts) {
    this.#source = reply.body[Symbol.asyncIterator]();
    this.#parts = parts;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
    // The upstream's side may end while nobody pulls here, as when the call is aborted.
    void reply.ended.then((outcome) => {
      if (outcome.kind !== 'complete' && this.#end === undefined)
        this.#settle({ ...outcome, bytes: this.#bytes });
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** One at a time, as `for await` does. */
  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      if (this.#state.kind === 'closed') return OVER;
      if (this.#state.kind === 'broken') throw this.#fail(this.#state.error);
      if (this.#state.kind === 'drained') return this.#complete();
      const text = await this.#pull();
      if (text === undefined || text === '') continue;
      const value = sseBytes(text);
      this.#bytes += value.length;
      return { done: false, value };
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    const wasPulling = this.#isPulling;
    if (this.#state.kind === 'closed') return OVER;
    this.#close(this.#whole() ?? { kind: 'cancelled', bytes: this.#bytes });
    const left = this.#leave();
    // While the source waits it may take its leave only when its own wait ends.
    if (!wasPulling) await left;
    return OVER;
  }

  /** The events of the next chunk; undefined where the state says what is next. */
  async #pull(): Promise<string | undefined> {
    let read: IteratorResult<Uint8Array>;
    this.#isPulling = true;
    try {
      read = await this.#source.next();
    } catch (error) {
      this.#break(error);
      return undefined;
    } finally {
      this.#isPulling = false;
    }
    // Left while it waited.
    if (this.#state.kind !== 'open') return undefined;
    const { events } = this.#parts;
    return read.done === true ? this.#translateEnd() : this.#translate(() => events.read(read.value));
  }

  #translateEnd(): string {
    const { events, reader } = this.#parts;
    const text = this.#translate(() => events.end());
    if (this.#state.kind !== 'open') return text;
    try {
      const last = this.#write(reader.end());
      this.#state = { kind: 'drained' };
      return text + last;
    } catch (error) {
      this.#break(this.#parts.origin.named(error));
      return text;
    }
  }

  #translate(events: () => readonly StreamEvent[]): string {
    let text = '';
    try {
      for (const { data, name } of events()) {
        for (const event of this.#parts.reader.read(data, name)) text += this.#write([event]);
      }
      // The rest of the upstream's answer is not part of the client's: whoever generates it can stop.
      if (this.#parts.restorer?.isOver === true) this.#state = { kind: 'drained' };
    } catch (error) {
      this.#break(this.#parts.origin.named(error));
    }
    return text;
  }

  #write(events: readonly HubEvent[]): string {
    const { restorer, writer } = this.#parts;
    let text = '';
    for (const event of events) {
      if (restorer?.isOver === true) break;
      if (event.type === 'failed') throw failureError(event.failure);
      for (const told of restorer === undefined ? [event] : restorer.restore(event)) {
        text += writer.write(told);
        if (told.type === 'finished') this.#end = { ...told, finish: told.ending };
      }
    }
    return text;
  }

  #break(error: unknown): void {
    if (this.#state.kind !== 'open') return;
    if (this.#end !== undefined) {
      this.#state = { kind: 'drained' };
      return;
    }
    this.#state = {
      kind: 'broken',
      error: ClawError.from(error, 'internal', 'the stream could not be translated'),
    };
  }

  #fail(error: ClawError): ClawError {
    this.#close({ kind: 'failed', bytes: this.#bytes, error });
    void this.#leave();
    return error;
  }

  #complete(): IteratorResult<Uint8Array, undefined> {
    this.#close(this.#whole() ?? { kind: 'complete', bytes: this.#bytes });
    void this.#leave();
    return OVER;
  }

  #close(outcome: Outcome): void {
    this.#state = { kind: 'closed' };
    this.#settle(outcome);
  }

  #whole(): Outcome | undefined {
    if (this.#end === undefined) return undefined;
    const { finish, usage } = this.#end;
    const outcome = { kind: 'complete', bytes: this.#bytes, finish } as const;
    if (usage === undefined) return outcome;
    return { ...outcome, usage: { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens } };
  }

  /** Frees the source. It has nobody left to tell a failure to. */
  async #leave(): Promise<void> {
    try {
      await this.#source.return?.();
    } catch {
      // The answer's outcome is settled already.
    }
  }
}
