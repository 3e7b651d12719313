import { beforeEach, expect, test } from 'vitest';
import { HANDSHAKE_BYTES_MAX, HANDSHAKE_MS } from '../../src/core/limits.ts';
import { decode, validRecords } from '../protocol/fixtures.ts';
import { first, second, third } from '../support/identities.ts';
import { LinkWorld, type Side } from '../support/link-pair.ts';
import { DIAL, HELLO, type RecordedLink } from '../support/recorded-link.ts';

let world: LinkWorld;

beforeEach(() => {
  world = new LinkWorld();
});

const codes = (...links: readonly RecordedLink[]) => links.map(({ end }) => end?.code);

test('both sides open, each knows the other, what it said of itself and who dialled', () => {
  const { near, far } = world.linked(
    { hello: { ...HELLO, name: 'alpha' } },
    { hello: { ...HELLO, name: 'bravo' } },
  );
  expect([near.isOpen, far.isOpen]).toEqual([true, true]);
  expect([near.link.peer, far.link.peer]).toEqual([second.id, first.id]);
  expect([near.link.ready.name, far.link.ready.name]).toEqual(['bravo', 'alpha']);
  expect([near.link.initiator, far.link.initiator]).toEqual([first.id, first.id]);
  expect(near.link.rttMs).toBe(0);
});

const others = validRecords.filter(({ hex }) => {
  const [frame] = decode(Buffer.from(hex, 'hex')).frames;
  return frame?.type !== 'ready';
});

test.each(others)('HS8: before ready, $file closes 4001 and is not delivered', ({ hex }) => {
  const { rude, link } = world.rude();
  rude.sayPlain(Buffer.from(hex, 'hex'));
  world.clock.turn();
  expect(rude.closed?.code).toBe(4001);
  expect([link.readyTimes, link.frames.length, link.end?.code]).toEqual([0, 0, 4001]);
});

test('HS8: a frame that does not parse closes 4001 before ready', () => {
  const { rude } = world.rude();
  rude.sayPlain(Buffer.alloc(8));
  world.clock.turn();
  expect(rude.closed?.code).toBe(4001);
});

test('and 4400 after it', () => {
  const { rude } = world.rudeAndReady();
  rude.sayPlain(Buffer.alloc(8));
  world.clock.turn();
  expect(rude.closed?.code).toBe(4400);
});

test.each<[string, Side, Side, number]>([
  ['of another network key', { handshake: { networkKey: Buffer.alloc(32, 1) } }, {}, 4001],
  ['that is not the one expected', { handshake: { expected: third.id } }, {}, 4001],
  ['that is the dialler itself', {}, { handshake: { identity: first } }, 4001],
  ['behind another gate', { handshake: { prologue: Buffer.from('x') } }, {}, 4001],
  ['too new', {}, { hello: { ...HELLO, min: 2, max: 3 } }, 4004],
  ['too new to be known', { hello: { ...HELLO, min: 2, max: 65_535 } }, {}, 4004],
])('a node %s is refused, and both sides are told the same code', (_what, near, far, code) => {
  const pair = world.linked(near, far);
  expect([pair.near.isOpen, pair.far.isOpen]).toEqual([false, false]);
  expect(codes(pair.near, pair.far)).toEqual([code, code]);
  expect(world.clock.pending).toBe(0);
});

test('version ranges that overlap meet, however far they reach', () => {
  const { near, far } = world.linked({ hello: { ...HELLO, max: 9 } });
  expect([near.isOpen, far.isOpen]).toEqual([true, true]);
});

test.each<[string, (world: LinkWorld) => RecordedLink]>([
  [
    'a dial that nobody answers',
    (quiet) => {
      quiet.network.reaches = () => false;
      return quiet.linkedNear();
    },
  ],
  [
    'a listener that does not answer message 1',
    (quiet) => {
      quiet.network.onWire = ({ back }) => {
        back.tamper = () => [];
      };
      return quiet.linkedNear();
    },
  ],
  [
    'a dialler that says nothing',
    (quiet) => {
      quiet.network.onWire = ({ there }) => {
        there.tamper = () => [];
      };
      return quiet.linked().far;
    },
  ],
  ['a dialler that never says ready', (quiet) => quiet.rude().link],
])('HS3: %s is given up after 5 s', (_what, make) => {
  const recorded = make(world);
  world.clock.advance(HANDSHAKE_MS - 1);
  expect(recorded.end).toBeUndefined();
  world.clock.advance(1);
  expect([recorded.end === undefined, recorded.readyTimes]).toEqual([false, 0]);
  world.clock.advance(2_000);
  expect(world.clock.pending).toBe(0);
});

test.each([
  [HANDSHAKE_BYTES_MAX, 'the tag does not fit'],
  [HANDSHAKE_BYTES_MAX + 1, 'too many bytes before the handshake was over'],
])('HS3: of %i bytes before the keys are there: %s', (bytes, reason) => {
  world.listen();
  const socket = world.network.host('stranger').dial('ws://second:1', DIAL);
  const open = () => socket.send(Buffer.alloc(bytes));
  socket.attach({ open, message: () => {}, drained: () => {}, closed: () => {} });
  world.clock.turn();
  expect(world.accepted[0]?.end).toEqual({ code: 4001, reason });
});

test('a second ready closes 4400', () => {
  const { rude, link } = world.rude();
  rude.say({ type: 'ready', head: HELLO }, { type: 'ready', head: HELLO });
  world.clock.turn();
  expect([link.readyTimes, rude.closed?.code]).toEqual([1, 4400]);
});

test('the third strike closes 4005, and the other side is told no more than that', () => {
  const { near, far } = world.linked();
  near.link.strike('one');
  near.link.strike('two');
  world.clock.turn();
  expect(far.isOpen).toBe(true);
  near.link.strike('three');
  world.clock.turn();
  expect(near.end).toEqual({ code: 4005, reason: 'third breach: three' });
  expect(far.end).toEqual({ code: 4005, reason: 'the peer counted three breaches by this node' });
});

test('what waits when a link is closed is still sent, and nothing after it', () => {
  const { near, far } = world.linked();
  near.link.send({ type: 'goaway', head: { reason: 'stop' } });
  near.link.close(1001, 'this node stops');
  near.link.send({ type: 'goaway', head: { reason: 'late' } });
  world.clock.turn();
  expect(far.frames).toEqual([{ type: 'goaway', head: { reason: 'stop' } }]);
  expect(far.end).toEqual({ code: 1001, reason: 'the peer stopped' });
  expect(world.clock.pending).toBe(0);
});

test('what the other side writes into its close is not repeated here: it could steer a terminal', () => {
  const { rude, link } = world.rudeAndReady();
  rude.socket.close(4_999, '\u001b[2J');
  world.clock.turn();
  expect(link.end).toEqual({ code: 4_999, reason: 'closed with 4999' });
});

test('a peer that asks for ever more answers and reads none is cut off before they pile up', () => {
  const { rude, link } = world.rudeAndReady();
  world.wire.back.stuck = true;
  const pings = Array.from({ length: 3_000 }, () => ({ type: 'ping', token: Buffer.alloc(8) }) as const);
  for (let record = 0; record < 30 && link.end === undefined; record++) {
    rude.say(...pings);
    world.clock.turn();
  }
  expect(link.end).toEqual({ code: 4006, reason: 'asks faster than it reads the answers' });
});
