/** A peer that keeps no rules, in the place of the owner. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FIRST_WINDOW_BYTES } from '../../src/core/limits.ts';
import type { Frame } from '../../src/protocol/frame.ts';
import { bytesOf, codeOf } from '../support/exchange-node.ts';
import { ExchangeWorld } from '../support/exchange-world.ts';
import { requestFrame, resetCodes } from '../support/rude-peer.ts';

let world: ExchangeWorld;

beforeEach(() => {
  world = new ExchangeWorld();
});

afterEach(() => world.close());

const body = (number: number): Frame => ({ type: 'model_body', number, bytes: Buffer.alloc(4) });
const stream = (number: number, bytes: number, more = false): Frame => ({
  type: 'model_stream',
  number,
  bytes: Buffer.alloc(bytes),
  more,
});

/** The entry has called a rude owner; its number is 1. */
async function called() {
  const rude = world.rudeOwner();
  const got = world.call();
  await world.rest();
  return { rude, got };
}

test('a reply beyond its credit ends the call with a reset, and the third time the link', async () => {
  const rude = world.rudeOwner();
  const gots = [1, 2, 3].map(() => world.call({}, { read: false }));
  await world.rest();
  for (const [index, got] of gots.entries()) {
    const number = 1 + 2 * index;
    rude.say({ type: 'model_res', number, head: { status: 200, headers: {} } }, stream(number, 32_768));
    rude.say(stream(number, FIRST_WINDOW_BYTES - 32_768));
    await world.rest();
    expect(rude.of('model_reset')).toHaveLength(index);
    rude.say(stream(number, 1));
    await world.rest();
    expect(await got.reply?.ended).toMatchObject({ kind: 'failed', error: { code: 'peer_protocol' } });
    if (index < 2) expect(resetCodes(rude)).toHaveLength(index + 1);
  }
  expect(rude.closed?.code).toBe(4005);
});

test.each([
  ['fewer', 9],
  ['more', 11],
])('an end that tells %s bytes than came is no whole reply', async (_what, bytes) => {
  const { rude, got } = await called();
  rude.say({ type: 'model_res', number: 1, head: { status: 200, headers: {} } }, stream(1, 10));
  rude.say({ type: 'model_end', number: 1, head: { bytes } });
  await world.rest();
  expect([codeOf(got), bytesOf(got).length]).toEqual(['peer_protocol', 10]);
  expect(await got.reply?.ended).toMatchObject({ kind: 'failed' });
});

test.each([
  [{ state: 'dreaming' }],
  [{ state: 'waiting', doing: 'sorting', done: 1, total: 2 }],
  [{ state: 'waiting', doing: 'prefill', done: 1 }],
])('progress that is not understood is a sign of life: %j', async (head) => {
  const { rude, got } = await called();
  rude.say({ type: 'model_progress', number: 1, head });
  await world.rest();
  expect(got.progress).toEqual([{ kind: 'waiting' }]);
  expect(got.reply).toBeUndefined();
  expect(rude.closed).toBeUndefined();
});

test('an end inside an event is no whole reply', async () => {
  const { rude, got } = await called();
  rude.say({ type: 'model_res', number: 1, head: { status: 200, headers: {} } }, stream(1, 10, true));
  rude.say({ type: 'model_end', number: 1, head: { bytes: 10 } });
  await world.rest();
  expect([codeOf(got), bytesOf(got).length]).toEqual(['peer_protocol', 0]);
});

test('FR8: what comes behind the end of a reply is ignored', async () => {
  const { rude, got } = await called();
  rude.say({ type: 'model_res', number: 1, head: { status: 200, headers: {} } }, stream(1, 10));
  const end: Frame = { type: 'model_end', number: 1, head: { bytes: 10 } };
  rude.say(end, end, stream(1, 10), { type: 'model_reset', number: 1, head: { code: 'busy', message: '' } });
  await world.rest();
  expect([got.end, bytesOf(got).length, rude.closed]).toEqual(['whole', 10, undefined]);
});

test('one-byte pieces of an event cost their bytes and no more', async () => {
  const { rude, got } = await called();
  rude.say({ type: 'model_res', number: 1, head: { status: 200, headers: {} } });
  const pieces = Array.from({ length: 5_000 }, (_, index) => stream(1, 1, index < 4_999));
  rude.say(...pieces);
  rude.say({ type: 'model_end', number: 1, head: { bytes: 5_000 } });
  await world.rest();
  expect([got.end, got.chunks.length, bytesOf(got).length]).toEqual(['whole', 1, 5_000]);
});

test('a small frame of a large record does not keep the record', async () => {
  const { rude, got } = await called();
  const ping: Frame = { type: 'ping', token: Buffer.alloc(8) };
  rude.say({ type: 'model_res', number: 1, head: { status: 200, headers: {} } });
  rude.say(stream(1, 10), ...Array.from({ length: 3_000 }, () => ping));
  await world.rest();
  expect(got.chunks.map(({ length }) => length)).toEqual([10]);
  expect(got.chunks[0]?.buffer.byteLength).toBe(10);
});

test.each<[string, Frame[]]>([
  ['model_body', [body(1)]],
  ['model_stream before model_res', [stream(1, 1)]],
  ['model_end before model_res', [{ type: 'model_end', number: 1, head: { bytes: 0 } }]],
  [
    'a second model_res',
    [200, 200].map((status) => ({ type: 'model_res', number: 1, head: { status, headers: {} } })),
  ],
  ['model_req under the other node’s number', [requestFrame(1)]],
])('%s from an owner closes 4400', async (_what, frames) => {
  const { rude, got } = await called();
  rude.say(...frames);
  await world.rest();
  expect(rude.closed?.code).toBe(4400);
  expect(codeOf(got)).toBe('peer_lost');
});
