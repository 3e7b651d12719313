/** Where the Response object of an answer stands in the bytes that told it: found by search, read when somebody asks. */
import { isResponseId } from '../core/ids.ts';
import type { Told } from '../core/history.ts';
import { asBuffer } from '../dialect/framing/bytes.ts';
import { wholeEvents } from '../dialect/framing/sse.ts';
import { isObject, type JsonObject, tolerantJson } from '../lib/json.ts';

export interface Ended {
  readonly id: string;
  /** JSON: the Response object, or the event that holds it. */
  readonly json: Uint8Array;
}

/** With their quotes they are no part of a text: there each quote is escaped. */
const ENDS = ['"response.completed"', '"response.incomplete"'].map((text) => Buffer.from(text));
const OTHERS = ['"failed"', '"cancelled"', '"queued"', '"in_progress"'].map((text) => Buffer.from(text));
const RESPONSE = Buffer.from('"response":');
const DATA = Buffer.from('data:');
const LINE_FEED = 0x0a;
/** Nearly every server writes a response's id first. */
const ID_FIRST = /^\s*\{\s*"id"\s*:\s*"([^"\\]{1,128})"/;
const ID_BYTES = 256;
/** And an event's type, which is not what its members repeat of the request. */
const TYPE_FIRST = /^\s*\{\s*"type"\s*:\s*"response\.(completed|incomplete)"/;
const TYPE_BYTES = 64;

/** What ended well; undefined where it did not, or cannot be told. */
export function endedIn({ bytes }: Told): Ended | undefined {
  const [first] = bytes;
  if (first === undefined) return undefined;
  const json = isJson(asBuffer(first)) ? wellEnded(joined(bytes)) : lastEvent(bytes);
  if (json === undefined) return undefined;
  const id = idIn(json);
  return id === undefined || !isResponseId(id) ? undefined : { id, json: ownBytes(json) };
}

/** The Response object of such JSON, of one that ended well. */
export function responseIn(json: Uint8Array): JsonObject | undefined {
  const value = tolerantJson(asBuffer(json).toString());
  if (!isObject(value)) return undefined;
  const response = isObject(value.response) ? value.response : value;
  return response.status === 'completed' || response.status === 'incomplete' ? response : undefined;
}

/** The id of a response that a whole reply only says to have begun. */
export function underWayIn({ bytes }: Told): string | undefined {
  const value = tolerantJson(Buffer.concat(bytes).toString());
  if (!isObject(value) || (value.status !== 'queued' && value.status !== 'in_progress')) return undefined;
  return typeof value.id === 'string' && isResponseId(value.id) ? value.id : undefined;
}

/** The Response object that the first events of a stream begin with. */
export function begunIn(events: Uint8Array): JsonObject | undefined {
  for (const { data } of wholeEvents(events)) {
    const event = tolerantJson(data);
    if (isObject(event) && isObject(event.response)) return event.response;
  }
  return undefined;
}

function isJson(text: Buffer): boolean {
  let at = 0;
  while (text[at] === 0x20 || text[at] === 0x0a || text[at] === 0x0d || text[at] === 0x09) at++;
  return text[at] === 0x7b;
}

function joined(chunks: readonly Uint8Array[]): Buffer {
  const [first] = chunks;
  return chunks.length === 1 && first !== undefined ? asBuffer(first) : Buffer.concat(chunks);
}

/** A whole reply may say that it failed, or is still under way: only one with such a word in it is read for that. */
function wellEnded(text: Buffer): Buffer | undefined {
  const mayBeOther = OTHERS.some((word) => text.includes(word));
  return mayBeOther && responseIn(text) === undefined ? undefined : text;
}

/** The data of the event that ends the stream: nearly always in the last chunk, or the one before. */
function lastEvent(chunks: readonly Uint8Array[]): Buffer | undefined {
  for (const chunk of chunks.toReversed()) {
    const text = asBuffer(chunk);
    const at = Math.max(...ENDS.map((end) => text.lastIndexOf(end)));
    const event = at < 0 ? undefined : eventAt(text, at);
    if (event !== undefined) return event;
  }
  return undefined;
}

function eventAt(text: Buffer, at: number): Buffer | undefined {
  const start = text.lastIndexOf(LINE_FEED, at) + 1;
  const end = text.indexOf(LINE_FEED, at);
  const line = text.subarray(start, end < 0 ? text.length : end);
  const data = line.subarray(DATA.length);
  if (line.subarray(0, DATA.length).equals(DATA) && isEnd(data)) return data;
  // Its data goes over several lines, or the words are a value of the client's, which the response repeats.
  const last = wholeEvents(text).findLast(({ data }) => isEnd(Buffer.from(data)));
  return last === undefined ? undefined : Buffer.from(last.data);
}

function isEnd(data: Buffer): boolean {
  const saysSo = TYPE_FIRST.test(data.toString('latin1', 0, TYPE_BYTES)) || responseIn(data) !== undefined;
  return saysSo && idIn(data) !== undefined;
}

function idIn(json: Buffer): string | undefined {
  const inner = json.indexOf(RESPONSE);
  const from = inner < 0 ? 0 : inner + RESPONSE.length;
  const first = ID_FIRST.exec(json.toString('latin1', from, from + ID_BYTES));
  if (first !== null) return first[1];
  const id = responseIn(json)?.id;
  return typeof id === 'string' ? id : undefined;
}

/** A small part of a large chunk would keep all of it alive. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.length * 2 < bytes.buffer.byteLength ? new Uint8Array(bytes) : bytes;
}
