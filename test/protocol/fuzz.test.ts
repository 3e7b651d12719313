import { expect, test } from 'vitest';
import { CLOSE } from '../../src/protocol/frame.ts';
import { Chance } from '../support/chance.ts';
import { decode, encode, invalidRecords, readable, validRecords } from './fixtures.ts';

const RECORDS = 50_000;
const SEED = 20_260_101;

const seeds = [...validRecords, ...invalidRecords]
  .map(({ hex }) => Buffer.from(hex, 'hex'))
  .filter((bytes) => bytes.length > 0 && bytes.length < 2_048);

/** A golden record with a few of its bytes changed, cut, doubled or joined to another; or nothing but chance. */
function mutated(chance: Chance): Buffer {
  if (chance.below(10) === 0) return chance.bytes(chance.below(200));
  const base = Buffer.from(chance.pick(seeds));
  switch (chance.below(5)) {
    case 0:
      return base.subarray(0, chance.below(base.length + 1));
    case 1:
      return Buffer.concat([base, chance.pick(seeds)]);
    case 2: {
      const at = chance.below(base.length);
      return Buffer.concat([base.subarray(0, at), chance.bytes(chance.below(9)), base.subarray(at)]);
    }
    default:
      for (let flips = chance.below(4) + 1; flips > 0; flips--)
        base[chance.below(base.length)] = chance.below(256);
      return base;
  }
}

test(`${RECORDS} records by chance: each is frames or a fault, never an exception, and none is slow`, () => {
  const chance = new Chance(SEED);
  const faults = new Map<number, number>();
  let whole = 0;
  let slowestMs = 0;
  for (let index = 0; index < RECORDS; index++) {
    const record = mutated(chance);
    const startedAt = performance.now();
    const { frames, fault } = decode(record);
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    if (fault !== undefined) faults.set(fault.closeCode, (faults.get(fault.closeCode) ?? 0) + 1);
    else if (frames.length > 0) {
      whole++;
      // What was understood can be said again and means the same.
      expect(decode(encode(frames)).frames.map(readable)).toEqual(frames.map(readable));
    }
  }
  expect([...faults.keys()].sort()).toEqual([CLOSE.refused, CLOSE.protocol]);
  expect(whole).toBeGreaterThan(RECORDS / 20);
  expect(slowestMs).toBeLessThan(100);
  expect('polluted' in {}).toBe(false);
});
