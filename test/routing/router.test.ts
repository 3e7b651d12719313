import { beforeEach, expect, test } from 'vitest';
import type { Card } from '../../src/core/card.ts';
import type { Answer, Dialect, Target } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import type { NodeId } from '../../src/core/ids.ts';
import { Catalog } from '../../src/routing/catalog.ts';
import { Router } from '../../src/routing/router.ts';
import { ask, bytesOf, type Got, makeCall } from '../support/exchange-node.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { first, second } from '../support/identities.ts';
import { ScriptedOwner } from '../support/scripted-answer.ts';

let clock: FakeClock;
let catalog: Catalog;
let router: Router;
let owners: { readonly [name: string]: ScriptedOwner };
let translated: [Dialect, Dialect][];

const LIVE = { name: 'bravo', live: true };

beforeEach(() => {
  clock = new FakeClock();
  catalog = new Catalog();
  owners = { bravo: new ScriptedOwner(), charlie: new ScriptedOwner() };
  translated = [];
  const translate = (answer: Answer, from: Dialect, to: Card): Answer => {
    translated.push([from, to.dialect]);
    return answer;
  };
  router = new Router({ catalog, clock, entry: 'alpha', translate, isPrelude: () => false });
  catalog.replace([
    { id: first.id, ...LIVE, targets: [target('bravo', first.id)] },
    { id: second.id, name: 'charlie', live: true, targets: [target('charlie', second.id)] },
  ]);
});

function target(nodeName: string, node: NodeId, dialect: Dialect = 'chat'): Target {
  const answer: Answer = (call, signal) => owner(nodeName).answer(call, signal);
  return { card: { id: 'm', provider: 'p', dialect }, node, nodeName, place: 'remote', answer };
}

function owner(name: string): ScriptedOwner {
  const found = owners[name];
  if (found === undefined) throw new Error(`no owner ${name}`);
  return found;
}

