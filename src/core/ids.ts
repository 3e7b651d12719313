/** Names of things: a node is its public key, a call is a random number. Text forms and nothing else. */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';

/** 32 bytes of Ed25519 public key as 52 base32 letters, and two check letters behind them. */
export type NodeId = string & { readonly __brand: 'NodeId' };

/** 128 random bits as 32 hexadecimal digits; the client sees it as `x-request-id`. */
export type CallId = string & { readonly __brand: 'CallId' };

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const KEY_BYTES = 32;
const KEY_LETTERS = 52;
const CHECK_LETTERS = 2;

export function nodeIdOf(publicKey: Uint8Array): NodeId {
  if (publicKey.length !== KEY_BYTES)
    throw new RangeError(`a node id needs ${KEY_BYTES} bytes, not ${publicKey.length}`);
  return `${base32(publicKey)}${checkLetters(publicKey)}` as NodeId;
}

/** The public key that an id stands for, or undefined where the text is no id: a wrong length, letter or check. */
export function publicKeyOf(text: string): Uint8Array | undefined {
  if (text.length !== KEY_LETTERS + CHECK_LETTERS) return undefined;
  const key = fromBase32(text.slice(0, KEY_LETTERS));
  if (key === undefined || text.slice(KEY_LETTERS) !== checkLetters(key)) return undefined;
  return key;
}

export function asNodeId(text: string): NodeId | undefined {
  return publicKeyOf(text) === undefined ? undefined : (text as NodeId);
}

/** A node id that somebody else wrote. */
export const WrittenNodeId = z.string().transform((text, context) => {
  const id = asNodeId(text);
  if (id !== undefined) return id;
  context.addIssue({ code: 'custom', message: 'not a node id' });
  return z.NEVER;
});

/** The eight letters that people are shown where a whole id would not fit. */
export function shortId(id: NodeId): string {
  return id.slice(0, 8);
}

/** Whether a response can have this id: what it holds can stand in a path, and in a log. */
export function isResponseId(text: string): boolean {
  return RESPONSE_ID.test(text);
}

/** Not of dots alone: in a path those are the folder above. */
const RESPONSE_ID = /^(?!\.+$)[A-Za-z0-9_.:-]{1,128}$/;

export function newCallId(random: (bytes: number) => Uint8Array = randomBytes): CallId {
  return Buffer.from(random(16)).toString('hex') as CallId;
}

/** The prefix and 128 random bits behind it: for the ids that answers need. */
export function randomId(prefix: string): string {
  return prefix + randomBytes(16).toString('hex');
}

function checkLetters(key: Uint8Array): string {
  return base32(createHash('sha256').update('clawmatrix node id').update(key).digest().subarray(0, 2)).slice(
    0,
    CHECK_LETTERS,
  );
}

function base32(bytes: Uint8Array): string {
  let text = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET.charAt((held >> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + ALPHABET.charAt((held << (5 - bits)) & 31);
}

function fromBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const letter of text) {
    const value = ALPHABET.indexOf(letter);
    if (value < 0) return undefined;
    held = (held << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 255;
    }
    held &= (1 << bits) - 1;
  }
  // The bits that no byte holds must be zero, or one key would have several names.
  return held === 0 ? bytes : undefined;
}
