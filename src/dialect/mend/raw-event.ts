/** The events of a stream as they stand in its bytes, so that one can be told anew and the others pass as they came. */
import { asBuffer } from '../framing/bytes.ts';

export interface RawEvent {
  readonly bytes: Uint8Array;
  /** The `event:` line, where there is one. */
  readonly name: string | undefined;
  /** Undefined where the event says nothing: a comment. */
  readonly data: string | undefined;
}

const LF = 0x0a;
const BORDER = Buffer.from('\n\n');

/** Of bytes that hold whole events and know no line end but the line feed. An empty line too many is one of its own. */
function rawEvents(chunk: Uint8Array): readonly RawEvent[] {
  const bytes = asBuffer(chunk);
  const events: RawEvent[] = [];
  for (let from = 0; from < bytes.length;) {
    const to = bytes[from] === LF ? from + 1 : borderBehind(bytes, from);
    events.push(readEvent(bytes.subarray(from, to)));
    from = to;
  }
  return events;
}

/**
 * The bytes with what `mend` makes of each event; they end before the first that it makes nothing of. The very same bytes
 * where it changed none.
 */
export function mendEach(chunk: Uint8Array, mend: (event: RawEvent) => Uint8Array | undefined): Uint8Array {
  const told: Uint8Array[] = [];
  let isSame = true;
  for (const event of rawEvents(chunk)) {
    const mended = mend(event);
    if (mended === undefined) return Buffer.concat(told);
    isSame &&= mended === event.bytes;
    told.push(mended);
  }
  return isSame ? chunk : Buffer.concat(told);
}

/** The event with other data and another name. Its comments, and fields that only browsers read, stay. */
export function retold(event: RawEvent, data: string, name?: string): Uint8Array {
  const kept = linesOf(event.bytes).filter((line) => line !== '' && !/^(data|event)(:|$)/.test(line));
  const lines = [...kept, ...(name === undefined ? [] : [`event: ${name}`]), `data: ${data}`];
  return Buffer.from(`${lines.join('\n')}\n\n`);
}

function borderBehind(bytes: Buffer, from: number): number {
  const border = bytes.indexOf(BORDER, from);
  return border < 0 ? bytes.length : border + BORDER.length;
}

function readEvent(bytes: Buffer): RawEvent {
  let name: string | undefined;
  const data: string[] = [];
  for (const line of linesOf(bytes)) {
    const value = /^(data|event)(?:: ?(.*))?$/s.exec(line);
    if (value?.[1] === 'data') data.push(value[2] ?? '');
    else if (value?.[1] === 'event') name = value[2] || undefined;
  }
  const said = data.join('\n');
  return { bytes, name, data: said === '' ? undefined : said };
}

function linesOf(bytes: Uint8Array): readonly string[] {
  return asBuffer(bytes).toString().split('\n');
}
