/** Group Frames of the fault catalogue at the codec; what a link or an exchange does with them is named in its own test. */
import { expect, test } from 'vitest';
import { CLOSE, type Frame, IGNORABLE_FROM, TYPE } from '../../src/protocol/frame.ts';
import { decode, encode } from './fixtures.ts';

const PING: Frame = { type: 'ping', token: Buffer.from('12345678') };

/** A frame as its bytes say, right or wrong. */
function frameOf(type: number, payload: Uint8Array | string, number = 0): Buffer {
  const body = Buffer.from(payload);
  const header = Buffer.alloc(8);
  header.writeUInt8(type, 0);
  header.writeUInt16BE(body.length, 2);
  header.writeUInt32BE(number, 4);
  return Buffer.concat([header, body]);
}

test('FR6: every type that is not known closes below 0x80 and is ignored from there up', () => {
  const known = new Set<number>(Object.values(TYPE));
  for (let type = 0; type < 256; type++) {
    if (known.has(type)) continue;
    const { frames, fault } = decode(
      Buffer.concat([encode([PING]), frameOf(type, 'anything', 7), encode([PING])]),
    );
    expect([type, fault?.closeCode]).toEqual([type, type < IGNORABLE_FROM ? CLOSE.protocol : undefined]);
    // What stands before it counts, what stands behind it only where it was ignored.
    expect(frames).toEqual(type < IGNORABLE_FROM ? [PING] : [PING, PING]);
  }
});

test('FR6: members that are not known are dropped, whatever they hold', () => {
  const head = { reason: 'stop', since: 1, nested: { deep: [null] }, constructor: 1 };
  const { frames, fault } = decode(frameOf(TYPE.goaway, JSON.stringify(head)));
  expect([frames, fault]).toEqual([[{ type: 'goaway', head: { reason: 'stop' } }], undefined]);
});

const DEEP = 4_000;

test.each([
  ['nested in place of the head', `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`],
  ['nested in place of a member', `{"reason":${'['.repeat(DEEP)}${']'.repeat(DEEP)}}`],
  ['of a head over its cap', `{"reason":"","x":"${'x'.repeat(17_000)}"}`],
  ['that is cut', '{"reason":"sto'],
  ['of two values', '{"reason":"a"}{"reason":"b"}'],
  ['with NaN', '{"reason":NaN}'],
  ['that is no object', '"stop"'],
  ['of a text for its prototype alone', '{"__proto__":{"reason":"stop"}}'],
])('FR9: JSON %s closes 4400', (_what, json) => {
  const { frames, fault } = decode(frameOf(TYPE.goaway, json));
  expect([frames, fault?.closeCode]).toEqual([[], CLOSE.protocol]);
});

test('FR9: a number that is no number, 1e999, closes 4400', () => {
  expect(decode(frameOf(TYPE.model_end, '{"bytes":1e999}', 1)).fault?.closeCode).toBe(CLOSE.protocol);
  expect(decode(frameOf(TYPE.model_end, '{"bytes":1e308}', 1)).fault?.closeCode).toBe(CLOSE.protocol);
});

test('FR9: a member that is not known may be as deep as it likes', () => {
  const json = `{"reason":"stop","x":${'['.repeat(DEEP)}${']'.repeat(DEEP)}}`;
  expect(decode(frameOf(TYPE.goaway, json)).frames).toEqual([{ type: 'goaway', head: { reason: 'stop' } }]);
});

test('FR9: of a member that is written twice the last one counts, everywhere', () => {
  const { frames } = decode(frameOf(TYPE.goaway, '{"reason":"a","reason":"b"}'));
  expect(frames).toEqual([{ type: 'goaway', head: { reason: 'b' } }]);
});

test('FR9: half of a surrogate pair stays in its text, and can be written again', () => {
  const { frames } = decode(frameOf(TYPE.goaway, '{"reason":"\\ud800"}'));
  expect(frames).toEqual([{ type: 'goaway', head: { reason: '\ud800' } }]);
  expect(() => encode(frames)).not.toThrow();
});

test.each(['__proto__', 'constructor', 'prototype'])(
  'FR9: a header called %s changes no prototype',
  (name) => {
    const { frames, fault } = decode(
      frameOf(TYPE.model_res, `{"status":200,"headers":{"${name}":"polluted"}}`, 1),
    );
    const heads = frames.map((frame) => (frame.type === 'model_res' ? frame.head.headers : {}));
    expect(fault === undefined || fault.closeCode === CLOSE.protocol).toBe(true);
    for (const head of heads) expect(Object.getPrototypeOf(head)).not.toBe('polluted');
    expect('polluted' in {}).toBe(false);
  },
);

test('FR8: credit of 2^53 and more closes 4400, 2^32 is an offset like another', () => {
  const offset = (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(value);
    return bytes;
  };
  for (const over of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n])
    expect(decode(frameOf(TYPE.model_credit, offset(over), 1)).fault?.closeCode).toBe(CLOSE.protocol);
  expect(decode(frameOf(TYPE.model_credit, offset(2n ** 32n), 1)).frames).toEqual([
    { type: 'model_credit', number: 1, offset: 2 ** 32 },
  ]);
});
