/** Records that are nearly right: the golden ones with faults put in by chance. */
import type { Chance } from '../support/chance.ts';
import { invalidRecords, validRecords } from './fixtures.ts';

const seeds = [...validRecords, ...invalidRecords]
  .map(({ hex }) => Buffer.from(hex, 'hex'))
  .filter((bytes) => bytes.length > 0 && bytes.length < 2_048);

/** A golden record with a few of its bytes changed, cut, doubled or joined to another; or nothing but chance. */
export function mutated(chance: Chance): Buffer {
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
