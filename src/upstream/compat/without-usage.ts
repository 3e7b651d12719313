/** Takes out of a Chat Completions stream what is there only because its owner asked for usage and its client did not. */
import { z } from 'zod';
import { asBuffer, hasValue, isObjectAt, jsonKey, NOTHING, valueAfter } from '../../dialect/framing/bytes.ts';
import { wholeEvents } from '../../dialect/framing/sse.ts';
import { tolerantJson } from '../../lib/json.ts';

const USAGE = jsonKey('usage');
const COMMA = 0x2c;
const NULL = Buffer.from('null');

/** The one chunk that is there only because usage was asked for: some servers begin with one that has no choices either. */
const UsageChunk = z.object({ choices: z.array(z.unknown()).length(0), usage: z.looseObject({}) });

/** Of whole events, of which most hold no word of usage and pass as they are. */
export function withoutUsage(events: Uint8Array): Uint8Array {
  const bytes = asBuffer(events);
  const at = valueAfter(bytes, USAGE, 0);
  if (at < 0) return events;
  const trimmed = withoutNulls(bytes, at);
  return hasValue(trimmed, USAGE, isObjectAt) ? withoutUsageChunk(trimmed) : trimmed;
}

/** OpenAI says `"usage":null` in every chunk before that, where usage was asked for. `first` is where a value begins. */
function withoutNulls(bytes: Buffer, first: number): Buffer {
  const kept: Buffer[] = [];
  let from = 0;
  for (let at = first; at >= 0; at = valueAfter(bytes, USAGE, at)) {
    if (!bytes.subarray(at, at + NULL.length).equals(NULL)) continue;
    const key = bytes.lastIndexOf(USAGE, at);
    // With the comma before it, or where it is the first member the one behind it.
    const before = bytes[key - 1] === COMMA;
    const end = at + NULL.length;
    kept.push(bytes.subarray(from, before ? key - 1 : key));
    from = !before && bytes[end] === COMMA ? end + 1 : end;
  }
  return from === 0 ? bytes : Buffer.concat([...kept, bytes.subarray(from)]);
}

/** Comes once in a stream, or in each chunk of a server that counts as it goes: only then are events looked into. */
function withoutUsageChunk(bytes: Buffer): Uint8Array {
  const events = eventsOf(bytes);
  const kept = events.filter((event) => !isUsageChunk(event));
  if (kept.length === events.length) return bytes;
  return kept.length === 0 ? NOTHING : Buffer.concat(kept);
}

function isUsageChunk(event: Buffer): boolean {
  const [told, ...more] = wholeEvents(event);
  return told !== undefined && more.length === 0 && UsageChunk.safeParse(tolerantJson(told.data)).success;
}

/** Each with its empty line. */
function eventsOf(bytes: Buffer): readonly Buffer[] {
  const events: Buffer[] = [];
  let from = 0;
  // Bytes as letters of their own: places in the text are places in the bytes.
  for (const border of bytes.toString('latin1').matchAll(/\r\n\r\n|\n\n|\r\r/g)) {
    const end = border.index + border[0].length;
    events.push(bytes.subarray(from, end));
    from = end;
  }
  if (from < bytes.length) events.push(bytes.subarray(from));
  return events;
}
