import { expect, test } from 'vitest';
import { CLOSE } from '../../src/protocol/frame.ts';
import { Chance } from '../support/chance.ts';
import { decode, encode, readable } from './fixtures.ts';
import { mutated } from './mutated.ts';

const RECORDS = 50_000;
const SEED = 20_260_101;

test(`FR5: ${RECORDS} records by chance: each is frames or a fault, never an exception, and none is slow`, () => {
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
