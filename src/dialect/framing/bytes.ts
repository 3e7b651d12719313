/** Searches in the raw bytes of passing events, so that a stream can be watched without being parsed. */

export const NOTHING: Uint8Array = new Uint8Array(0);

const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;

/** The bytes as a `Buffer`, whose search is native code. Not a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function jsonKey(name: string): Buffer {
  return Buffer.from(`"${name}"`);
}

/**
 * Where the value of a JSON key begins, or -1. Inside a JSON string every quote is escaped, so the quoted name with a
 * colon behind it can be nothing but a key.
 */
export function valueAfter(bytes: Buffer, key: Buffer, from: number): number {
  for (let at = bytes.indexOf(key, from); at >= 0; at = bytes.indexOf(key, at + 1)) {
    const colon = skipSpace(bytes, at + key.length);
    if (bytes[colon] === COLON) return skipSpace(bytes, colon + 1);
  }
  return -1;
}

/** Whether any value of the key is of a kind: `is` is asked for the place where each begins. */
export function hasValue(bytes: Buffer, key: Buffer, is: (bytes: Buffer, at: number) => boolean): boolean {
  for (let at = valueAfter(bytes, key, 0); at >= 0; at = valueAfter(bytes, key, at)) {
    if (is(bytes, at)) return true;
  }
  return false;
}

export function isObjectAt(bytes: Buffer, at: number): boolean {
  return bytes[at] === OPEN_BRACE;
}

export function isQuote(byte: number | undefined): boolean {
  return byte === QUOTE;
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x09 || bytes[at] === 0x0a || bytes[at] === 0x0d) at++;
  return at;
}
