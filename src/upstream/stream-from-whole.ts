/** Mends a JSON body where a stream was asked for: held until it is whole, then told as the stream of its dialect. */
import { parseClientJson, parseProviderJson } from '../dialect/door.ts';
import { failureOfReply, readerTools } from '../dialect/early-failure.ts';
import type { HubFailure } from '../dialect/hub.ts';
import type { Ending } from '../dialect/shape.ts';
import type { ByteQueue } from '../lib/byte-queue.ts';
import { EventIntake } from './event-intake.ts';
import { HeldBytes } from './held-bytes.ts';
import { type Intake, type IntakeParts, mendedReply, parsedReply } from './intake.ts';

export class StreamFromWhole implements Intake {
  readonly early = false;
  /** Nothing is pushed before the end. */
  readonly holdBytes = 1;
  readonly partial = false;
  /** Its end is the end of its bytes. */
  readonly isClosing = false;
  failure: HubFailure | undefined;
  readonly #parts: IntakeParts;
  readonly #request: Uint8Array;
  readonly #events: EventIntake;
  readonly #held: HeldBytes;

  /** `request`: the call's own body, which says what belongs into its stream. */
  constructor(parts: IntakeParts, request: Uint8Array) {
    this.#parts = parts;
    this.#request = request;
    this.#events = new EventIntake(parts);
    this.#held = new HeldBytes(parts.place);
  }

  get ending(): Ending | undefined {
    return this.#events.ending;
  }

  take(chunk: Uint8Array): void {
    this.#held.add(chunk);
  }

  finish(to: ByteQueue): void {
    const { shape, place, mending } = this.#parts;
    const reply = this.#parsed(this.#held.text());
    let stream: string;
    try {
      this.failure = this.#failureOf(reply);
      if (this.failure !== undefined) return;
      const mended = mendedReply(reply, this.#parts);
      if (mended.kind === 'failed') {
        this.failure = mended.failure;
        return;
      }
      stream = shape.streamOf(mended.reply, parseClientJson(this.#request), mending.tools);
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
