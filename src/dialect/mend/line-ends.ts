/** Takes the byte order mark off a stream, and makes every line end a line feed: some clients know no other. */
import { asBuffer, NOTHING } from '../framing/bytes.ts';
import type { StreamMender } from '../shape.ts';

const [LF, CR] = [0x0a, 0x0d];
const BOM = Buffer.from('\ufeff');

export class LineEnds implements StreamMender {
  readonly failure = undefined;
  /** What a line ends with says nothing. */
  readonly isQuiet = true;
  #hasBegun = false;
  /** The last byte was a carriage return: a line feed behind it belongs to the same line end. */
  #afterReturn = false;

  /** Costs a search for one byte. */
  mend(events: Uint8Array): Uint8Array {
    const bytes = this.#hasBegun ? asBuffer(events) : withoutMark(asBuffer(events));
    this.#hasBegun ||= events.length > 0;
    if (this.#afterReturn || bytes.includes(CR)) return this.#fed(bytes);
    return bytes.length === events.length ? events : bytes;
  }

  end(): Uint8Array {
    return NOTHING;
  }

  #fed(bytes: Buffer): Uint8Array {
    const fed = Buffer.allocUnsafe(bytes.length);
    let length = 0;
    for (const byte of bytes) {
      if (byte !== LF || !this.#afterReturn) fed[length++] = byte === CR ? LF : byte;
      this.#afterReturn = byte === CR;
    }
    return fed.subarray(0, length);
  }
}

function withoutMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, BOM.length).equals(BOM) ? bytes.subarray(BOM.length) : bytes;
}
