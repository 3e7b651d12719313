/** What is made of an upstream's reply on its way to the reader: one class for each form of reply that needs no mending. */
import { ClawError } from '../core/errors.ts';
import { ERROR_BODY_BYTES_MAX, JSON_REPLY_BYTES_MAX, WINDOW_BYTES_MAX } from '../core/limits.ts';
import { asBuffer } from '../dialect/bytes.ts';
import { failureAmong, failureOfReply, failureOfStart } from '../dialect/early-failure.ts';
import { EventFramer } from '../dialect/event-framer.ts';
import type { HubFailure } from '../dialect/hub.ts';
import type { DialectShape, Ending, StreamMender, StreamWatch } from '../dialect/shape.ts';
import type { ByteQueue } from '../lib/byte-queue.ts';
import { endsByClosing, type HttpHead } from './head.ts';
import type { Place } from './place.ts';
import { toldFailure } from './told-failure.ts';

export interface Intake {
  /**
   * The reply is handed over once this many bytes wait or it is whole: what breaks before is an error with a status of
   * its own, and another owner may be tried. None: it is handed over with what there is.
   */
  readonly holdBytes: number;
  /**
   * The head alone is handed over too, at the end of the turn in which it came: a client sees at once that its call was
   * taken, and a server that begins with an error mostly does so in the same packet.
   */
  readonly early: boolean;
  /** What has come will do when the rest does not. */
  readonly partial: boolean;
  /** Set once the dialect's own end has passed. */
  readonly ending: Ending | undefined;
  /** What the upstream said in place of an answer, though its status says success. Nothing is pushed then. */
  readonly failure: HubFailure | undefined;
  /** Pushes what the reader may have. Throws a `ClawError` where the reply is broken. */
  take(chunk: Uint8Array, to: ByteQueue): void;
  /** What the upstream has said of its own failure, asked for where the stream breaks behind that. */
  lastWords?(): HubFailure | undefined;
  /** All bytes have come, as HTTP counts them. Throws where the reply lacks its end all the same. */
  finish(to: ByteQueue): void;
}

const DATA = Buffer.from('data');
/** How an upstream that ends its stream with an error is told of. */
export const BROKE_OFF = 'the upstream broke off its answer with an error';

const BOM = Buffer.from('\ufeff');

/** A stream: whole events, watched as they pass. One that begins with an error is a failure, and nothing of it passes. */
export class EventIntake implements Intake {
  readonly early = true;
  readonly partial = false;
  failure: HubFailure | undefined;
  readonly #framer: EventFramer;
  readonly #shape: DialectShape;
  readonly #mender: StreamMender | undefined;
  readonly #watch: StreamWatch;
  readonly #place: Place;
  #state: 'new' | 'silent' | 'telling' = 'new';
  /** By reference: looked into only when the stream breaks. */
  #latest: Uint8Array | undefined;

  constructor(shape: DialectShape, eventBytesMax: number, place: Place) {
    this.#framer = new EventFramer(eventBytesMax);
    this.#shape = shape;
    this.#mender = shape.mender();
    this.#watch = shape.watch();
    this.#place = place;
  }

  get holdBytes(): number {
    return this.#state === 'telling' ? 0 : WINDOW_BYTES_MAX;
  }

  get ending(): Ending | undefined {
    return this.#watch.ending;
  }

  take(chunk: Uint8Array, to: ByteQueue): void {
    let events: Uint8Array;
    try {
      events = this.#framer.push(chunk);
    } catch (error) {
      throw this.#place.fault(error);
    }
    this.#pass(events, to);
  }

  finish(to: ByteQueue): void {
    this.#pass(this.#framer.finish(), to);
    if (this.ending !== undefined || this.failure !== undefined) return;
    const said = this.lastWords();
    if (said !== undefined) throw toldFailure(said, this.#place, BROKE_OFF);
    throw new ClawError(
      'upstream_truncated',
      this.#place.say('the upstream stopped before its answer was complete: what came is not the whole'),
    );
  }

  lastWords(): HubFailure | undefined {
    return this.#latest === undefined ? undefined : failureAmong(this.#latest, this.#shape);
  }

  #pass(events: Uint8Array, to: ByteQueue): void {
    if (events.length === 0 || this.failure !== undefined) return;
    const clean = this.#place.clean(events);
    const begun = this.#state === 'telling' ? clean : this.#begin(clean);
    if (begun === undefined) return;
    const told = this.#mender === undefined ? begun : this.#mender.mend(begun);
    this.#watch.see(told);
    this.#latest = told;
    to.push(told);
  }

  /** Nothing where the stream begins with a failure. */
  #begin(events: Uint8Array): Uint8Array | undefined {
    // Some clients take a byte order mark for a part of the first field's name, and lose that event.
    const hasMark = this.#state === 'new' && asBuffer(events).subarray(0, BOM.length).equals(BOM);
    const bytes = hasMark ? events.subarray(BOM.length) : events;
    this.#state = asBuffer(bytes).includes(DATA) ? 'telling' : 'silent';
    if (this.#state === 'telling') this.failure = failureOfStart(bytes, this.#shape);
    return this.failure === undefined ? bytes : undefined;
  }
}

/** A whole JSON reply. One that fits the window is handed over whole, and so never as a part. */
export class JsonIntake implements Intake {
  readonly early = false;
  readonly holdBytes: number;
  readonly partial = false;
  ending: Ending | undefined;
  failure: HubFailure | undefined;
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
      throw new ClawError(
        'upstream_protocol',
        this.#place.say('the upstream sent a reply of no stated length, too long to check'),
      );
    else this.#chunks = [];
    to.push(chunk);
  }

  finish(): void {
    if (this.#bytes > this.holdBytes) return;
    const reply = parsedReply(Buffer.concat(this.#chunks, this.#bytes).toString(), this.#place);
    this.failure = failureOfReply(reply);
    this.ending = this.#shape.endingOf(reply);
  }
}

/** The JSON of a whole reply; an end in the middle is told apart from what is no JSON at all. */
export function parsedReply(text: string, place: Place): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const fault = (code: 'upstream_truncated' | 'upstream_protocol', what: string) =>
      new ClawError(code, place.say(`the upstream ${what}`), { cause: error });
    if (isLines(text))
      throw fault(
        'upstream_protocol',
        "sent several JSON values, one a line, as Ollama's own API does: is its baseUrl the one that ends in /v1?",
      );
    if (/^\s*\{/.test(text)) throw fault('upstream_truncated', 'sent half a JSON reply');
    const what = text.trim() === '' ? 'an empty body' : 'something that is no JSON';
    throw fault('upstream_protocol', `answered with ${what}`);
  }
}

/** The first line is JSON by itself, and more follows. */
function isLines(text: string): boolean {
  const [first = '', ...more] = text.trim().split('\n', 2);
  if (more.length === 0) return false;
  try {
    JSON.parse(first);
    return true;
  } catch {
    return false;
  }
}

/** The text of a refusal: read as far as it goes, to be told again. */
export class TextIntake implements Intake {
  readonly early = false;
  readonly holdBytes = ERROR_BODY_BYTES_MAX;
  readonly partial = true;
  readonly ending = undefined;
  readonly failure = undefined;

  take(chunk: Uint8Array, to: ByteQueue): void {
    to.push(chunk);
  }

  finish(): void {}
}
