/** What a peer tells of itself, and what of it is believed. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Card } from '../../src/core/card.ts';
import { CARDS_PER_NODE_MAX, CARDS_PER_PAGE_MAX } from '../../src/core/limits.ts';
import { Gate } from '../../src/mesh/gate.ts';
import type { Identity } from '../../src/mesh/identity.ts';
import type { Frame } from '../../src/protocol/frame.ts';
import { Chance } from '../support/chance.ts';
import { first, NETWORK_KEY, second, third } from '../support/identities.ts';
import { type MeshNode, MeshWorld } from '../support/mesh-world.ts';
import { DIAL, HELLO, handshakeOf } from '../support/recorded-link.ts';
import { RudePeer } from '../support/rude-peer.ts';

let world: MeshWorld;
let node: MeshNode;
let rude: RudePeer;

beforeEach(async () => {
  world = new MeshWorld();
  node = await world.node('alpha', { identity: first });
  const chance = new Chance(5);
  const pass = new Gate(NETWORK_KEY).pass((bytes) => chance.bytes(bytes));
  const headers = { 'x-clawmatrix-gate': pass.header };
  const dial = { ...DIAL, subprotocol: 'clawmatrix.v1', headers };
  const socket = world.network.host('rude').dial('ws://alpha:1', dial);
  rude = new RudePeer(socket, handshakeOf('initiator', second, { prologue: pass.prologue }));
  world.clock.turn();
  rude.say({ type: 'ready', head: HELLO });
  world.clock.turn();
});

afterEach(() => world.close());

const record = {
  id: second.id,
  epoch: 1,
  seq: 1,
  name: 'bravo',
  version: '2.0.0',
  addresses: [],
  listens: false,
  relays: false,
  neighbours: [],
  draining: false,
};

function signed(
  type: 'node' | 'cards',
  value: unknown,
  by: Identity = second,
  as: 'node' | 'cards' = type,
): Frame {
  const json = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  return { type, signature: by.sign(as, json), json };
}

const cards = (count: number, from = 0): Card[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `m${from + index}`,
    provider: 'ollama',
    dialect: 'chat',
  }));
const page = (seq: number, at: number, pages: number, list: readonly unknown[]) =>
  signed('cards', { id: second.id, epoch: 1, seq, page: at, pages, cards: list });

function hear(...frames: readonly Frame[]): void {
  for (const frame of frames) rude.say(frame);
  world.clock.turn();
}

const known = () => ({ name: node.peer(second.id).name, models: node.peer(second.id).cards.length });

test('what a peer says of itself counts, and the newest of it', () => {
  hear(signed('node', record), page(1, 0, 1, cards(2)));
  expect(known()).toEqual({ name: 'bravo', models: 2 });
  hear(signed('node', { ...record, seq: 2, name: 'newer' }), page(2, 0, 1, cards(3)));
  expect(known()).toEqual({ name: 'newer', models: 3 });
  hear(signed('node', { ...record, epoch: 2, seq: 0, name: 'restarted' }));
  expect(known().name).toBe('restarted');
});

test('an older or the same version is ignored, however often it comes', () => {
  hear(signed('node', { ...record, epoch: 2, seq: 5, name: 'newest' }));
  for (const [epoch, seq] of [
    [2, 5],
    [2, 4],
    [1, 99],
    [0, 0],
  ])
    hear(signed('node', { ...record, epoch, seq }));
  expect(known().name).toBe('newest');
  expect(rude.closed).toBeUndefined();
});

test.each<[string, () => Frame]>([
  ['signed by another node', () => signed('node', record, third)],
  ['signed as something else', () => signed('node', record, second, 'cards')],
  ['about another node', () => signed('node', { ...record, id: third.id })],
  ['about this node', () => signed('node', { ...record, id: first.id })],
  ['about no node', () => signed('node', { ...record, id: 'x' })],
  ['that is no JSON', () => signed('node', '{"id":')],
  ['that is a list', () => signed('node', [])],
  ['with a name of 65 letters', () => signed('node', { ...record, name: 'n'.repeat(65) })],
  ['with a name that steers a terminal', () => signed('node', { ...record, name: 'a\u001b[2J' })],
  ['with a version that steers a terminal', () => signed('node', { ...record, version: '\u001b]0;x' })],
  ['with nine addresses', () => signed('node', { ...record, addresses: Array(9).fill('ws://a') })],
  [
    'with 65 neighbours',
    () => signed('node', { ...record, neighbours: Array(65).fill({ id: third.id, rtt: 0 }) }),
  ],
  ['with an epoch that is no number', () => signed('node', { ...record, epoch: 'new' })],
  ['with a version below zero', () => signed('node', { ...record, seq: -1 })],
  [
    'cards signed by another node',
    () => signed('cards', { id: second.id, epoch: 1, seq: 1, page: 0, pages: 1, cards: [] }, third),
  ],
  ['65 cards to a page', () => page(1, 0, 1, cards(CARDS_PER_PAGE_MAX + 1))],
  ['a page beyond the last', () => page(1, 1, 1, cards(1))],
  ['pages without end', () => page(1, 0, CARDS_PER_NODE_MAX + 1, cards(1))],
  ['a card without an id', () => page(1, 0, 1, [{ provider: 'ollama', dialect: 'chat' }])],
  [
    'a card that steers a terminal',
    () => page(1, 0, 1, [{ id: '\u001b[2J', provider: 'ollama', dialect: 'chat' }]),
  ],
])('what is not right is dropped, and the third time closes 4005: %s', (_what, make) => {
  const before = node.changes;
  hear(make(), make());
  expect([known(), rude.closed, node.changes]).toEqual([{ name: HELLO.name, models: 0 }, undefined, before]);
  hear(make());
  expect(rude.closed?.code).toBe(4005);
});

test('513 cards are dropped with a strike, at the page that makes them too many', () => {
  const pages = Array.from({ length: 9 }, (_, at) =>
    page(1, at, 512, cards(CARDS_PER_PAGE_MAX, at * CARDS_PER_PAGE_MAX)),
  );
  hear(...pages.slice(0, 8));
  expect(rude.closed).toBeUndefined();
  for (let again = 0; again < 2; again++) hear(...pages);
  hear(...pages.slice(8));
  expect(known().models).toBe(0);
  expect(rude.closed).toBeUndefined();
  hear(...pages);
  expect(rude.closed?.code).toBe(4005);
});

test('a set of pages counts when its last is there, in whatever order they come', () => {
  hear(page(1, 0, 1, cards(1)));
  hear(page(2, 2, 3, cards(10, 20)), page(2, 0, 3, cards(10)));
  expect(known().models).toBe(1);
  hear(page(2, 1, 3, cards(10, 10)));
  expect(node.peer(second.id).cards.map(({ id }) => id)).toEqual(cards(30).map(({ id }) => id));
});

test('a newer set that begins drops the one before it, and a page of the older is ignored', () => {
  hear(page(1, 0, 2, cards(1)), page(2, 0, 2, cards(5)), page(1, 1, 2, cards(1)));
  expect(known().models).toBe(0);
  hear(page(2, 1, 2, cards(5, 5)));
  expect(known().models).toBe(10);
});

test('FR6: members and cards of a newer version are read as far as they are known', () => {
  const card = { ...cards(1)[0], colour: 'blue' };
  hear(signed('node', { ...record, moods: ['good'] }), page(1, 0, 1, [card]));
  expect(node.peer(second.id).cards).toEqual(cards(1));
  expect(known().name).toBe('bravo');
});

test('FR6: a card of a dialect that is not known here is passed over, and the link and the other cards stay', () => {
  const foreign = { id: 'm9', provider: 'anthropic', dialect: 'messages' };
  for (let seq = 1; seq <= 4; seq++) hear(page(seq, 0, 1, [foreign, ...cards(1), foreign]));
  expect(node.peer(second.id).cards).toEqual(cards(1));
  expect(rude.closed).toBeUndefined();
});

test('a node that drains takes no calls, and stays in the list', () => {
  hear(signed('node', { ...record, draining: true }));
  expect([node.peer(second.id).live, node.view(second.id).status]).toEqual([false, 'direct']);
});

test('this node tells who it is and, when a neighbour comes, who its neighbours are', async () => {
  const told = () => rude.of('node').map(({ json }): unknown => JSON.parse(Buffer.from(json).toString()));
  expect(told().at(-1)).toMatchObject({ id: first.id, name: 'alpha', neighbours: [{ id: second.id }] });
  await world.node('charlie', { identity: third, peers: ['alpha'] });
  world.clock.turn();
  expect(told().at(-1)).toMatchObject({ neighbours: [{ id: second.id }, { id: third.id }] });
  expect(rude.of('cards')).toHaveLength(1);
});
