/** Whatever a client or an upstream puts into a call, the link that carries the others' calls stays. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Call, Headers, Usage } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import { ExchangeWorld } from '../support/exchange-world.ts';

let world: ExchangeWorld;

beforeEach(() => {
  world = new ExchangeWorld().link();
});

afterEach(async () => {
  expect([world.entry.isLinked, world.owner.isLinked]).toEqual([true, true]);
  await world.close();
});

const worst = '\u0001'.repeat(100_000);

test.each<[string, Partial<Call>]>([
  ['a header too long', { headers: { 'openai-beta': 'x'.repeat(10_000) } }],
  ['a header that breaks its line', { headers: { 'openai-beta': 'a\nb' } }],
  ['a header that is no text of HTTP', { headers: { 'openai-beta': '😀' } }],
  ['a header named __proto__', { headers: Object.fromEntries([['__proto__', 'x']]) }],
  [
    'every header there is',
    { headers: Object.fromEntries(Array.from({ length: 99 }, (_, index) => [`h${index}`, 'x'])) },
  ],
  ['a session longer than it may be', { session: '\ud800'.repeat(513) }],
])('a call with %s is asked without it', async (_what, more) => {
  world.call(more);
  await world.rest();
  expect(world.owner.owner.calls).toHaveLength(1);
  expect(world.owner.owner.last.call.headers).toEqual({});
});

test.each<[string, number, Headers]>([
  ['a header too long', 200, { 'content-type': 'x'.repeat(10_000) }],
  ['a header that breaks its line', 200, { 'content-type': 'a\r\nset-cookie: b' }],
  [
    'headers that nobody asked for',
    200,
    { 'transfer-encoding': 'chunked', 'access-control-allow-origin': '*' },
  ],
])('a reply with %s comes without it', async (_what, status, headers) => {
  const got = world.call();
  await world.rest();
  world.owner.owner.last.start(status, headers).push('x').end();
  await world.rest();
  expect([got.reply?.status, got.reply?.headers, got.end]).toEqual([status, {}, 'whole']);
});

test.each([99, 100, 199, 600, 999, 200.5, Number.NaN])(
  'a reply of status %d is an error of the upstream',
  async (status) => {
    const got = world.call();
    await world.rest();
    world.owner.owner.last.start(status).push('x').end();
    await world.rest();
    expect(got.end).toMatchObject({ code: 'upstream_protocol' });
  },
);

test.each<[string, { finish?: string; usage?: Usage }]>([
  ['fractions of tokens', { usage: { inputTokens: 1.5, outputTokens: 2 } }],
  ['fewer tokens than none', { usage: { inputTokens: 1, outputTokens: -1 } }],
  ['more tokens than can be counted', { usage: { inputTokens: 2 ** 60, outputTokens: 1 } }],
  ['tokens that are no number', { usage: { inputTokens: Number.NaN, outputTokens: 1 } }],
  ['a long reason', { finish: worst }],
])('a reply that ends with %s is whole all the same', async (_what, ending) => {
  const got = world.call();
  await world.rest();
  world.owner.owner.last.start().push('x').end(ending);
  await world.rest();
  expect(got.end).toBe('whole');
});

test.each<[string, ClawError]>([
  ['a message of control characters', new ClawError('upstream_error', worst, { param: worst })],
  ['half characters', new ClawError('upstream_error', '\ud800'.repeat(9_000))],
  ['a status that is no error', new ClawError('upstream_error', 'x', { status: 302 })],
  ['a status beyond all', new ClawError('upstream_error', 'x', { status: 1_000 })],
  ['a wait of years', new ClawError('busy', 'x', { retryAfterSeconds: 1e12 })],
  ['a wait without an end', new ClawError('busy', 'x', { retryAfterSeconds: Number.POSITIVE_INFINITY })],
  ['a wait that is no number', new ClawError('busy', 'x', { retryAfterSeconds: Number.NaN })],
  ['a wait that is over', new ClawError('busy', 'x', { retryAfterSeconds: -1 })],
])('an error with %s arrives as that error', async (_what, error) => {
  const got = world.call();
  await world.rest();
  world.owner.owner.last.fail(error);
  await world.rest();
  expect(got.end).toMatchObject({ code: error.code });
});

test('a reason of leaving of any length and kind is told without harm', async () => {
  const got = world.call();
  await world.rest();
  got.cancel(new ClawError('cancelled', worst));
  await world.rest();
  expect(world.owner.owner.last.signal.aborted).toBe(true);
});
