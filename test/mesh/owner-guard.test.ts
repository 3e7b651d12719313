/** The entry's guard of the owner: a call never waits for a node that has stopped to answer. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OWNER_ACK_MS, OWNER_SILENCE_MS } from '../../src/core/limits.ts';
import { bytesOf, codeOf } from '../support/exchange-node.ts';
import { ExchangeWorld } from '../support/exchange-world.ts';

let world: ExchangeWorld;

beforeEach(() => {
  world = new ExchangeWorld().link();
});

afterEach(() => world.close());

test('an owner that does not take a call is given up after 5 s, and told so', async () => {
  const rude = world.rudeOwner();
  const got = world.call();
  await world.rest();
  await world.pass(OWNER_ACK_MS);
  expect(codeOf(got)).toBe('open');
  await world.pass(1_000);
  expect(got.end).toMatchObject({
    code: 'owner_silent',
    status: 504,
    message: 'node bravo did not take the call within 5 s',
  });
  expect(rude.frames.at(-1)).toMatchObject({ type: 'model_reset', head: { code: 'owner_silent' } });
  expect(world.entry.held.calls).toBe(0);
});

test.each([
  ['before its reply', false],
  ['in the middle of its reply', true],
])('an owner that took the call and falls silent %s is given up after 30 s', async (_when, streaming) => {
  const rude = world.rudeOwner();
  const got = world.call();
  await world.rest();
  rude.say({ type: 'model_ack', number: 1 });
  if (streaming) {
    rude.say({ type: 'model_res', number: 1, head: { status: 200, headers: {} } });
    rude.say({ type: 'model_stream', number: 1, bytes: Buffer.from('data: 1\n\n'), more: false });
  }
  await world.rest();
  // The link itself is alive.
  for (let waited = 0; waited < OWNER_SILENCE_MS; waited += 5_000) {
    expect(codeOf(got)).toBe('open');
    rude.say({ type: 'ping', token: Buffer.alloc(8) });
    await world.pass(5_000);
  }
  await world.pass(1_000);
  expect(got.end).toMatchObject({
    code: 'owner_silent',
    message: 'node bravo said nothing of the call for 30 s',
  });
  expect(bytesOf(got).toString()).toBe(streaming ? 'data: 1\n\n' : '');
});

test('an owner that waits for its upstream shows life, however long that takes', async () => {
  const got = world.call();
  await world.rest();
  await world.pass(300_000);
  expect(codeOf(got)).toBe('open');
  world.owner.owner.last.start().push('x').end();
  await world.rest();
  expect(codeOf(got)).toBe('whole');
});

test('an owner that waits for a slow client shows life too', async () => {
  const got = world.call({}, { read: false });
  await world.rest();
  world.owner.owner.last.start().push(Buffer.alloc(500_000));
  await world.pass(120_000);
  expect(world.entry.held.calls).toBe(1);
  got.cancel();
  await world.rest();
});

test('a machine that slept does not take its own silence for the owner’s', async () => {
  const got = world.call();
  await world.rest();
  // One late timer, not thirty: that is what a suspended machine sees.
  world.clock.sleep(120_000);
  await world.rest();
  expect(codeOf(got)).toBe('open');
});
