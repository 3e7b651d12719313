import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { publicKeyOf } from '../../src/core/ids.ts';
import { Identity, isSignedBy, isSignedByNode } from '../../src/mesh/identity.ts';
import { first, second } from '../support/identities.ts';

const DATA = Buffer.from('what is signed');

test('an id is its public key, and what it signed is its own', () => {
  expect(Buffer.from(publicKeyOf(first.id) ?? [])).toEqual(first.publicKey);
  expect(isSignedByNode(first.id, 'node', DATA, first.sign('node', DATA))).toBe(true);
});

test.each([
  ['another node’s', isSignedByNode(second.id, 'node', DATA, first.sign('node', DATA))],
  ['for another purpose', isSignedByNode(first.id, 'cards', DATA, first.sign('node', DATA))],
  ['over other bytes', isSignedByNode(first.id, 'node', Buffer.from('else'), first.sign('node', DATA))],
  ['of 63 bytes', isSignedByNode(first.id, 'node', DATA, first.sign('node', DATA).subarray(1))],
  ['of no bytes', isSignedByNode(first.id, 'node', DATA, Buffer.alloc(0))],
  ['of zeros', isSignedByNode(first.id, 'node', DATA, Buffer.alloc(64))],
  ['by a key of 31 bytes', isSignedBy(Buffer.alloc(31), 'node', DATA, Buffer.alloc(64))],
  ['by a key that is no point', isSignedBy(Buffer.alloc(32, 0xff), 'node', DATA, Buffer.alloc(64))],
])('a signature %s is none', (_what, signed) => {
  expect(signed).toBe(false);
});

test('HS7: an S beyond the order of the group, the same signature in another form, is refused', () => {
  const order = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n;
  const signature = first.sign('node', DATA);
  let s = 0n;
  for (let at = 63; at >= 32; at--) s = (s << 8n) | BigInt(signature.readUInt8(at));
  s += order;
  for (let at = 32; at < 64; at++, s >>= 8n) signature.writeUInt8(Number(s & 255n), at);
  expect(isSignedByNode(first.id, 'node', DATA, signature)).toBe(false);
});

test('a key of another kind is no identity', () => {
  const { privateKey } = generateKeyPairSync('x25519');
  const der = privateKey.export({ format: 'der', type: 'pkcs8' });
  expect(() => new Identity(der)).toThrow('not an Ed25519 key');
});
