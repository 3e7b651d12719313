/** How calls end when they do not end well: at the owner, at the entry, on the way. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Outcome } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import { bytesOf, codeOf, readOn } from '../support/exchange-node.ts';
import { ExchangeWorld } from '../support/exchange-world.ts';

let world: ExchangeWorld;

beforeEach(() => {
  world = new ExchangeWorld().link();
});

afterEach(() => world.close());

/** A call in each state that it has at the owner, as the entry sees it. */
const STATES = {
  receiving: async () => {
    world.wire.there.tamper = () => [];
    const got = world.call({ body: Buffer.alloc(300_000) });
    await world.rest();
    return got;
  },
  starting: async () => {
    const got = world.call();
    await world.rest();
    return got;
  },
  'streaming, nothing sent yet': async () => {
    const got = world.call();
    await world.rest();
    world.owner.owner.last.start();
    await world.rest();
    return got;
  },
  'streaming, in the middle': async () => {
    const got = world.call();
    await world.rest();
    world.owner.owner.last.start().push('data: 1\n\n');
    await world.rest();
    return got;
  },
  'streaming, out of credit': async () => {
    const got = world.call({}, { read: false });
    await world.rest();
    world.owner.owner.last.start().push(Buffer.alloc(500_000));
    await world.rest();
    return got;
  },
};

test.each(Object.entries(STATES))(
  '%s: when the client leaves, the owner stops its upstream',
  async (state, make) => {
    const got = await make();
    got.cancel(new ClawError('cancelled', 'the client left'));
    await world.rest();
    expect(world.entry.held.calls).toBe(0);
    if (state === 'receiving') return;
    expect(world.owner.owner.last.signal.aborted).toBe(true);
    expect(world.owner.held.calls).toBe(0);
    if (got.reply === undefined) expect(codeOf(got)).toBe('cancelled');
    else expect(await got.reply.ended).toMatchObject({ kind: 'cancelled' });
  },
);

test.each(Object.entries(STATES))(
  '%s: when the link is lost, the entry is told and the owner stops',
  async (state, make) => {
    const got = await make();
    world.wire.cut();
    await world.rest();
    if (got.reply === undefined) expect(codeOf(got)).toBe('peer_lost');
    else expect(await got.reply.ended).toMatchObject({ kind: 'failed', error: { code: 'peer_lost' } });
    if (state !== 'receiving') expect(world.owner.owner.last.signal.aborted).toBe(true);
    expect([world.entry.held.calls, world.owner.held.calls]).toEqual([0, 0]);
  },
);

test.each(Object.entries(STATES))(
  '%s: when the link is replaced, the call is lost with the old one',
  async (_state, make) => {
    const got = await make();
    const old = world.entry.link;
    world.link();
    await world.rest();
    expect(world.entry.link).not.toBe(old);
    if (got.reply === undefined) expect(codeOf(got)).toBe('peer_lost');
    else expect(await got.reply.ended).toMatchObject({ kind: 'failed', error: { code: 'peer_lost' } });
    const next = world.call();
    await world.rest();
    world.owner.owner.last.start().push('x').end();
    await world.rest();
    expect(next.end).toBe('whole');
    old.close(1001, 'replaced');
  },
);

test('what came before the owner failed is delivered, then the error', async () => {
  const got = await STATES['streaming, in the middle']();
  world.owner.owner.last.push('data: 2\n\n').fail(new ClawError('upstream_truncated', 'cut'));
  await world.rest();
  expect(bytesOf(got).toString()).toBe('data: 1\n\ndata: 2\n\n');
  expect(codeOf(got)).toBe('upstream_truncated');
  expect(await got.reply?.ended).toMatchObject({ kind: 'failed', error: { code: 'upstream_truncated' } });
});

test('what came before the link was lost is delivered to a reader that was slow, then the error', async () => {
  const got = world.call({}, { read: false });
  await world.rest();
  world.owner.owner.last.start().push('data: 1\n\n');
  await world.rest();
  world.wire.cut();
  await world.rest();
  await readOn(got);
  expect([bytesOf(got).toString(), codeOf(got)]).toEqual(['data: 1\n\n', 'peer_lost']);
});

test.each<[string, Outcome]>([
  ['failed', { kind: 'failed', bytes: 9, error: new ClawError('internal', 'x') }],
  ['was cancelled', { kind: 'cancelled', bytes: 9 }],
])('a body that ends quietly while its outcome %s is no whole reply', async (_what, outcome) => {
  const got = await STATES['streaming, in the middle']();
  world.owner.owner.last.endCut(outcome);
  await world.rest();
  expect(codeOf(got)).toBe('internal');
});

