/** Searches in the raw bytes of passing events, so that a stream can be watched without being parsed. */

const QUOTE = 0x22;
const COLON = 0x3a;

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

export function isQuote(byte: number | undefined): boolean {
  return byte === QUOTE;
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x09 || bytes[at] === 0x0a || bytes[at] === 0x0d) at++;
  return at;
}
