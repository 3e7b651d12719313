/** Windows, credit and budgets: nothing grows with the length of an answer, and no call waits for another. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ClawError } from '../../src/core/errors.ts';
import {
  FIRST_WINDOW_BYTES,
  HELD_BYTES_MAX,
  PIECE_BYTES,
  SSE_EVENT_BYTES_MAX,
  WINDOW_BYTES_MAX,
} from '../../src/core/limits.ts';
import { bytesOf, codeOf, readOn } from '../support/exchange-node.ts';
import { ExchangeWorld } from '../support/exchange-world.ts';

let world: ExchangeWorld;

beforeEach(() => {
  world = new ExchangeWorld().link();
});

afterEach(() => world.close());

/** An answer that goes on for as long as it is read: one chunk at a time, the next when that is taken. */
async function pump(chunkBytes: number, totalBytes: number): Promise<void> {
  const { last } = world.owner.owner;
  const before = last.takenBytes;
  for (let pushed = 0; pushed < totalBytes && last.takenBytes - before === pushed; pushed += chunkBytes) {
    last.push(Buffer.alloc(chunkBytes));
    await world.rest(4);
  }
}

test('a reader that does not read holds the owner at the first window', async () => {
  const got = world.call({}, { read: false });
  await world.rest();
  world.owner.owner.last.start();
  await world.rest();
  await pump(8_192, 10_000_000);
  expect(world.owner.owner.last.takenBytes).toBeLessThanOrEqual(FIRST_WINDOW_BYTES + 8_192);
  world.owner.owner.last.end();
  await Promise.all([readOn(got), world.rest(200)]);
  expect(got.end).toBe('whole');
});

test('a reader that reads and then stops holds the owner at 256 KiB', async () => {
  const got = world.call({}, { read: false });
  await world.rest();
  world.owner.owner.last.start();
  await world.rest();
  const body = got.reply?.body[Symbol.asyncIterator]();
  for (let turn = 0; turn < 40; turn++) {
    world.owner.owner.last.push(Buffer.alloc(8_192));
    await world.rest(4);
    await body?.next();
  }
  const readBytes = world.owner.owner.last.takenBytes;
  await pump(8_192, 10_000_000);
  const ahead = world.owner.owner.last.takenBytes - readBytes;
  expect(ahead).toBeGreaterThan(FIRST_WINDOW_BYTES);
  expect(ahead).toBeLessThanOrEqual(WINDOW_BYTES_MAX + 8_192);
  await body?.return?.();
  await world.rest();
});

test('a reader that does not read does not slow another call', async () => {
  const slow = world.call({}, { read: false });
  await world.rest();
  const slowOwner = world.owner.owner.last.start();
  for (let index = 0; index < 40; index++) slowOwner.push(Buffer.alloc(PIECE_BYTES));
  await world.rest();
  const quick = world.call();
  await world.rest();
  world.owner.owner.last.start().push(Buffer.alloc(1_000_000, 3)).end();
  await world.rest();
  expect([quick.end, bytesOf(quick).length]).toEqual(['whole', 1_000_000]);
  slow.cancel();
  await world.rest();
});

test('the budget of the process bounds the windows, and a call without a large one still gets through', async () => {
  const tight = new ExchangeWorld({ entry: { bytes: WINDOW_BYTES_MAX - FIRST_WINDOW_BYTES } }).link();
  const gots = [1, 2, 3].map(() => tight.call());
  await tight.rest();
  for (const one of tight.owner.owner.calls) one.start().push(Buffer.alloc(40_000));
  await tight.rest();
  expect(tight.entry.held.bytes).toBe(WINDOW_BYTES_MAX - FIRST_WINDOW_BYTES);
  for (const one of tight.owner.owner.calls) one.push(Buffer.alloc(400_000)).end();
  await tight.rest(200);
  expect(gots.map((got) => [got.end, bytesOf(got).length])).toEqual(gots.map(() => ['whole', 440_000]));
  await tight.close();
});

