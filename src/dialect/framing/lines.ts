/** Lines of JSON (NDJSON): one event is one line. Bytes into events; knows nothing of what the lines say. */
import { ClawError } from '../../core/errors.ts';
import { tolerantJson } from '../../lib/json.ts';
import { asBuffer, NOTHING } from './bytes.ts';
import type { StreamEvent } from './stream-event.ts';

const LF = 0x0a;
const NEWLINE = Buffer.from('\n');

/** Cuts a stream of bytes where one line ends and the next begins. Changes no byte. */
export class LineFramer {
  readonly #lineBytesMax: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  /** Whole lines: those that this chunk completes, with what was held of them. Empty while none is whole. */
  push(chunk: Uint8Array): Uint8Array {
    const bytes = asBuffer(chunk);
    const border = bytes.lastIndexOf(LF) + 1;
    const firstEnd = border === 0 ? bytes.length : bytes.indexOf(LF);
    if (this.#heldBytes + firstEnd > this.#lineBytesMax) throw tooLong(this.#lineBytesMax);
    if (bytes.length - border > this.#lineBytesMax) throw tooLong(this.#lineBytesMax);
    const whole = border === 0 ? NOTHING : Buffer.concat([...this.#held, bytes.subarray(0, border)]);
    if (border > 0) this.#held = [];
    if (border < bytes.length) this.#held.push(bytes.subarray(border));
    this.#heldBytes = (border > 0 ? 0 : this.#heldBytes) + bytes.length - border;
    return whole;
  }

  /** The stream has ended. A last line without its end counts only where it is whole. */
  finish(): Uint8Array {
    const rest = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    if (rest.length === 0 || tolerantJson(rest.toString()) === undefined) return NOTHING;
    return Buffer.concat([rest, NEWLINE]);
  }
}

/** Reads one stream, whatever the sizes of its chunks. One for each stream. */
export class LineReader {
  readonly #lineCharsMax: number;
  readonly #decoder = new TextDecoder();
  #held = '';

  /** `lineCharsMax` bounds what is held of a line that is not whole. */
  constructor(lineCharsMax: number) {
    this.#lineCharsMax = lineCharsMax;
  }

  /** The lines that these bytes complete. Throws `stream_buffer_exceeded`. */
  read(bytes: Uint8Array): readonly StreamEvent[] {
    const lines = (this.#held + this.#decoder.decode(bytes, { stream: true })).split('\n');
    this.#held = lines.pop() ?? '';
    if (this.#held.length > this.#lineCharsMax) throw tooLong(this.#lineCharsMax);
    return eventsOf(lines);
  }

  end(): readonly StreamEvent[] {
    const last = this.#held + this.#decoder.decode();
    this.#held = '';
    return eventsOf([last]);
  }
}

function eventsOf(lines: readonly string[]): readonly StreamEvent[] {
  return lines.flatMap((line) => (line.trim() === '' ? [] : [{ name: undefined, data: line.trim() }]));
}

function tooLong(max: number): ClawError {
  const text = `the upstream sent a single line of more than ${max} bytes, the limit (limits.sseEventBytesMax)`;
  return new ClawError('stream_buffer_exceeded', text);
}