function asked(model = 'm', stop = new AbortController()): Got {
  return ask(router.answer, makeCall({ model: { id: model } }).call, stop.signal);
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const loads = () => [owner('bravo').calls.length, owner('charlie').calls.length];

test('calls in flight are spread: each goes where there are fewest', async () => {
  for (let index = 0; index < 6; index++) asked();
  await settled();
  expect(loads()).toEqual([3, 3]);
});

test.each<[string, (one: ScriptedOwner, stop: AbortController, got: Got) => void]>([
  ['a whole reply', (one) => one.last.start().push('x').end()],
  ['a refusal of the upstream', (one) => one.last.start(429).push('x').end()],
  ['an error before the reply', (one) => one.last.fail(new ClawError('upstream_unreachable', 'x'))],
  [
    'an error in the middle',
    (one) => one.last.start().push('x').fail(new ClawError('upstream_truncated', 'x')),
  ],
  ['a client that leaves before the reply', (_one, stop) => stop.abort()],
  [
    'a client that leaves in the middle',
    (one, stop) => {
      one.last.start().push('x');
      stop.abort();
    },
  ],
])('after %s the call counts no more', async (_what, end) => {
  const stop = new AbortController();
  const got = asked('bravo/m', stop);
  await settled();
  expect(router.openCalls).toBe(1);
  end(owner('bravo'), stop, got);
  await settled();
  expect(router.openCalls).toBe(0);
  asked('bravo/m');
  await settled();
  expect(loads()).toEqual([2, 0]);
  expect(router.openCalls).toBe(1);
});

test('a catalog that is replaced in the middle of a call forgets no call in flight', async () => {
  asked();
  await settled();
  catalog.replace([
    { id: first.id, ...LIVE, targets: [target('bravo', first.id)] },
    { id: second.id, name: 'charlie', live: true, targets: [target('charlie', second.id)] },
  ]);
  asked();
  await settled();
  expect(loads()).toEqual([1, 1]);
});

test('the reply says where it came from and how long the owner took for its head', async () => {
  const got = asked();
  await settled();
  clock.advance(12.3);
  owner('bravo').last.start(200, { 'content-type': 'application/json' }).push('x').end();
  await settled();
  expect(got.reply?.headers).toEqual({
    'content-type': 'application/json',
    'x-clawmatrix-route': 'alpha>bravo; model=m; upstream=p; attempts=1',
    'server-timing': 'owner;dur=12.3',
  });
  expect(bytesOf(got).toString()).toBe('x');
});

test('so does an error, which stays what it was otherwise', async () => {
  const got = asked('bravo/m');
  await settled();
  const detail = { status: 529, param: 'model', retryAfterSeconds: 3, headers: { 'x-own': '1' } };
  owner('bravo').last.fail(new ClawError('upstream_error', 'overloaded', detail));
  await settled();
  expect(got.end).toMatchObject({
    code: 'upstream_error',
    message: 'overloaded',
    status: 529,
    retryAfterSeconds: 3,
  });
  expect(got.end).toMatchObject({
    headers: { 'x-own': '1', 'x-clawmatrix-route': 'alpha>bravo; model=m; upstream=p; attempts=1' },
  });
});

test('an error that is none of the house becomes one, and keeps its cause for the log', async () => {
  const got = asked();
  await settled();
  const cause = new TypeError('secret');
  owner('bravo').last.fail(cause);
  await settled();
  expect(got.end).toMatchObject({ code: 'internal', message: 'the call could not be answered', cause });
});

test('the owner is asked for the card’s own id and provider, whatever the client wrote', async () => {
  asked(`${first.id}/p/m`);
  await settled();
  expect(owner('bravo').last.call.model).toEqual({ id: 'm', provider: 'p' });
});

test('the waiting client hears of the try before the owner is asked', async () => {
  const { call, progress } = makeCall({ model: { id: 'm' } });
  ask(router.answer, call, new AbortController().signal);
  expect(progress).toMatchObject([
    {
      kind: 'trying',
      route: 'alpha>bravo; model=m; upstream=p; attempts=1',
      target: { provider: 'p', id: 'm' },
    },
  ]);
});

test.each<[Dialect, Dialect]>([
  ['chat', 'chat'],
  ['chat', 'responses'],
  ['responses', 'chat'],
])(
  'a client that speaks %s and an upstream that speaks %s are brought together once',
  async (client, upstream) => {
    catalog.replace([{ id: first.id, ...LIVE, targets: [target('bravo', first.id, upstream)] }]);
    ask(router.answer, makeCall({ model: { id: 'm' }, dialect: client }).call, new AbortController().signal);
    await settled();
    expect(translated).toEqual([[client, upstream]]);
  },
);

test.each([
  ['an unknown model', 'a/tial', 'model_not_found', 404, 'the nearest names are a/tail'],
  ['a name like no other', 'zzzzzz', 'model_not_found', 404, 'no name is like it'],
  ['a model of a node that is down', 'gone', 'no_owner', 503, 'on node delta, which takes no calls'],
  ['a name that means two', 'tail', 'model_ambiguous', 404, 'a/tail or b/tail'],
])('%s is an error that says what to do', async (_what, model, code, status, words) => {
  const gone = {
    ...target('delta', first.id),
    card: { id: 'gone', provider: 'p', dialect: 'chat' } as const,
  };
  const tails = ['a/tail', 'b/tail'].map((id) => ({
    ...target('bravo', first.id),
    card: { id, provider: 'p', dialect: 'chat' } as const,
  }));
  catalog.replace([
    { id: first.id, ...LIVE, targets: [target('bravo', first.id), ...tails] },
    { id: second.id, name: 'delta', live: false, targets: [gone] },
  ]);
  const got = asked(model);
  await settled();
  expect(got.end).toMatchObject({ code, status, param: 'model' });
  expect(got.end instanceof ClawError && got.end.message).toContain(words);
  expect(loads()).toEqual([0, 0]);
});

test('with no model at all the error says that', async () => {
  catalog.replace([]);
  const got = asked('x');
  await settled();
  expect(got.end).toMatchObject({ code: 'model_not_found' });
  expect(got.end instanceof ClawError && got.end.message).toContain('no model is known yet');
});
