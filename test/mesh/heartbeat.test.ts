import { beforeEach, expect, test } from 'vitest';
import { LinkWorld } from '../support/link-pair.ts';

let world: LinkWorld;

beforeEach(() => {
  world = new LinkWorld();
});

const ping = { type: 'ping', token: Buffer.alloc(8) } as const;

test('two idle links keep each other open, with a ping every 5 s and no more', () => {
  const { near, far } = world.linked();
  let messages = 0;
  world.wire.there.tamper = (message) => {
    messages++;
    return [message];
  };
  world.clock.advance(3_600_000);
  expect([near.isOpen, far.isOpen]).toEqual([true, true]);
  expect(messages).toBeLessThan(3_600 / 4);
});

test('the round trip is that of the last ping', () => {
  world.network.onWire = ({ there, back }) => {
    there.delayMs = 30;
    back.delayMs = 20;
  };
  const near = world.linkedNear();
  world.clock.advance(10_000);
  expect(near.link.rttMs).toBe(50);
});

test.each([0, 1, 250, 500, 999])(
  'silence that began %i ms after a tick is noticed between 15 and 16 s',
  (offset) => {
    const { rude, link } = world.rudeAndReady();
    world.clock.advance(2_000 + offset);
    rude.say(ping);
    world.clock.turn();
    const heardAt = world.clock.now();
    world.clock.advance(14_999);
    expect(link.end).toBeUndefined();
    world.clock.advance(1_001);
    expect(link.end).toEqual({ code: 4002, reason: 'nothing was heard for 15 s' });
    expect(world.clock.now() - heardAt).toBe(16_000);
    expect(world.clock.pending).toBe(0);
  },
);

test('a half-open connection is given up by both ends', () => {
  const { near, far } = world.linked();
  world.wire.there.lost = true;
  world.wire.back.lost = true;
  world.clock.advance(16_000);
  expect([near.end?.code, far.end?.code]).toEqual([4002, 4002]);
  world.clock.advance(1_000);
  expect(world.clock.pending).toBe(0);
});

test('a way that is lost in one direction alone ends the link for both', () => {
  const { near, far } = world.linked();
  world.wire.there.lost = true;
  world.clock.advance(17_000);
  expect([near.end !== undefined, far.end?.code]).toEqual([true, 4002]);
});

test('any byte is life: a peer that talks and never answers a ping stays', () => {
  const { rude, link } = world.rudeAndReady();
  for (let seconds = 0; seconds < 120; seconds += 12) {
    world.clock.advance(12_000);
    rude.say({ type: 'pong', token: Buffer.alloc(8, 9), lagMs: 0 });
    world.clock.turn();
  }
  expect(link.isOpen).toBe(true);
});

test('a link on which only the peer talks is not stalled for want of words', () => {
  const { rude, link } = world.rudeAndReady();
  for (let seconds = 0; seconds < 120; seconds += 3) {
    world.clock.advance(3_000);
    rude.say({ type: 'pong', token: Buffer.alloc(8, 9), lagMs: 0 });
    world.clock.turn();
  }
  expect(link.isOpen).toBe(true);
});

test('a node that slept asks again before it judges', () => {
  const { rude, link } = world.rudeAndReady();
  world.clock.advance(1_000);
  const before = rude.of('ping').length;
  world.clock.sleep(3_600_000);
  expect(link.isOpen).toBe(true);
  expect(rude.of('ping').length).toBe(before + 1);
  world.clock.advance(14_000);
  expect(link.isOpen).toBe(true);
  world.clock.advance(2_000);
  expect(link.end?.code).toBe(4002);
});

test('a peer that answers after the sleep stays', () => {
  const { near, far } = world.linked();
  world.clock.advance(1_000);
  world.clock.sleep(600_000);
  world.clock.advance(60_000);
  expect([near.isOpen, far.isOpen]).toEqual([true, true]);
});

test('a socket that takes no byte for 10 s is stalled, though the peer talks', () => {
  const { rude, link } = world.rudeAndReady();
  world.wire.back.stuck = true;
  for (let second = 0; second < 12 && link.end === undefined; second++) {
    rude.say(ping);
    world.clock.advance(1_000);
  }
  expect(link.end).toEqual({ code: 4006, reason: 'the socket took no byte for 10 s' });
});

test('a socket that is slow but takes bytes is not stalled', () => {
  const { rude, link } = world.rudeAndReady();
  world.wire.back.stuck = true;
  for (let second = 0; second < 60; second++) {
    rude.say(ping);
    rude.say(ping);
    world.clock.advance(1_000);
    if (second % 5 === 0) world.wire.back.release('one');
  }
  expect(link.isOpen).toBe(true);
});

test('a pong that nobody asked for changes nothing', () => {
  const { rude, link } = world.rudeAndReady();
  rude.say({ type: 'pong', token: Buffer.alloc(8, 1), lagMs: 5 });
  world.clock.turn();
  expect(link.link.rttMs).toBeUndefined();
});
