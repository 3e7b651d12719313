/** Mends a JSON body where a stream was asked for: held until it is whole, then told as the stream of its dialect. */
import { parseClientJson, parseProviderJson } from '../dialect/door.ts';
import { failureOfReply, readerTools } from '../dialect/early-failure.ts';
import type { HubFailure } from '../dialect/hub.ts';
import type { DialectShape, Ending } from '../dialect/shape.ts';
import type { ByteQueue } from '../lib/byte-queue.ts';
import { HeldBytes } from './held-bytes.ts';
import { EventIntake, type Intake, parsedReply } from './intake.ts';
import type { Place } from './place.ts';

export interface MendParts {
  readonly shape: DialectShape;
  readonly eventBytesMax: number;
  readonly place: Place;
}

export class StreamFromWhole implements Intake {
  readonly early = false;
  /** Nothing is pushed before the end. */
  readonly holdBytes = 1;
  readonly partial = false;
  failure: HubFailure | undefined;
  readonly #parts: MendParts;
  readonly #request: Uint8Array;
  readonly #events: EventIntake;
  readonly #held: HeldBytes;

  /** `request`: the call's own body, which says what belongs into its stream. */
  constructor(parts: MendParts, request: Uint8Array) {
    const { shape, eventBytesMax, place } = parts;
    this.#parts = parts;
    this.#request = request;
    this.#events = new EventIntake(shape, eventBytesMax, place);
    this.#held = new HeldBytes(place);
  }

  get ending(): Ending | undefined {
    return this.#events.ending;
  }

  take(chunk: Uint8Array): void {
    this.#held.add(chunk);
  }

  finish(to: ByteQueue): void {
    const { shape, place } = this.#parts;
    const reply = this.#parsed(this.#held.text());
    let stream: string;
    try {
      this.failure = this.#failureOf(reply);
      if (this.failure !== undefined) return;
      stream = shape.streamOf(reply, parseClientJson(this.#request));
    } catch (error) {
      throw place.fault(error);
    }
    this.#events.take(Buffer.from(stream), to);
    this.#events.finish(to);
  }

  /** Bounded in its depth, as it is written again. */
  #parsed(text: string): unknown {
    const { place } = this.#parts;
    try {
      return parseProviderJson(text, 'reply');
    } catch (error) {
      // Half a reply has an error of its own.
      parsedReply(text, place);
      throw place.fault(error);
    }
  }

  /** What the dialect calls a failure is one here, too: of its answer nothing has been told yet. */
  #failureOf(reply: unknown): HubFailure | undefined {
    const said = failureOfReply(reply);
    if (said !== undefined) return said;
    const read = this.#parts.shape.readReply(reply, readerTools(this.#parts.eventBytesMax));
    return read.kind === 'failed' ? read.failure : undefined;
  }
}
