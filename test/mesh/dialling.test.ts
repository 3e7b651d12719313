/** Who dials when, and which of two links stays. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { NodeId } from '../../src/core/ids.ts';
import { LINK_HEALTHY_MS, RECONNECT_MAX_MS, RECONNECT_MIN_MS } from '../../src/core/limits.ts';
import { type Rival, stays } from '../../src/mesh/double-link.ts';
import { Chance } from '../support/chance.ts';
import { first, second } from '../support/identities.ts';
import { type MeshNode, MeshWorld } from '../support/mesh-world.ts';

let world: MeshWorld;

beforeEach(() => {
  world = new MeshWorld();
});

afterEach(() => world.close());

const ROUNDS = 1_000;

test(`HS10: both dial at once ${ROUNDS} times: one link stays, at both ends the same, and it stays for good`, async () => {
  const chance = new Chance(42);
  for (let round = 0; round < ROUNDS; round++) {
    const small = new MeshWorld();
    small.network.onWire = ({ there, back }) => {
      there.delayMs = chance.below(4);
      back.delayMs = chance.below(4);
    };
    const seeds = [chance.below(2 ** 31), chance.below(2 ** 31)];
    const alpha = await small.node('alpha', { identity: first, peers: ['bravo'], seed: seeds[0] ?? 0 });
    small.clock.advance(chance.below(8));
    const bravo = await small.node('bravo', { identity: second, peers: ['alpha'], seed: seeds[1] ?? 0 });
    small.clock.advance(2_000);
    const dialled = small.network.wires.length;
    expect(onlyLink(alpha, second.id)).toBe(onlyLink(bravo, first.id));
    small.clock.advance(5_000);
    expect(small.network.wires).toHaveLength(dialled);
    expect([alpha.linked, bravo.linked]).toEqual([[second.id], [first.id]]);
    await small.close();
  }
  // Two thousand handshakes: on a machine with other work they take their time.
}, 60_000);

/** Who dialled the link that a node has to its peer. */
function onlyLink(node: MeshNode, id: NodeId): NodeId {
  const { state } = node.peer(id);
  if (state.kind !== 'linked') throw new Error(`${node.name} has no link`);
  return state.link.initiator;
}

const rival = (initiator: NodeId, epoch = 1): Rival => ({ initiator, ready: { epoch } });

test.each([
  ['the smaller initiator’s stays', rival(first.id), rival(second.id), true],
  ['and replaces the other one', rival(second.id), rival(first.id), false],
  ['a newer boot epoch replaces, whoever dialled', rival(first.id, 1), rival(second.id, 2), false],
  ['an older one does not', rival(second.id, 2), rival(first.id, 1), true],
  ['a second one by the same initiator replaces', rival(first.id), rival(first.id), false],
])('of two links %s', (_what, current, next, kept) => {
  expect(stays(current, next)).toBe(kept);
});

test('a node that was started again replaces its old link before anyone noticed that it died', async () => {
  const alpha = await world.node('alpha', { identity: first });
  const dead = await world.node('bravo', { identity: second, peers: ['alpha'], listens: false, epoch: 1 });
  world.clock.turn();
  const [wire] = world.network.wires;
  if (wire !== undefined) [wire.there.lost, wire.back.lost] = [true, true];
  await world.stop(dead);
  const bravo = await world.node('bravo', { identity: second, peers: ['alpha'], listens: false, epoch: 2 });
  world.clock.turn();
  expect([alpha.linked, bravo.linked]).toEqual([[second.id], [first.id]]);
  expect(alpha.view(second.id).version).toBe('1.0.2');
  world.clock.advance(60_000);
  expect([alpha.linked, bravo.linked]).toEqual([[second.id], [first.id]]);
});

/** When each dial was, from now on. */
function dialTimes(): number[] {
  const times: number[] = [];
  world.network.onWire = () => times.push(world.clock.now());
  return times;
}

