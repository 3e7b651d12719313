import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Card } from '../../src/core/card.ts';
import { CARDS_PER_NODE_MAX } from '../../src/core/limits.ts';
import { ask, bytesOf, makeCall } from '../support/exchange-node.ts';
import { first, second, third } from '../support/identities.ts';
import { MeshWorld } from '../support/mesh-world.ts';

let world: MeshWorld;

beforeEach(() => {
  world = new MeshWorld();
});

afterEach(() => world.close());

const card = (id: string, more: Partial<Card> = {}): Card => ({
  id,
  provider: 'ollama',
  dialect: 'chat',
  ...more,
});

test('two nodes meet: each shows the name, version and models of the other', async () => {
  const alpha = await world.node('alpha', { identity: first, cards: [card('a')] });
  const bravo = await world.node('bravo', {
    identity: second,
    peers: ['alpha'],
    cards: [card('b'), card('c')],
    epoch: 4,
  });
  world.clock.turn();
  expect(alpha.view(second.id)).toEqual({
    id: second.id,
    name: 'bravo',
    status: 'direct',
    rttMs: 0,
    path: ['alpha', 'bravo'],
    models: ['b', 'c'],
    version: '1.0.4',
    url: null,
    reason: null,
  });
  expect(bravo.view(first.id)).toMatchObject({ name: 'alpha', models: ['a'], url: 'ws://alpha:1' });
  expect([alpha.changes > 0, bravo.changes > 0]).toEqual([true, true]);
});

