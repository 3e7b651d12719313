/**
 * What a client says on a WebSocket: a text is one `response.create`, its other members are a call's body. They are
 * taken as they stand in the text: a number that JavaScript cannot hold reaches the upstream as it was sent.
 */
import { ClawError } from '../../core/errors.ts';
import { jsonFault } from '../json-fault.ts';

export interface CreateMessage {
  /** As the body of a request for a stream. */
  readonly body: Uint8Array;
  /** Nothing is to be generated: the client only says now what a later message goes on from. */
  readonly warmsUp: boolean;
  /** The client's word for a conversation of several on one socket; each event repeats it. */
  readonly streamId: string | undefined;
}

/** Of the message, not of the call; `stream` is said anew, as there is nothing else here. */
const NOT_OF_THE_BODY = new Set(['type', 'stream', 'stream_options', 'background', 'generate', 'stream_id']);

/** Throws `invalid_json`, `bad_request` or `unsupported_parameter`. */
export function readCreate(message: Uint8Array): CreateMessage {
  const text = Buffer.from(message.buffer, message.byteOffset, message.byteLength).toString();
  const { type, background, generate, stream_id: streamId } = parsed(text);
  if (type !== 'response.create') throw unknownType(type);
  if (background === true)
    throw new ClawError('unsupported_parameter', '`background` is not possible on a WebSocket', {
      param: 'background',
    });
  if (streamId !== undefined && typeof streamId !== 'string')
    throw new ClawError('bad_request', '`stream_id` must be a string', { param: 'stream_id' });
  return { body: Buffer.from(bodyOf(text)), warmsUp: generate === false, streamId };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const { line, column, expected } = jsonFault(text);
    const where = `line ${line}, column ${column}: expected ${expected}`;
    throw new ClawError('invalid_json', `the message is not valid JSON at ${where}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new ClawError('bad_request', 'a message must be a JSON object');
}

function unknownType(type: unknown): ClawError {
  const named = typeof type === 'string' ? `"${type.slice(0, 64)}"` : 'a message without one';
  const text = `\`type\` must be response.create, not ${named}; to stop a response close the socket`;
  return new ClawError('bad_request', text, { param: 'type' });
}

function bodyOf(text: string): string {
  let body = '{"stream":true';
  for (const { name, start, end } of members(text))
    if (!NOT_OF_THE_BODY.has(name)) body += `,${text.slice(start, end)}`;
  return `${body}}`;
}

interface Member {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

const SPACE = /[ \t\n\r]*/y;
const MARK = /["{}[\]]/g;
const SCALAR_END = /[,}\] \t\n\r]/g;

/** The members of an object at the top of a text that is known to be valid JSON. */
function* members(text: string): Generator<Member> {
  let at = behindSpace(text, text.indexOf('{') + 1);
  while (text[at] === '"') {
    const start = at;
    const nameEnd = stringEnd(text, at);
    const name: unknown = JSON.parse(text.slice(start, nameEnd));
    at = behindSpace(text, behindSpace(text, nameEnd) + 1);
    const end = valueEnd(text, at);
    yield { name: String(name), start, end };
    at = behindSpace(text, end);
    // A comma, or the closing brace: behind that there is no quote.
    at = behindSpace(text, at + 1);
  }
}

function valueEnd(text: string, start: number): number {
  if (text[start] === '"') return stringEnd(text, start);
  if (text[start] !== '{' && text[start] !== '[') return nextMatch(SCALAR_END, text, start);
  let depth = 0;
  for (let at = nextMatch(MARK, text, start); ; at = nextMatch(MARK, text, at)) {
    const mark = text[at];
    if (mark === '"') {
      at = stringEnd(text, at);
      continue;
    }
    depth += mark === '{' || mark === '[' ? 1 : -1;
    at++;
    if (depth === 0) return at;
  }
}

/** Behind the closing quote: the first that no odd number of backslashes precedes. */
function stringEnd(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); ; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text[quote - slashes - 1] === '\\') slashes++;
    if (slashes % 2 === 0) return quote + 1;
  }
}

function behindSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  SPACE.test(text);
  return SPACE.lastIndex;
}

function nextMatch(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}
