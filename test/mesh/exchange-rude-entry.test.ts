/** A peer that keeps no rules, in the place of the entry. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CALLS_PER_PEER_MAX, HTTP_REQUEST_MS, WINDOW_BYTES_MAX } from '../../src/core/limits.ts';
import type { CallFrame, Frame, RequestHead } from '../../src/protocol/frame.ts';
import { ExchangeWorld } from '../support/exchange-world.ts';
import { requestFrame, resetCodes } from '../support/rude-peer.ts';

let world: ExchangeWorld;
let ids: number;

beforeEach(() => {
  world = new ExchangeWorld();
  ids = 0;
});

afterEach(() => world.close());

/** Each with an id of its own. */
function request(number: number, more: Partial<RequestHead> = {}): Frame {
  return requestFrame(number, { id: (ids++).toString(16).padStart(32, '0'), ...more });
}

const body = (number: number, bytes = 4): Frame => ({
  type: 'model_body',
  number,
  bytes: Buffer.alloc(bytes),
});

/** A rude entry has called the owner with number 1, up to a state of the call there. */
async function calling(state: 'receiving' | 'starting' | 'streaming' | 'stopping') {
  const rude = world.rudeEntry();
  rude.say(request(1));
  if (state !== 'receiving') rude.say(body(1));
  await world.rest();
  if (state === 'streaming') world.owner.owner.last.start();
  if (state === 'stopping') {
    world.owner.owner.stubborn = true;
    rude.say({ type: 'model_reset', number: 1, head: { code: 'cancelled', message: '' } });
  }
  await world.rest();
  return rude;
}

const toOwner: [string, CallFrame][] = [
  ['model_ack', { type: 'model_ack', number: 1 }],
  ['model_res', { type: 'model_res', number: 1, head: { status: 200, headers: {} } }],
  ['model_stream', { type: 'model_stream', number: 1, bytes: Buffer.alloc(1), more: false }],
  ['model_progress', { type: 'model_progress', number: 1, head: { state: 'waiting' } }],
  ['model_end', { type: 'model_end', number: 1, head: { bytes: 0 } }],
];

test.each(toOwner)('%s from an entry closes 4400', async (_type, frame) => {
  const rude = await calling('starting');
  rude.say(frame);
  await world.rest();
  expect(rude.closed?.code).toBe(4400);
  expect(world.owner.owner.last.signal.aborted).toBe(true);
});

test('FR8: frames for a number that is not open are ignored, whatever they are', async () => {
  const rude = world.rudeEntry();
  const reset: Frame = { type: 'model_reset', number: 1, head: { code: 'busy', message: '' } };
  for (const number of [1, 2, 77, 2 ** 32 - 1]) {
    rude.say(
      ...[...toOwner.map(([, frame]) => frame), body(1), reset].map((frame) => ({ ...frame, number })),
    );
    rude.say({ type: 'model_credit', number, offset: 2 ** 53 - 1 });
  }
  await world.rest();
  expect([rude.closed, world.owner.isLinked, world.owner.owner.calls.length]).toEqual([undefined, true, 0]);
});

test('a call number of the owner itself closes 4400', async () => {
  const rude = world.rudeEntry();
  rude.say(request(2));
  await world.rest();
  expect(rude.closed?.code).toBe(4400);
});

test.each(['receiving', 'starting', 'streaming', 'stopping'] as const)(
  '%s: a second call under its number closes 4400',
  async (state) => {
    const rude = await calling(state);
    rude.say(request(1));
    await world.rest();
    expect(rude.closed?.code).toBe(4400);
  },
);

test('a call id runs once: a repeat is refused, after the end too', async () => {
  const rude = world.rudeEntry();
  const id = 'a'.repeat(32);
  rude.say(request(1, { id }), body(1), request(3, { id }));
  await world.rest();
  world.owner.owner.last.start().push('x').end();
  await world.rest();
  rude.say(request(5, { id }));
  await world.rest();
  expect(resetCodes(rude)).toEqual(['bad_request', 'bad_request']);
  expect([world.owner.owner.calls.length, world.owner.held.slots]).toEqual([1, 0]);
});

test.each(['receiving', 'starting', 'streaming'] as const)(
  '%s: more body than was announced is reset and counted',
  async (state) => {
    const rude = await calling(state);
    if (state === 'streaming') {
      // What waits to be sent must not take the reset with it.
      world.wire.back.stuck = true;
      world.owner.owner.last.push(Buffer.alloc(60_000));
      await world.rest();
    }
    rude.say(body(1, 5));
    await world.rest();
    world.wire.back.release('all');
    await world.rest();
    expect(resetCodes(rude)).toEqual(['bad_request']);
    expect(world.owner.held.calls).toBe(0);
    if (state !== 'receiving') expect(world.owner.owner.last.signal.aborted).toBe(true);
  },
);