test('a lost link is dialled again, with a delay between 0.5 and 30 s that grows by at most three', async () => {
  const times = dialTimes();
  await world.node('alpha', { identity: first, peers: ['bravo'] });
  world.clock.advance(3_600_000);
  const gaps = times.slice(1).map((time, index) => Math.round(time - (times[index] ?? 0)));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(RECONNECT_MIN_MS);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(RECONNECT_MAX_MS);
  expect(Math.max(...gaps)).toBeGreaterThan(RECONNECT_MAX_MS / 2);
  for (const [index, gap] of gaps.entries()) {
    expect(gap).toBeLessThanOrEqual(3 * (gaps[index - 1] ?? RECONNECT_MIN_MS) + 3);
  }
});

test('two nodes that lost the same hub do not come back in step', async () => {
  const times = dialTimes();
  await world.node('alpha', { identity: first, peers: ['hub'] });
  await world.node('bravo', { identity: second, peers: ['hub'] });
  world.clock.advance(60_000);
  const tries = times.filter((time) => time > 0);
  expect(new Set(tries).size).toBe(tries.length);
});

test.each([
  ['less than 30 s keeps the long delay', LINK_HEALTHY_MS - 1_000, false],
  ['30 s of health starts small again', LINK_HEALTHY_MS + 1_000, true],
])('%s', async (_what, healthyMs, small) => {
  const alpha = await world.node('alpha', { identity: first, peers: ['bravo'] });
  // Failures until the delay is long.
  const times = dialTimes();
  let gap = 0;
  while (gap < 20_000) {
    world.clock.advance(100);
    gap = (times.at(-1) ?? 0) - (times.at(-2) ?? 0);
  }
  await world.node('bravo', { identity: second });
  while (alpha.linked.length === 0) world.clock.advance(100);
  world.clock.advance(healthyMs);
  // The delay that follows is drawn from a range that chance alone cannot make small a hundred times.
  const lostAt = world.clock.now();
  world.network.wires.at(-1)?.cut();
  while ((times.at(-1) ?? 0) <= lostAt) world.clock.advance(10);
  const delay = (times.at(-1) ?? 0) - lostAt;
  if (small) expect(delay).toBeLessThanOrEqual(3 * RECONNECT_MIN_MS);
  else expect(delay).toBeGreaterThan(3 * RECONNECT_MIN_MS);
});

test('a node that said that it stops is dialled again soon: most are started again at once', async () => {
  const alpha = await world.node('alpha', { identity: first, peers: ['bravo'] });
  const times = dialTimes();
  let gap = 0;
  while (gap < 20_000) {
    world.clock.advance(100);
    gap = (times.at(-1) ?? 0) - (times.at(-2) ?? 0);
  }
  const bravo = await world.node('bravo', { identity: second });
  while (alpha.linked.length === 0) world.clock.advance(100);
  await world.stop(bravo);
  const lostAt = world.clock.now();
  while ((times.at(-1) ?? 0) <= lostAt) world.clock.advance(10);
  expect((times.at(-1) ?? 0) - lostAt).toBeLessThanOrEqual(3 * RECONNECT_MIN_MS);
});

test('a dialler stays quiet while its node is linked by another link, and takes over when that ends', async () => {
  world.network.reaches = (from) => from !== 'alpha';
  const alpha = await world.node('alpha', {
    identity: first,
    peers: [{ url: 'ws://bravo:1', id: second.id }],
  });
  const bravo = await world.node('bravo', { identity: second, peers: ['alpha'] });
  world.clock.advance(20_000);
  expect(alpha.linked).toEqual([second.id]);
  world.network.reaches = () => true;
  const times = dialTimes();
  world.clock.advance(600_000);
  expect(times).toEqual([]);
  await bravo.mesh.close();
  world.clock.turn();
  expect(times).toHaveLength(1);
});

test('two addresses of one node make one link', async () => {
  const alpha = await world.node('alpha', { identity: first });
  world.network.onWire = (wire) => {
    wire.there.delayMs = world.network.wires.length;
  };
  const bravo = await world.node('bravo', {
    identity: second,
    peers: ['alpha', { url: 'ws://alpha:1', id: first.id }],
  });
  world.clock.advance(120_000);
  const { length } = world.network.wires;
  world.clock.advance(600_000);
  expect([alpha.linked, bravo.linked, world.network.wires.length]).toEqual([[second.id], [first.id], length]);
  expect(bravo.mesh.views()).toHaveLength(1);
});
