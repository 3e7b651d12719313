/**
 * The top-level `model` of a request, found in the raw bytes: what the head of a call says and what the upstream reads
 * can then never be two models. Replaces that value and nothing else; knows no other field.
 */
import { ClawError } from '../../core/errors.ts';
import { asBuffer, isQuote } from '../framing/bytes.ts';
import { type MemberVisitor, walkMembers } from './json-walk.ts';

/** Where the value's JSON text stands, quotes included. */
export interface ModelField {
  readonly start: number;
  readonly end: number;
}

const BACKSLASH = 0x5c;
const KEY = Buffer.from('"model"');

/** The body with its `model` replaced; the very same bytes where it already has that text. */
export function replaceModel(body: Uint8Array, model: string): Uint8Array {
  const { start, end } = findModel(body);
  const bytes = asBuffer(body);
  const text = Buffer.from(JSON.stringify(model));
  if (text.equals(bytes.subarray(start, end))) return body;
  return Buffer.concat([bytes.subarray(0, start), text, bytes.subarray(end)]);
}

/**
 * Throws `bad_request` with param `model` where there is none, a second one, one that is no string, or one whose name
 * is written with an escape; `invalid_json` where the brackets or strings do not close.
 */
export function findModel(body: Uint8Array): ModelField {
  const bytes = asBuffer(body);
  const search = new ModelSearch(bytes);
  walkMembers(bytes, search);
  if (search.found === undefined) throw refuse('is missing: name the model that is to answer');
  return search.found;
}

class ModelSearch implements MemberVisitor {
  found: ModelField | undefined;
  readonly #bytes: Buffer;
  #isModel = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  onKey(start: number, end: number, value: number): void {
    this.#isModel = isModel(this.#bytes.subarray(start, end));
    if (this.#isModel && value < this.#bytes.length && !isQuote(this.#bytes[value]))
      throw refuse('must be a string');
  }

  onValue(start: number, end: number): void {
    if (!this.#isModel) return;
    if (this.found !== undefined) throw refuse('is there twice: servers differ in which one they take');
    this.found = { start, end };
  }
}

function isModel(key: Buffer): boolean {
  if (key.length === KEY.length) return key.equals(KEY);
  // Each letter of the name can be written in six: a longer key cannot decode to it.
  if (key.length > 6 * KEY.length || !key.includes(BACKSLASH)) return false;
  if (decodesToModel(key)) throw refuse('must be written without escapes');
  return false;
}

function decodesToModel(key: Buffer): boolean {
  try {
    return JSON.parse(key.toString()) === 'model';
  } catch {
    // An escape that JSON does not have: not a name that any server reads as `model`.
    return false;
  }
}

function refuse(what: string): ClawError {
  return new ClawError('bad_request', `\`model\` ${what}`, { param: 'model' });
}
