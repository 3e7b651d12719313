import { beforeEach, expect, test } from 'vitest';
import { SOCKET_UNSENT_BYTES_MAX } from '../../src/core/limits.ts';
import type { Frame } from '../../src/protocol/frame.ts';
import { LinkWorld } from '../support/link-pair.ts';
import { HELLO, type RecordedLink } from '../support/recorded-link.ts';

let world: LinkWorld;

beforeEach(() => {
  world = new LinkWorld();
});

const credit = (offset: number): Frame => ({ type: 'model_credit', number: 1, offset });
const stream = (number: number, bytes: number): Frame => ({
  type: 'model_stream',
  number,
  bytes: Buffer.alloc(bytes, number),
  more: false,
});
const offsets = ({ frames }: RecordedLink) => frames.map((frame) => ('offset' in frame ? frame.offset : 0));

test.each(['flipped', 'dropped', 'doubled', 'swapped'] as const)(
  'FR4: a record that is %s on the way closes 4001, and nothing behind it is delivered',
  (how) => {
    const { near, far } = world.linked();
    const kept: Buffer[] = [];
    world.wire.there.tamper = (message) => {
      kept.push(message);
      if (how === 'doubled') return [message, message];
      if (how === 'flipped')
        return [Buffer.concat([Buffer.of(message.readUInt8(0) ^ 1), message.subarray(1)])];
      if (how === 'dropped') return kept.length === 1 ? [] : [message];
      return kept.length === 1 ? [] : kept.splice(0).reverse();
    };
    near.link.send(credit(1));
    world.clock.turn();
    near.link.send(credit(2));
    world.clock.turn();
    expect([near.end?.code, far.end?.code]).toEqual([4001, 4001]);
    expect(far.frames).toEqual(how === 'doubled' ? [credit(1)] : []);
  },
);

test('FR4: a node that gets its own records back refuses them', () => {
  const { near, far } = world.linked();
  const sent: Buffer[] = [];
  world.wire.there.tamper = (message) => {
    sent.push(message);
    return [];
  };
  world.wire.back.tamper = () => sent;
  near.link.send(credit(1));
  world.clock.turn();
  far.link.send(credit(1));
  world.clock.turn();
  expect([near.end?.code, near.frames.length]).toEqual([4001, 0]);
});

test('FR7: rekey every 16 records, under load both ways, loses nothing and keeps the order', () => {
  const rekey = { records: 16, bytes: 1e9, ms: 1e9 };
  const { near, far } = world.linked({ rekey }, { rekey });
  for (let index = 1; index <= 1_000; index++) {
    near.link.send(credit(index));
    near.link.send(stream(index, 100));
    far.link.send(credit(index));
    world.clock.turn();
  }
  expect([near.isOpen, far.isOpen]).toEqual([true, true]);
  const all = Array.from({ length: 1_000 }, (_, index) => index + 1);
  expect(offsets(near)).toEqual(all);
  expect(offsets(far).filter((offset) => offset > 0)).toEqual(all);
  expect(far.frames).toHaveLength(2_000);
});

test.each([
  ['bytes', { records: 1e9, bytes: 100, ms: 1e9 }],
  ['time', { records: 1e9, bytes: 1e9, ms: 1_000 }],
])('a key is also replaced after its %s', (_what, rekey) => {
  const { rude, link } = world.rudeAndReady({ rekey });
  for (let index = 1; index <= 20; index++) {
    link.link.send(credit(index));
    world.clock.advance(200);
  }
  expect(rude.of('rekey').length).toBeGreaterThan(2);
  expect(rude.of('model_credit')).toHaveLength(20);
});

test('a peer may rekey after every record', () => {
  const { rude, link } = world.rudeAndReady();
  for (let offset = 1; offset <= 50; offset++) {
    rude.say(credit(offset), { type: 'rekey' });
    rude.rekey();
  }
  world.clock.turn();
  expect(link.isOpen).toBe(true);
  expect(link.frames).toHaveLength(50);
});

test('a peer that says rekey and goes on with the old key is refused', () => {
  const { rude, link } = world.rudeAndReady();
  rude.say({ type: 'rekey' });
  rude.say(credit(1));
  world.clock.turn();
  expect([link.end?.code, link.frames.length]).toEqual([4001, 0]);
});

