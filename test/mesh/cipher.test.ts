import { createCipheriv } from 'node:crypto';
import { expect, test } from 'vitest';
import { BadTag, Cipher } from '../../src/mesh/cipher.ts';

const KEY = Buffer.alloc(32, 7);
const TEXTS = ['one', 'two', 'three', 'four'];

const sealed = () => {
  const cipher = new Cipher(KEY);
  return TEXTS.map((text) => cipher.seal(Buffer.from(text)));
};

/** Opens in order until one is refused. */
function opened(records: readonly Uint8Array[]): string[] {
  const cipher = new Cipher(KEY);
  const texts: string[] = [];
  for (const record of records) {
    try {
      texts.push(cipher.open(record).toString());
    } catch (error) {
      expect(error).toBeInstanceOf(BadTag);
      break;
    }
  }
  return texts;
}

test('records are opened in the order in which they were sealed', () => {
  expect(opened(sealed())).toEqual(TEXTS);
});

test('FR4: any one bit that is flipped is noticed at its record', () => {
  const records = sealed();
  for (const [index, record] of records.entries()) {
    for (let bit = 0; bit < record.length * 8; bit++) {
      const altered = Buffer.from(record);
      const byte = altered[bit >> 3] ?? 0;
      altered[bit >> 3] = byte ^ (1 << (bit & 7));
      const row = [...records.slice(0, index), altered, ...records.slice(index + 1)];
      expect(opened(row)).toEqual(TEXTS.slice(0, index));
    }
  }
});

test.each([
  ['dropped', (all: Buffer[]) => all.toSpliced(1, 1), 1],
  ['doubled', (all: Buffer[]) => all.toSpliced(1, 0, ...all.slice(0, 1)), 1],
  ['swapped with the next', (all: Buffer[]) => all.toSpliced(1, 2, ...all.slice(1, 3).reverse()), 1],
  [
    'sent back to its sender',
    (all: Buffer[]) => [new Cipher(Buffer.alloc(32, 8)).seal(Buffer.from('one')), ...all],
    0,
  ],
  ['cut to its tag', (all: Buffer[]) => all.map((record) => record.subarray(-16)), 0],
  ['cut to nothing', (all: Buffer[]) => all.map(() => Buffer.alloc(0)), 0],
  ['cut by a byte', (all: Buffer[]) => all.map((record) => record.subarray(0, -1)), 0],
  ['one byte longer', (all: Buffer[]) => all.map((record) => Buffer.concat([record, Buffer.of(0)])), 0],
])('FR4: a record that is %s is refused', (_what, alter, good) => {
  expect(opened(alter(sealed()))).toEqual(TEXTS.slice(0, good));
});

test('HS7: a tag of four bytes, which is right as far as it goes, is refused', () => {
  const cipher = createCipheriv('chacha20-poly1305', KEY, Buffer.alloc(12), { authTagLength: 4 });
  const body = Buffer.concat([cipher.update(Buffer.alloc(20, 1)), cipher.final()]);
  const record = Buffer.concat([body, cipher.getAuthTag()]);
  expect(() => new Cipher(KEY).open(record)).toThrow(BadTag);
});

test('additional data is part of what the tag covers', () => {
  const record = new Cipher(KEY).seal(Buffer.from('x'), Buffer.from('a'));
  expect(() => new Cipher(KEY).open(record, Buffer.from('b'))).toThrow(BadTag);
  expect(new Cipher(KEY).open(record, Buffer.from('a')).toString()).toBe('x');
});

test('the counter runs on beyond 2^32 without a repeat', () => {
  const from = 2 ** 32 - 1;
  const [sender, receiver] = [new Cipher(KEY, from), new Cipher(KEY, from)];
  const records = TEXTS.map((text) => sender.seal(Buffer.from(text)));
  expect(records.map((record) => receiver.open(record).toString())).toEqual(TEXTS);
  // The low half is zero again at 2^32: a nonce of it alone would be that of the first record.
  expect(records[1]).not.toEqual(new Cipher(KEY).seal(Buffer.from('two')));
});

test('FR7: a counter that is used up seals nothing more', () => {
  const cipher = new Cipher(KEY, Number.MAX_SAFE_INTEGER - 2);
  cipher.seal(Buffer.from('the last'));
  expect(() => cipher.seal(Buffer.from('one more'))).toThrow('used up');
});

test('after a rekey both ends understand each other, and the old key does not', () => {
  const [sender, receiver, late] = [new Cipher(KEY), new Cipher(KEY), new Cipher(KEY)];
  const before = sender.seal(Buffer.from('before'));
  receiver.open(before);
  late.open(before);
  sender.rekey();
  receiver.rekey();
  const record = sender.seal(Buffer.from('after'));
  expect(receiver.open(record).toString()).toBe('after');
  expect(() => late.open(record)).toThrow(BadTag);
});

test.each([31, 33])('a key of %i bytes is no key', (bytes) => {
  expect(() => new Cipher(Buffer.alloc(bytes))).toThrow(RangeError);
});