test('a reset is not lost behind a reply that waits for the socket', async () => {
  const rude = world.rudeEntry();
  for (const number of [1, 3, 5, 7, 9, 11]) rude.say(request(number), body(number));
  await world.rest();
  world.wire.back.stuck = true;
  for (const one of world.owner.owner.calls) one.start().push(Buffer.alloc(60_000));
  await world.rest();
  rude.say(body(11, 5));
  await world.rest();
  world.wire.back.release('all');
  await world.rest();
  expect(rude.of('model_reset').map(({ number }) => number)).toEqual([11]);
});

test('body for a call that is stopping was under way: no strike', async () => {
  const rude = await calling('stopping');
  for (let index = 0; index < 5; index++) rude.say(body(1));
  await world.rest();
  expect(rude.closed).toBeUndefined();
});

test('FR8: credit of 256 KiB ahead of the reply is taken, a byte more is reset and counted', async () => {
  const rude = await calling('streaming');
  rude.say({ type: 'model_credit', number: 1, offset: WINDOW_BYTES_MAX });
  world.owner.owner.last.push(Buffer.alloc(WINDOW_BYTES_MAX));
  await world.rest();
  expect(rude.of('model_stream').reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(WINDOW_BYTES_MAX);
  rude.say({ type: 'model_credit', number: 1, offset: 2 * WINDOW_BYTES_MAX + 1 });
  await world.rest();
  expect([resetCodes(rude), world.owner.owner.last.signal.aborted]).toEqual([['bad_request'], true]);
});

test('credit that falls, or says the same again, says nothing', async () => {
  const rude = await calling('streaming');
  for (const offset of [WINDOW_BYTES_MAX, 0, 1, WINDOW_BYTES_MAX])
    rude.say({ type: 'model_credit', number: 1, offset });
  world.owner.owner.last.push(Buffer.alloc(300_000));
  await world.rest();
  expect(rude.of('model_stream').reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(WINDOW_BYTES_MAX);
  expect(rude.closed).toBeUndefined();
});

test('the third strike closes 4005, whichever calls earned them', async () => {
  const rude = world.rudeEntry();
  for (const number of [1, 3, 5]) rude.say(request(number), body(number, 5));
  await world.rest();
  expect(rude.closed?.code).toBe(4005);
  expect(world.owner.held).toEqual({ bytes: 0, slots: 0, calls: 0 });
});

test('calls over the cap of a pair are busy, and those below it go on', async () => {
  const rude = world.rudeEntry();
  for (let index = 0; index < CALLS_PER_PEER_MAX + 1; index++) rude.say(request(1 + 2 * index));
  await world.rest();
  expect(resetCodes(rude)).toEqual(['busy']);
  expect(rude.of('model_reset')[0]?.number).toBe(1 + 2 * CALLS_PER_PEER_MAX);
  expect(world.owner.held.calls).toBe(CALLS_PER_PEER_MAX);
  rude.say(body(1));
  await world.rest();
  expect(world.owner.owner.calls).toHaveLength(1);
});

test('so are those over the cap of the process', async () => {
  await world.close();
  world = new ExchangeWorld({ owner: { calls: 2 } });
  const rude = world.rudeEntry();
  rude.say(request(1), request(3), request(5));
  await world.rest();
  expect(resetCodes(rude)).toEqual(['busy']);
});

test('a body that stops coming ends its call in time, and one that comes does not', async () => {
  const rude = world.rudeEntry();
  rude.say(request(1), request(3, { bytes: 1_000 }));
  for (let ms = 0; ms < HTTP_REQUEST_MS + 10_000; ms += 5_000) {
    rude.say(body(3, 1), { type: 'pong', token: Buffer.alloc(8), lagMs: 0 });
    await world.pass(5_000);
  }
  expect(rude.of('model_reset').map(({ number, head }) => [number, head.code])).toEqual([
    [1, 'request_timeout'],
  ]);
  expect(world.owner.held.calls).toBe(1);
});

test('calls of a peer that breaks a rule end with its link', async () => {
  const rude = await calling('streaming');
  rude.sayPlain(Buffer.alloc(8));
  await world.rest();
  expect(rude.closed?.code).toBe(4400);
  expect(world.owner.owner.last.signal.aborted).toBe(true);
  expect(world.owner.held.calls).toBe(0);
});
