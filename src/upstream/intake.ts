/** What is made of an upstream's reply on its way to the reader, and the forms of it that are no stream. */
import { ClawError } from '../core/errors.ts';
import { ERROR_BODY_BYTES_MAX, JSON_REPLY_BYTES_MAX, WINDOW_BYTES_MAX } from '../core/limits.ts';
import { failureOfReply } from '../dialect/early-failure.ts';
import type { HubFailure } from '../dialect/hub.ts';
import type { DialectShape, Ending, MendedReply, Mending } from '../dialect/shape.ts';
import type { ByteQueue } from '../lib/byte-queue.ts';
import { endsByClosing, type HttpHead } from './head.ts';
import type { Place } from './place.ts';

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
  /** Nothing that counts is to come any more: it is not waited for long. */
  readonly isClosing: boolean;
  /** What the upstream said in place of an answer, though its status says success. Nothing is pushed then. */
  readonly failure: HubFailure | undefined;
  /** Pushes what the reader may have. Throws a `ClawError` where the reply is broken. */
  take(chunk: Uint8Array, to: ByteQueue): void;
  /** What the upstream has said of its own failure, asked for where the stream breaks behind that. */
  lastWords?(): HubFailure | undefined;
  /** All bytes have come, as HTTP counts them. Throws where the reply lacks its end all the same. */
  finish(to: ByteQueue): void;
}

/** What every intake that understands its reply has to know. */
export interface IntakeParts {
  readonly shape: DialectShape;
  readonly eventBytesMax: number;
  readonly place: Place;
  readonly mending: Mending;
}

/** Takes out of whole events what the watch is to see and the reader not. */
export type Trim = (events: Uint8Array) => Uint8Array;

/** A whole JSON reply. One that fits the window is handed over whole, and so never as a part; a longer one is not mended. */
export class JsonIntake implements Intake {
  readonly early = false;
  readonly holdBytes: number;
  readonly partial = false;
  /** Its end is the end of its bytes. */
  readonly isClosing = false;
  ending: Ending | undefined;
  failure: HubFailure | undefined;
  readonly #parts: IntakeParts;
  readonly #toClose: boolean;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(head: HttpHead, parts: IntakeParts) {
    // There nothing but the JSON itself tells a whole one from a part.
    this.#toClose = endsByClosing(head);
    this.holdBytes = this.#toClose ? JSON_REPLY_BYTES_MAX : WINDOW_BYTES_MAX;
    this.#parts = parts;
  }

  take(bytes: Uint8Array, to: ByteQueue): void {
    const { place } = this.#parts;
    const chunk = place.clean(bytes);
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    if (this.#bytes <= this.holdBytes) return;
    if (this.#toClose)
      throw new ClawError(
        'upstream_protocol',
        place.say('the upstream sent a reply of no stated length, too long to check'),
      );
    this.#letGo(to);
  }

  finish(to: ByteQueue): void {
    if (this.#bytes > this.holdBytes) return;
    const reply = parsedReply(Buffer.concat(this.#chunks, this.#bytes).toString(), this.#parts.place);
    this.failure = failureOfReply(reply);
    if (this.failure !== undefined) return;
    const mended = mendedReply(reply, this.#parts);
    if (mended.kind === 'failed') {
      this.failure = mended.failure;
      return;
    }
    this.ending = this.#parts.shape.endingOf(mended.reply);
    if (mended.reply === reply) this.#letGo(to);
    else to.push(this.#written(mended.reply));
  }

  #written(reply: unknown): Uint8Array {
    try {
      return Buffer.from(JSON.stringify(reply));
    } catch (error) {
      // JSON that is nested without end can be read, and not be written.
      throw this.#parts.place.fault(error);
    }
  }

  #letGo(to: ByteQueue): void {
    for (const chunk of this.#chunks) to.push(chunk);
    this.#chunks = [];
  }
}

export function mendedReply(reply: unknown, { shape, mending }: IntakeParts): MendedReply {
  return shape.mendReply?.(reply, mending) ?? { kind: 'reply', reply };
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
  readonly isClosing = false;
  readonly failure = undefined;

  take(chunk: Uint8Array, to: ByteQueue): void {
    to.push(chunk);
  }

  finish(): void {}
}