test('a call crosses between them, and all that it took is given back', async () => {
  const alpha = await world.node('alpha', { identity: first, cards: [card('a')] });
  const bravo = await world.node('bravo', { identity: second, peers: ['alpha'], listens: false });
  world.clock.turn();
  const { exchange } = bravo.peer(first.id);
  const got = ask(exchange.answer(card('a')), makeCall().call, new AbortController().signal);
  const rest = async () => {
    for (let round = 0; round < 20; round++) {
      world.clock.turn();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await rest();
  expect([alpha.mesh.openCalls, bravo.mesh.openCalls]).toEqual([
    { entry: 0, owner: 1 },
    { entry: 1, owner: 0 },
  ]);
  alpha.owner.last.start().push('x').end();
  await rest();
  expect([got.end, bytesOf(got).toString()]).toEqual(['whole', 'x']);
  expect([alpha.slots.usedBytes, alpha.buffers.usedBytes, bravo.buffers.usedBytes]).toEqual([0, 0, 0]);
  expect(bravo.mesh.openCalls).toEqual({ entry: 0, owner: 0 });
});

test('as many cards as a node may have arrive, in their order', async () => {
  const cards = Array.from({ length: CARDS_PER_NODE_MAX + 1 }, (_, index) =>
    card(`m${index}`, { description: 'd'.repeat(512) }),
  );
  await world.node('alpha', { identity: first, cards });
  const bravo = await world.node('bravo', { identity: second, peers: ['alpha'] });
  world.clock.turn();
  expect(bravo.peer(first.id).cards).toEqual(cards.slice(0, CARDS_PER_NODE_MAX));
});

test('a node that goes keeps its name and models in the list, and says that it stopped', async () => {
  const alpha = await world.node('alpha', { identity: first, cards: [card('a')] });
  const bravo = await world.node('bravo', { identity: second, peers: ['alpha'] });
  world.clock.turn();
  await world.stop(alpha);
  expect(bravo.view(first.id)).toMatchObject({
    status: 'down',
    models: ['a'],
    path: [],
    rttMs: null,
    reason: 'the peer stopped',
  });
});

test('HS1: another network key: the list says why nobody answers there, and nothing is linked', async () => {
  const alpha = await world.node('alpha', { identity: first });
  const bravo = await world.node('bravo', {
    identity: second,
    peers: ['alpha'],
    networkKey: Buffer.alloc(32, 1),
  });
  world.clock.turn();
  expect(bravo.mesh.views()).toMatchObject([{ id: null, url: 'ws://alpha:1', status: 'down' }]);
  expect(bravo.mesh.views()[0]?.reason).toContain('another network key');
  expect([alpha.mesh.views(), alpha.linked]).toEqual([[], []]);
});

test('HS6: an address where another node answers than the one configured is refused, and the list says who it was', async () => {
  const alpha = await world.node('alpha', { identity: first });
  const bravo = await world.node('bravo', {
    identity: second,
    peers: [{ url: 'ws://alpha:1', id: third.id }],
  });
  world.clock.turn();
  expect(bravo.mesh.views()[0]).toMatchObject({ id: third.id, status: 'down' });
  expect(bravo.mesh.views()[0]?.reason).toContain(first.id);
  expect(alpha.linked).toEqual([]);
});

test('an address of the node itself is refused, and the list says so', async () => {
  const alpha = await world.node('alpha', { identity: first, peers: ['alpha'] });
  world.clock.turn();
  expect(alpha.mesh.views()[0]?.reason).toContain('this node itself');
});

test('nobody there: the list says so, and only the first of many tries is in the log', async () => {
  const alpha = await world.node('alpha', { identity: first, peers: ['nobody'] });
  world.clock.advance(600_000);
  expect(alpha.mesh.views()[0]?.reason).toBe('no connection: connect ECONNREFUSED nobody:1');
  expect(world.network.wires.length).toBeGreaterThan(10);
  expect(alpha.logged.filter((line) => line.includes('not reached'))).toHaveLength(1);
});

test('what the log says of a lost link names the peer and the reason', async () => {
  const alpha = await world.node('alpha', { identity: first });
  await world.node('bravo', { identity: second, peers: ['alpha'] });
  world.clock.turn();
  world.network.wires[0]?.cut();
  world.clock.turn();
  const lost = alpha.logged.filter((line) => line.includes('peer lost'));
  expect(lost).toHaveLength(1);
  expect(lost[0]).toContain(second.id);
  expect(lost[0]).toContain('the connection was lost');
});

test('a stopped mesh dials no more, and stopping twice is safe', async () => {
  const alpha = await world.node('alpha', { identity: first, peers: ['bravo'] });
  await world.node('bravo', { identity: second });
  world.clock.turn();
  await alpha.mesh.close();
  await alpha.mesh.close();
  const { length } = world.network.wires;
  world.clock.advance(120_000);
  expect(world.network.wires).toHaveLength(length);
});

test('a mesh that is stopped in the middle of a dial leaves nothing behind', async () => {
  world.network.onWire = ({ there }) => {
    there.delayMs = 100;
  };
  const alpha = await world.node('alpha', { identity: first, peers: ['bravo', 'nobody'] });
  await world.node('bravo', { identity: second });
  world.clock.advance(150);
  await alpha.mesh.close();
  world.clock.advance(2_000);
  expect(alpha.linked).toEqual([]);
});

test('a node that stops takes no new call, and lets the running ones end', async () => {
  const alpha = await world.node('alpha', { identity: first, cards: [card('a')] });
  const bravo = await world.node('bravo', { identity: second, peers: ['alpha'], listens: false });
  world.clock.turn();
  const rest = async () => {
    for (let round = 0; round < 20; round++) {
      world.clock.turn();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const { exchange } = bravo.peer(first.id);
  const running = ask(exchange.answer(card('a')), makeCall().call, new AbortController().signal);
  await rest();
  let drained = false;
  void alpha.mesh.drain(30_000).then(() => {
    drained = true;
  });
  const late = ask(exchange.answer(card('a')), makeCall().call, new AbortController().signal);
  await rest();
  expect(bravo.peer(first.id).live).toBe(false);
  expect(bravo.view(first.id)).toMatchObject({
    status: 'direct',
    reason: 'it is stopping: running calls may end, new ones go elsewhere',
  });
  expect(late.end).toMatchObject({ code: 'draining', message: 'node alpha is stopping' });
  world.clock.advance(29_000);
  await rest();
  expect(drained).toBe(false);
  alpha.owner.last.start().push('x').end();
  await rest();
  expect(bytesOf(running).toString()).toBe('x');
  world.clock.advance(50);
  await rest();
  expect(drained).toBe(true);
});

test('a node that comes back after its stop takes calls again', async () => {
  const alpha = await world.node('alpha', { identity: first, cards: [card('a')], epoch: 1 });
  const bravo = await world.node('bravo', { identity: second, peers: ['alpha'], listens: false });
  world.clock.turn();
  await alpha.mesh.drain(0);
  world.clock.turn();
  expect(bravo.peer(first.id).live).toBe(false);
  await world.stop(alpha);
  await world.node('alpha', { identity: first, cards: [card('a')], epoch: 2 });
  world.clock.advance(5_000);
  expect(bravo.peer(first.id).live).toBe(true);
});

test('models that change are told to those that are linked', async () => {
  const alpha = await world.node('alpha', { identity: first, cards: [card('a')] });
  const bravo = await world.node('bravo', { identity: second, peers: ['alpha'] });
  world.clock.turn();
  alpha.mesh.announce([card('b'), card('c')]);
  world.clock.turn();
  expect(bravo.view(first.id).models).toEqual(['b', 'c']);
});
