import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { GATE_NONCES_MAX } from '../../src/core/limits.ts';
import { Gate } from '../../src/mesh/gate.ts';
import { NETWORK_KEY } from '../support/identities.ts';

const gate = () => new Gate(NETWORK_KEY);
const pass = () => gate().pass(randomBytes);

test('a pass of the same network key opens the gate, and both sides bind the same bytes', () => {
  const { header, prologue } = pass();
  expect(gate().check(header)?.prologue).toEqual(prologue);
  expect(prologue.toString('latin1').startsWith('clawmatrix/1')).toBe(true);
  expect(prologue).toHaveLength(12 + 8 + 16 + 32);
});

test('HS1: a pass of another network key does not open the gate', () => {
  const other = new Gate(Buffer.alloc(32, 1)).pass(randomBytes);
  expect(gate().check(other.header)).toBeUndefined();
});

test('HS4: a pass opens the gate once', () => {
  const [door, { header }] = [gate(), pass()];
  expect(door.check(header)).toBeDefined();
  expect(door.check(header)).toBeUndefined();
});

test('the same pass in other letters is still the same pass', () => {
  const [door, { header }] = [gate(), pass()];
  const padded = header.split('.').map((part) => Buffer.from(part, 'base64url').toString('base64'));
  expect(door.check(header)).toBeDefined();
  expect(door.check(padded.join('.'))).toBeUndefined();
});

test('the last 4,096 are remembered; one more lets the oldest be forgotten, and no other', () => {
  const door = gate();
  const [oldest, next] = [pass().header, pass().header];
  door.check(oldest);
  door.check(next);
  for (let index = 2; index < GATE_NONCES_MAX; index++) door.check(pass().header);
  expect(door.check(oldest)).toBeUndefined();
  door.check(pass().header);
  expect(door.check(next)).toBeUndefined();
  expect(door.check(oldest)).toBeDefined();
});

test('a pass that is refused is not remembered: strangers cannot push the others out', () => {
  const [door, { header }] = [gate(), pass()];
  door.check(header);
  for (let index = 0; index < GATE_NONCES_MAX + 1; index++) {
    door.check(new Gate(Buffer.alloc(32, 1)).pass(randomBytes).header);
  }
  expect(door.check(header)).toBeUndefined();
});

test('any byte of a pass that is altered closes the gate', () => {
  const parts = pass()
    .header.split('.')
    .map((part) => Buffer.from(part, 'base64url'));
  for (const [index, part] of parts.entries()) {
    for (let at = 0; at < part.length; at++) {
      const altered = parts.map((one) => Buffer.from(one));
      altered[index]?.writeUInt8(part.readUInt8(at) ^ 1, at);
      expect(gate().check(altered.map((one) => one.toString('base64url')).join('.'))).toBeUndefined();
    }
  }
});

test.each([
  ['absent', undefined],
  ['empty', ''],
  ['two dots', '..'],
  ['one part', 'AAAA'],
  ['four parts', `${pass().header}.AAAA`],
  ['no letters of base64', '!!!.???.***'],
  ['a short mac', pass().header.slice(0, -4)],
  ['a long mac', `${pass().header}AAAA`],
  ['long', 'A'.repeat(4_000)],
])('a header that is %s closes the gate', (_what, header) => {
  expect(gate().check(header)).toBeUndefined();
});
