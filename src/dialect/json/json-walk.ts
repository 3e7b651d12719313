/**
 * Over the members of a JSON object in its raw bytes: where each key and value stands. Only that strings and brackets
 * close is checked; what a value means is nobody's concern here.
 */
import { ClawError } from '../../core/errors.ts';
import { JSON_DEPTH_MAX } from '../../core/limits.ts';

export interface MemberVisitor {
  /** A key, quotes included, and where its value begins: the length of all bytes where there is none. */
  onKey(start: number, end: number, value: number): void;
  onValue(start: number, end: number): void;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/** Short strings are walked over here; a native search costs more to start than to look at so many bytes. */
const WALK_BYTES = 24;

/** All that JSON has outside of strings, brackets apart: a comment or a single quote is read differently by some. */
const PLAIN = new Uint8Array(256);
for (const letter of ' \t\n\r,:+-.0123456789eEtrufalsn') PLAIN[letter.charCodeAt(0)] = 1;
const SPACE = new Uint8Array(256);
for (const letter of ' \t\n\r') SPACE[letter.charCodeAt(0)] = 1;

/** Throws `bad_request` where the text is no object, `invalid_json` where the brackets or strings do not close. */
export function walkMembers(bytes: Buffer, visitor: MemberVisitor): void {
  new Walk(bytes, visitor).topLevel();
}

class Walk {
  readonly #bytes: Buffer;
  readonly #visitor: MemberVisitor;
  #at = 0;

  constructor(bytes: Buffer, visitor: MemberVisitor) {
    this.#bytes = bytes;
    this.#visitor = visitor;
  }

  topLevel(): void {
    // A byte order mark is no JSON, and what follows it would be read by some servers and refused by others.
    if (this.#bytes[0] === 0xef) throw broken('it begins with a byte order mark; send it without', 0);
    this.#space();
    if (this.#at >= this.#bytes.length) throw broken('it is empty', 0);
    if (this.#bytes[this.#at] !== OPEN_OBJECT)
      throw new ClawError('bad_request', 'the request body must be a JSON object');
    this.#at++;
    this.#members();
    this.#space();
    if (this.#at < this.#bytes.length) throw broken('something follows the closing brace', this.#at);
  }

  /** Over all members of the top-level object, its closing brace included. */
  #members(): void {
    this.#space();
    if (this.#bytes[this.#at] === CLOSE_OBJECT) {
      this.#at++;
      return;
    }
    for (;;) {
      const key = this.#at;
      if (this.#bytes[key] !== QUOTE) throw broken('a name in double quotes is missing', key);
      this.#string();
      const keyEnd = this.#at;
      this.#space();
      if (this.#bytes[this.#at] !== COLON) throw broken('a colon is missing', this.#at);
      this.#at++;
      this.#space();
      const start = this.#at;
      this.#visitor.onKey(key, keyEnd, start);
      this.#value();
      this.#visitor.onValue(start, this.#at);
      this.#space();
      const next = this.#bytes[this.#at];
      if (next !== COMMA && next !== CLOSE_OBJECT) throw broken('a comma or brace is missing', this.#at);
      this.#at++;
      if (next === CLOSE_OBJECT) return;
      this.#space();
    }
  }

  #value(): void {
    const first = this.#bytes[this.#at];
    if (first === QUOTE) this.#string();
    else if (first === OPEN_OBJECT || first === OPEN_ARRAY) this.#nested();
    else this.#scalar();
  }

  #scalar(): void {
    const start = this.#at;
    for (; this.#at < this.#bytes.length; this.#at++) {
      const byte = this.#bytes[this.#at] ?? 0;
      if (byte === COMMA || byte === CLOSE_OBJECT || SPACE[byte] === 1) break;
      if (PLAIN[byte] !== 1 || byte === COLON) throw broken('an unexpected character', this.#at);
    }
    if (this.#at === start) throw broken('a value is missing', start);
  }

  /** Over one object or array, whatever it holds: only that strings and brackets close is checked. */
  #nested(): void {
    const bytes = this.#bytes;
    const closers: number[] = [];
    for (; this.#at < bytes.length; this.#at++) {
      const byte = bytes[this.#at] ?? 0;
      if (PLAIN[byte] === 1) continue;
      if (byte === QUOTE) {
        this.#string();
        this.#at--;
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        closers.push(byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY);
        // The top-level object counts as one.
        if (closers.length >= JSON_DEPTH_MAX)
          throw new ClawError('bad_request', `the request body is nested deeper than ${JSON_DEPTH_MAX}`);
      } else if (byte !== closers.pop()) {
        throw broken('an unexpected character', this.#at);
      } else if (closers.length === 0) {
        this.#at++;
        return;
      }
    }
    throw broken('it stops inside an object or array', bytes.length);
  }

  /** From an opening quote to behind the closing one. */
  #string(): void {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    for (let walked = 0; walked < WALK_BYTES; walked++) {
      const byte = bytes[at];
      if (byte === QUOTE) {
        this.#at = at + 1;
        return;
      }
      at += byte === BACKSLASH ? 2 : 1;
    }
    // Megabytes of base64 cost one native search; a quote counts unless an odd number of backslashes precedes it.
    const from = at;
    for (let quote = bytes.indexOf(QUOTE, at); quote >= 0; quote = bytes.indexOf(QUOTE, quote + 1)) {
      let slashes = 0;
      while (quote - slashes > from && bytes[quote - slashes - 1] === BACKSLASH) slashes++;
      if (slashes % 2 === 0) {
        this.#at = quote + 1;
        return;
      }
    }
    throw broken('it stops inside a string', bytes.length);
  }

  #space(): void {
    while (SPACE[this.#bytes[this.#at] ?? 0] === 1) this.#at++;
  }
}

function broken(what: string, at: number): ClawError {
  return new ClawError('invalid_json', `the request body is not valid JSON: ${what} (byte ${at})`);
}