test('the budget of the channel bounds them too', async () => {
  const gots = Array.from({ length: 60 }, () => world.call());
  await world.rest();
  for (const one of world.owner.owner.calls) one.start().push(Buffer.alloc(40_000));
  await world.rest();
  expect(world.entry.held.bytes).toBe(42 * (WINDOW_BYTES_MAX - FIRST_WINDOW_BYTES));
  for (const one of world.owner.owner.calls) one.end();
  await world.rest();
  expect(gots.filter(({ end }) => end !== 'whole')).toEqual([]);
});

test.each([
  ['just over a window', FIRST_WINDOW_BYTES + 1],
  ['of 1 MiB', SSE_EVENT_BYTES_MAX],
])('an event %s arrives in one piece', async (_what, bytes) => {
  const got = world.call();
  await world.rest();
  const event = Buffer.alloc(bytes, 'e');
  world.owner.owner.last.start().push('data: before\n\n');
  await world.rest();
  world.owner.owner.last.push(event);
  await world.rest(200);
  world.owner.owner.last.push('data: after\n\n').end();
  await world.rest();
  expect(got.chunks.map(({ length }) => length)).toEqual([14, bytes, 13]);
  expect(got.end).toBe('whole');
});

test('an event over the window arrives at a reader that was slow before it', async () => {
  const got = world.call({}, { read: false });
  await world.rest();
  const { last } = world.owner.owner;
  last.start();
  await world.rest();
  for (let index = 0; index < 3; index++) {
    last.push(Buffer.alloc(15_000, 'a'));
    await world.rest(3);
  }
  last.push(Buffer.alloc(900_000, 'b'));
  await world.rest();
  last.end();
  const reading = readOn(got);
  await world.rest(300);
  await reading;
  expect([got.end, bytesOf(got).length]).toEqual(['whole', 945_000]);
});

test('an error never lands inside an event: the pieces of one that is not whole are not delivered', async () => {
  const got = world.call();
  await world.rest();
  const { last } = world.owner.owner;
  last.start().push('data: whole\n\n');
  await world.rest();
  // The entry takes its credit away, so that the event stops in the middle.
  world.wire.there.stuck = true;
  last.push(Buffer.alloc(600_000, 'e'));
  await world.rest();
  last.fail(new ClawError('upstream_truncated', 'cut'));
  world.wire.cut();
  await world.rest();
  expect([bytesOf(got).toString(), codeOf(got)]).toEqual(['data: whole\n\n', 'peer_lost']);
});

test('an event that is larger than an entry holds ends the call, and the link goes on', async () => {
  const got = world.call();
  await world.rest();
  world.owner.owner.last.start().push(Buffer.alloc(HELD_BYTES_MAX + PIECE_BYTES + 1));
  await world.rest(200);
  expect(codeOf(got)).toBe('stream_buffer_exceeded');
  expect(world.owner.owner.last.signal.aborted).toBe(true);
  expect(world.entry.isLinked).toBe(true);
});

test('a body that does not fit the owner is refused with a time to come again', async () => {
  const tight = new ExchangeWorld({ owner: { bytes: 200_000 } }).link();
  const fits = tight.call({ body: Buffer.alloc(150_000) });
  const over = tight.call({ body: Buffer.alloc(100_000) });
  const small = tight.call({ body: Buffer.alloc(60_000) });
  await tight.rest();
  expect(over.end).toMatchObject({ code: 'busy', retryAfterSeconds: 2 });
  expect(tight.owner.owner.calls).toHaveLength(2);
  for (const one of tight.owner.owner.calls) one.start().push('x').end();
  await tight.rest();
  expect([fits.end, small.end, tight.owner.held.bytes]).toEqual(['whole', 'whole', 0]);
  await tight.close();
});

test('frames of one turn share a record with those of other calls', async () => {
  for (let index = 0; index < 10; index++) world.call();
  await world.rest();
  for (const one of world.owner.owner.calls) one.start();
  await world.rest();
  let records = 0;
  world.wire.back.tamper = (message) => {
    records++;
    return [message];
  };
  for (const one of world.owner.owner.calls) one.push('data: 1\n\n');
  await world.rest();
  expect(records).toBe(1);
});