test('a reader that leaves in the middle stops the upstream', async () => {
  const got = world.call({}, { read: false });
  await world.rest();
  world.owner.owner.last.start().push('data: 1\n\n');
  await world.rest();
  for await (const _chunk of got.reply?.body ?? []) break;
  await world.rest();
  expect(world.owner.owner.last.signal.aborted).toBe(true);
  expect(await got.reply?.ended).toMatchObject({ kind: 'cancelled' });
});

test.each(['starting', 'streaming, in the middle'] as const)(
  '%s: a cancelled call holds its slot until its upstream has stopped',
  async (state) => {
    world.owner.owner.stubborn = true;
    const got = await STATES[state]();
    got.cancel();
    await world.rest();
    expect(world.owner.owner.last.signal.aborted).toBe(true);
    expect(world.owner.held).toMatchObject({ slots: 1, calls: 1 });
    world.owner.owner.last.fail(new Error('stopped at last'));
    await world.rest();
    expect(world.owner.held).toMatchObject({ slots: 0, calls: 0 });
  },
);

test('an answer that comes after its call was cancelled is left unread, and nothing of it is sent', async () => {
  world.owner.owner.stubborn = true;
  const got = await STATES.starting();
  got.cancel();
  await world.rest();
  let records = 0;
  world.wire.back.tamper = (message) => {
    records++;
    return [message];
  };
  const { last } = world.owner.owner;
  last.start().push('data: late\n\n');
  await world.rest();
  expect([last.left, records]).toEqual([true, 0]);
  expect(world.owner.held.calls).toBe(0);
});

test('a cancel that crosses with the end of the reply changes nothing', async () => {
  const got = await STATES['streaming, in the middle']();
  world.owner.owner.last.push('data: 2\n\n').end();
  await new Promise((resolve) => setImmediate(resolve));
  got.cancel();
  await world.rest();
  expect(world.entry.isLinked).toBe(true);
  expect(world.owner.held.calls).toBe(0);
});

test('a cancel after the end is not told to anyone', async () => {
  const got = await STATES['streaming, in the middle']();
  world.owner.owner.last.end();
  await world.rest();
  let records = 0;
  world.wire.there.tamper = (message) => {
    records++;
    return [message];
  };
  got.cancel();
  await world.rest();
  expect([got.end, records]).toEqual(['whole', 0]);
});

test('what of a body waits when its call is cancelled is not sent any more', async () => {
  world.wire.there.stuck = true;
  const got = world.call({ body: Buffer.alloc(4_000_000) });
  await world.rest();
  // The first record gets through, and with the owner's credit all of the body waits behind the full socket.
  world.wire.there.release('one');
  await world.rest();
  got.cancel();
  let bytes = 0;
  world.wire.there.tamper = (message) => {
    bytes += message.length;
    return [message];
  };
  world.wire.there.release('all');
  await world.rest();
  expect(bytes).toBeGreaterThan(200_000);
  expect(bytes).toBeLessThan(400_000);
  expect(world.owner.held.calls).toBe(0);
});

test('an owner whose upstream will not stop takes new calls of an entry that was started again', async () => {
  world.owner.owner.stubborn = true;
  await STATES['streaming, in the middle']();
  const stuck = world.owner.owner.last;
  world.wire.cut();
  await world.rest();
  expect(world.owner.held.calls).toBe(1);
  // A new process numbers its calls from the start, and so meets the number of the one that is not over.
  const rude = world.rudeEntry();
  const id = 'f'.repeat(32);
  const head = {
    id,
    model: 'm',
    provider: 'p',
    dialect: 'chat',
    stream: false,
    headers: {},
    bytes: 1,
  } as const;
  rude.say(
    { type: 'model_req', number: 1, head },
    { type: 'model_body', number: 1, bytes: Buffer.from('x') },
  );
  await world.rest();
  expect(rude.closed).toBeUndefined();
  expect(world.owner.owner.last.call.id).toBe(id);
  stuck.fail(new Error('stopped at last'));
  await world.rest();
  expect(world.owner.held.calls).toBe(1);
  world.owner.owner.last.start().push('x').end();
  await world.rest();
  expect(rude.of('model_end')).toHaveLength(1);
  expect(world.owner.held.calls).toBe(0);
});
