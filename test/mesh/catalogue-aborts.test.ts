/** A thousand calls that are left at random moments: what they took is given back, and the link does not suffer. */
import { expect, test } from 'vitest';
import { Chance } from '../support/chance.ts';
import { ExchangeWorld } from '../support/exchange-world.ts';

const CALLS = 1_000;
const TOGETHER = 20;

test(`${CALLS} calls left at random moments leave no call, no byte, no slot and no timer behind`, async () => {
  const chance = new Chance(3);
  const world = new ExchangeWorld().link();
  for (let done = 0; done < CALLS; done += TOGETHER) {
    const calls = Array.from({ length: TOGETHER }, () =>
      world.call(
        { body: Buffer.alloc(chance.pick([2, 2_000, 200_000]), 0x20) },
        { read: chance.below(3) > 0 },
      ),
    );
    const left = new Set(calls);
    while (left.size > 0) {
      await world.rest(chance.below(3));
      for (const asked of world.owner.owner.calls) stir(asked, chance);
      const call = chance.pick([...left]);
      if (chance.below(2) === 0) continue;
      call.cancel();
      left.delete(call);
    }
    await world.rest(4);
    world.clock.advance(chance.below(100));
    world.owner.owner.calls.splice(0);
  }
  await world.rest();
  expect([world.entry.isLinked, world.owner.isLinked]).toEqual([true, true]);
  expect(world.owner.held).toEqual({ bytes: 0, slots: 0, calls: 0 });
  // Whatever is left of a call is found here.
  await world.close();
});

type Asked = ExchangeWorld['owner']['owner']['calls'][number];
const started = new WeakSet<Asked>();

/** The upstream does the next thing, or nothing. */
function stir(asked: Asked, chance: Chance): void {
  if (asked.over) return;
  const what = chance.below(5);
  if (!started.has(asked)) {
    if (what > 2) return;
    started.add(asked);
    asked.start();
  } else if (what < 3) asked.push(Buffer.alloc(chance.pick([1, 500, 20_000, 100_000]), 0x61));
  else if (chance.below(10) === 0) asked.end();
}
