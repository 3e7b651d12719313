/** What is made of an upstream's reply on its way to the reader: one class for each form of reply. */
import { ClawError } from '../core/errors.ts';
import { ERROR_BODY_BYTES_MAX, JSON_REPLY_BYTES_MAX, WINDOW_BYTES_MAX } from '../core/limits.ts';
import { EventFramer } from '../dialect/event-framer.ts';
import type { DialectShape, Ending, StreamWatch } from '../dialect/shape.ts';
import type { ByteQueue } from '../lib/byte-queue.ts';
import { endsByClosing, type HttpHead } from './head.ts';
import type { Place } from './place.ts';

export interface Intake {
  /**
   * The reply is handed over once this many bytes wait or it is whole: what breaks before is an error with a status of
   * its own, and another owner may be tried. None: it is handed over with its head.
   */
  readonly holdBytes: number;
  /** What has come will do when the rest does not. */
  readonly partial: boolean;
  /** Set once the dialect's own end has passed. */
  readonly ending: Ending | undefined;
  /** Pushes what the reader may have. Throws a `ClawError` where the reply is broken. */
  take(chunk: Uint8Array, to: ByteQueue): void;
  /** All bytes have come, as HTTP counts them. Throws where the reply lacks its end all the same. */
  finish(to: ByteQueue): void;
}

/** A stream: whole events, watched as they pass. */
export class EventIntake implements Intake {
  readonly holdBytes = 0;
  readonly partial = false;
  readonly #framer: EventFramer;
  readonly #watch: StreamWatch;
  readonly #place: Place;

  constructor(shape: DialectShape, eventBytesMax: number, place: Place) {
    this.#framer = new EventFramer(eventBytesMax);
    this.#watch = shape.watch();
    this.#place = place;
  }

  get ending(): Ending | undefined {
    return this.#watch.ending;
  }

  take(chunk: Uint8Array, to: ByteQueue): void {
    let events: Uint8Array;
    try {
      events = this.#framer.push(chunk);
    } catch (error) {
      throw this.#named(error);
    }
    this.#pass(events, to);
  }

  finish(to: ByteQueue): void {
    this.#pass(this.#framer.finish(), to);
    if (this.ending === undefined)
      throw new ClawError(
        'upstream_truncated',
        this.#place.say('the upstream stopped before its answer was complete: what came is not the whole'),
      );
  }

  #pass(events: Uint8Array, to: ByteQueue): void {
    if (events.length === 0) return;
    const clean = this.#place.clean(events);
    this.#watch.see(clean);
    to.push(clean);
  }

  #named(error: unknown): ClawError {
    const { code, message } = ClawError.from(error, 'upstream_protocol', 'the stream cannot be read');
    return new ClawError(code, this.#place.say(message), { cause: error });
  }
}

/** A whole JSON reply. One that fits the window is handed over whole, and so never as a part. */
export class JsonIntake implements Intake {
  readonly holdBytes: number;
  readonly partial = false;
  ending: Ending | undefined;
  readonly #shape: DialectShape;
  readonly #place: Place;
  readonly #toClose: boolean;
  /** The same chunks that wait in the queue; dropped once they are too many to look into. */
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(head: HttpHead, shape: DialectShape, place: Place) {
    // There nothing but the JSON itself tells a whole one from a part.
    this.#toClose = endsByClosing(head);
    this.holdBytes = this.#toClose ? JSON_REPLY_BYTES_MAX : WINDOW_BYTES_MAX;
    this.#shape = shape;
    this.#place = place;
  }

  take(bytes: Uint8Array, to: ByteQueue): void {
    const chunk = this.#place.clean(bytes);
    this.#bytes += chunk.length;
    if (this.#bytes <= this.holdBytes) this.#chunks.push(chunk);
    else if (this.#toClose)
      throw this.#fault('upstream_protocol', 'sent a reply of no stated length, too long to check');
    else this.#chunks = [];
    to.push(chunk);
  }

  finish(): void {
    if (this.#bytes > this.holdBytes) return;
    const text = Buffer.concat(this.#chunks, this.#bytes).toString();
    let reply: unknown;
    try {
      reply = JSON.parse(text);
    } catch {
      throw /^\s*\{/.test(text)
        ? this.#fault('upstream_truncated', 'sent half a JSON reply')
        : this.#fault(
            'upstream_protocol',
            `answered with ${text === '' ? 'an empty body' : 'something that is no JSON'}`,
          );
    }
    this.ending = this.#shape.endingOf(reply);
  }

  #fault(code: 'upstream_truncated' | 'upstream_protocol', what: string): ClawError {
    return new ClawError(code, this.#place.say(`the upstream ${what}`));
  }
}

/** The text of a refusal: read as far as it goes, to be told again. */
export class TextIntake implements Intake {
  readonly holdBytes = ERROR_BODY_BYTES_MAX;
  readonly partial = true;
  readonly ending = undefined;

  take(chunk: Uint8Array, to: ByteQueue): void {
    to.push(chunk);
  }

  finish(): void {}
}
