import { expect, test } from 'vitest';
import { FRAME_HEADER_BYTES, RECORD_PLAIN_BYTES_MAX } from '../../src/core/limits.ts';
import { TYPE } from '../../src/protocol/frame.ts';
import { decode, encode, invalidRecords, readable, validRecords } from './fixtures.ts';

test.each(validRecords)('$file is read, and written again byte for byte: $name', ({ hex, frames, again }) => {
  const decoded = decode(Buffer.from(hex, 'hex'));
  expect(decoded.fault).toBeUndefined();
  expect(decoded.frames.map(readable)).toEqual(frames);
  expect(encode(decoded.frames).toString('hex')).toBe(again ?? hex);
});

test.each(invalidRecords)('FR6: $file earns $closeCode: $name', ({ hex, closeCode }) => {
  expect(decode(Buffer.from(hex, 'hex')).fault?.closeCode).toBe(closeCode);
});

test('every type of frame has a golden record', () => {
  const seen = new Set(validRecords.flatMap(({ frames }) => frames.map(({ type }) => type)));
  expect([...seen].sort()).toEqual(Object.keys(TYPE).sort());
});

test('a record of 60 KiB is read, one byte more earns 4001', () => {
  const record = (bytes: number) =>
    encode([{ type: 'model_body', number: 1, bytes: new Uint8Array(bytes - FRAME_HEADER_BYTES) }]);
  expect(decode(record(RECORD_PLAIN_BYTES_MAX)).frames).toHaveLength(1);
  expect(decode(record(RECORD_PLAIN_BYTES_MAX + 1))).toMatchObject({
    frames: [],
    fault: { closeCode: 4001 },
  });
});

test('frames before the one that is not right are handed over, none after it', () => {
  const good = validRecords.find(({ file }) => file === 'ping.json');
  const bad = invalidRecords.find(({ file }) => file === 'number.present.json');
  const record = Buffer.from(`${good?.hex}${bad?.hex}${good?.hex}`, 'hex');
  expect(decode(record).frames).toHaveLength(1);
});

test('no prototype has changed after all of them', () => {
  for (const { hex } of [...validRecords, ...invalidRecords]) decode(Buffer.from(hex, 'hex'));
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  expect('polluted' in {}).toBe(false);
});