test('frames that are written in one turn share one record, those of the next turn have their own', () => {
  const { near, far } = world.linked();
  const records: number[] = [];
  world.wire.there.tamper = (message) => {
    records.push(message.length);
    return [message];
  };
  for (let index = 1; index <= 10; index++) near.link.send(credit(index));
  world.clock.turn();
  expect(records).toEqual([10 * 16 + 16]);
  near.link.send(credit(11));
  world.clock.turn();
  expect(records).toHaveLength(2);
  expect(offsets(far)).toHaveLength(11);
});

test('at most 256 KiB and a record are unsent in the socket; the rest goes when there is room', () => {
  const { near, far } = world.linked();
  world.wire.there.stuck = true;
  for (let index = 0; index < 64; index++) near.link.send(stream(1, 16_000));
  world.clock.turn();
  const { unsentBytes } = world.wire.there;
  expect(unsentBytes).toBeGreaterThanOrEqual(SOCKET_UNSENT_BYTES_MAX);
  expect(unsentBytes).toBeLessThan(SOCKET_UNSENT_BYTES_MAX + 64 * 1024);
  world.wire.there.release('one');
  world.clock.turn();
  expect(world.wire.there.unsentBytes).toBeLessThan(SOCKET_UNSENT_BYTES_MAX + 64 * 1024);
  world.wire.there.release('all');
  world.clock.turn();
  expect(far.frames).toHaveLength(64);
});

test('control comes before calls, calls take turns, gossip comes last', () => {
  const { near, far } = world.linked();
  world.wire.there.stuck = true;
  // Fills the socket, so that all that follows waits where its order can still change.
  for (let index = 0; index < 20; index++) near.link.send(stream(99, 16_000));
  world.clock.turn();
  near.link.send({ type: 'node', signature: Buffer.alloc(64), json: Buffer.from('{}') });
  for (const number of [1, 1, 1, 3, 3, 5]) near.link.send(stream(number, 10));
  near.link.send(credit(7));
  near.link.send({ type: 'goaway', head: { reason: 'stop' } });
  world.wire.there.release('all');
  world.clock.turn();
  const order = far.frames
    .filter((frame) => !('number' in frame && frame.number === 99))
    .map((frame) => (frame.type === 'model_stream' ? frame.number : frame.type));
  expect(order).toEqual(['model_credit', 'goaway', 1, 3, 5, 1, 3, 1, 'node']);
});

test('a reset goes behind what its call has waiting, and before the next call is served', () => {
  const { near, far } = world.linked();
  const head = { code: 'busy', message: '' };
  near.link.send(stream(1, 10));
  near.link.send({ type: 'model_reset', number: 1, head });
  near.link.send({ type: 'model_reset', number: 3, head });
  world.clock.turn();
  expect(far.frames.map((frame) => [frame.type, 'number' in frame && frame.number])).toEqual([
    ['model_reset', 3],
    ['model_stream', 1],
    ['model_reset', 1],
  ]);
});

test('what a call has waiting can be forgotten, what the others have cannot', () => {
  const { near, far } = world.linked();
  near.link.send(stream(1, 10));
  near.link.send(stream(3, 10));
  near.link.forget(1);
  world.clock.turn();
  expect(far.frames.map((frame) => 'number' in frame && frame.number)).toEqual([3]);
});

test('a ping is answered with its own token and the lag of this process', () => {
  const { rude } = world.rudeAndReady();
  const token = Buffer.from('12345678');
  rude.say({ type: 'ping', token });
  world.clock.turn();
  const [pong] = rude.of('pong');
  expect([Buffer.from(pong?.token ?? []).toString(), pong?.lagMs]).toEqual(['12345678', 0]);
});

test('the peer hears of this node in ready, and in no frame before it', () => {
  const { rude } = world.rude({ hello: { ...HELLO, name: 'bravo' } });
  expect(rude.frames.map(({ type }) => type)).toEqual(['ready']);
  expect(rude.of('ready')[0]?.head.name).toBe('bravo');
});
