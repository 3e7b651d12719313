/**
 * Cuts a stream of bytes where one SSE event ends and the next begins, so that whatever is handed on can be followed by
 * an event of our own. Changes no byte; knows nothing of what the events say.
 */
import { ClawError } from '../../core/errors.ts';
import { asBuffer, NOTHING } from './bytes.ts';

const LF = 0x0a;
const CR = 0x0d;
const NEWLINE = Buffer.from('\n');
const TWO_NEWLINES = Buffer.from('\n\n');

export class EventFramer {
  readonly #eventBytesMax: number;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** The two bytes before the next chunk. A stream begins as if behind an empty line. */
  #last = LF;
  #lastButOne = LF;

  constructor(eventBytesMax: number) {
    this.#eventBytesMax = eventBytesMax;
  }

  /** Whole events: those that this chunk completes, with what was held of them. Empty while none is whole. */
  push(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return NOTHING;
    const bytes = asBuffer(chunk);
    const border = this.#lastBorder(bytes, 0, bytes.length);
    if (this.#heldBytes + bytes.length > this.#eventBytesMax) this.#checkSizes(bytes);
    const whole = this.#cut(bytes, border);
    this.#lastButOne = this.#byte(bytes, bytes.length - 2);
    this.#last = this.#byte(bytes, bytes.length - 1);
    return whole;
  }

  /**
   * The stream has ended. A last event that lacks only its empty line gets it. One whose last line is not even ended
   * counts only if what it says is whole: half an event handed on would look like one.
   */
  finish(): Uint8Array {
    const rest = Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [];
    this.#heldBytes = 0;
    if (rest.length === 0) return NOTHING;
    // Behind a carriage return a line feed alone would only complete that line's end.
    if (this.#last === CR) return Buffer.concat([rest, TWO_NEWLINES]);
    if (this.#last === LF) return Buffer.concat([rest, NEWLINE]);
    return saysSomethingWhole(rest) ? Buffer.concat([rest, TWO_NEWLINES]) : NOTHING;
  }

  #cut(bytes: Buffer, border: number): Uint8Array {
    if (border === 0) {
      this.#held.push(bytes);
      this.#heldBytes += bytes.length;
      return NOTHING;
    }
    const head = border === bytes.length ? bytes : bytes.subarray(0, border);
    const whole = this.#heldBytes === 0 ? head : Buffer.concat([...this.#held, head]);
    this.#held = border === bytes.length ? [] : [bytes.subarray(border)];
    this.#heldBytes = bytes.length - border;
    return whole;
  }

  /** Only called when so many bytes are at hand that one event could be over the limit. */
  #checkSizes(bytes: Buffer): void {
    // The first event began in what is held.
    let start = -this.#heldBytes;
    while (bytes.length - start > this.#eventBytesMax) {
      const border = this.#lastBorder(bytes, Math.max(0, start), Math.max(0, start + this.#eventBytesMax));
      if (border <= Math.max(0, start)) throw tooLarge(this.#eventBytesMax);
      start = border;
    }
  }

  /** The last place in (from, to] with an empty line before it, else `from`. Both line ends are searched natively. */
  #lastBorder(bytes: Buffer, from: number, to: number): number {
    let lf = lastIn(bytes, LF, from, to);
    let cr = lastIn(bytes, CR, from, to);
    while (lf >= from || cr >= from) {
      const at = Math.max(lf, cr);
      if (this.#endsEmptyLine(bytes, at)) return at + 1;
      if (at === lf) lf = lastIn(bytes, LF, from, at);
      else cr = lastIn(bytes, CR, from, at);
    }
    return from;
  }

  /** Whether the line end at `at` ends a line with nothing in it. */
  #endsEmptyLine(bytes: Buffer, at: number): boolean {
    const before = this.#byte(bytes, at - 1);
    if (bytes[at] === LF && before === CR) return isLineEnd(this.#byte(bytes, at - 2));
    return isLineEnd(before);
  }

  /** The byte at an offset into the chunk, which may lie up to two before it. */
  #byte(bytes: Buffer, at: number): number {
    if (at === -1) return this.#last;
    if (at === -2) return this.#lastButOne;
    return bytes[at] ?? 0;
  }
}

function isLineEnd(byte: number): boolean {
  return byte === LF || byte === CR;
}

/** Where the byte stands last in [from, to), or -1. */
function lastIn(bytes: Buffer, byte: number, from: number, to: number): number {
  if (to <= from) return -1;
  const at = bytes.lastIndexOf(byte, to - 1);
  return at < from ? -1 : at;
}

function saysSomethingWhole(rest: Buffer): boolean {
  const data = rest
    .toString()
    .split(/\r\n|\n|\r/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length).trim())
    .join('\n');
  if (data === '[DONE]') return true;
  try {
    JSON.parse(data);
    return true;
  } catch {
    return false;
  }
}

function tooLarge(eventBytesMax: number): ClawError {
  return new ClawError(
    'stream_buffer_exceeded',
    `the upstream sent a single event of more than ${eventBytesMax} bytes, the limit (limits.sseEventBytesMax)`,
  );
}
