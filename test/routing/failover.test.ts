/** What happens to a call whose owner fails: another is asked until the first byte, and the client is told of all. */
import { beforeEach, expect, test } from 'vitest';
import type { Answer, Target } from '../../src/core/call.ts';
import { ClawError, type ErrorCode } from '../../src/core/errors.ts';
import type { NodeId } from '../../src/core/ids.ts';
import { COOL_DOWN_MS, PRELUDE_MS } from '../../src/core/limits.ts';
import { Catalog } from '../../src/routing/catalog.ts';
import { Router } from '../../src/routing/router.ts';
import { ask, bytesOf, codeOf, type Got, makeCall } from '../support/exchange-node.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { first, second, third } from '../support/identities.ts';
import { type ScriptedCall, ScriptedOwner } from '../support/scripted-answer.ts';

const PRELUDE = 'a role';

let clock: FakeClock;
let catalog: Catalog;
let router: Router;
let bravo: ScriptedOwner;
let charlie: ScriptedOwner;
let delta: ScriptedOwner;

beforeEach(() => {
  clock = new FakeClock();
  catalog = new Catalog();
  [bravo, charlie, delta] = [new ScriptedOwner(), new ScriptedOwner(), new ScriptedOwner()];
  const isPrelude = (events: Uint8Array) => Buffer.from(events).toString().replaceAll(PRELUDE, '') === '';
  router = new Router({ catalog, clock, entry: 'alpha', translate: (answer) => answer, isPrelude });
  catalog.replace([node(first.id, 'bravo', bravo), node(second.id, 'charlie', charlie)]);
});

function node(id: NodeId, name: string, owner: ScriptedOwner, place: Target['place'] = 'remote') {
  const answer: Answer = (call, signal) => owner.answer(call, signal);
  const card = { id: 'm', provider: 'p', dialect: 'chat' } as const;
  return { id, name, live: true, targets: [{ card, node: id, nodeName: name, place, answer }] };
}

function asked(stop = new AbortController(), model = 'm'): Got {
  return ask(router.answer, makeCall({ model: { id: model } }).call, stop.signal);
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const loads = () => [bravo.calls.length, charlie.calls.length, delta.calls.length];
const routeOf = ({ reply, end }: Got) =>
  (reply?.headers ?? (end instanceof ClawError ? end.headers : {}))['x-clawmatrix-route'];
const body = (message: string) => JSON.stringify({ error: { message, type: 't', param: null, code: 'c' } });

const FAILURES: [string, (call: ScriptedCall) => unknown, string][] = [
  ...(
    [
      'upstream_unreachable',
      'upstream_timeout',
      'upstream_protocol',
      'upstream_truncated',
      'owner_silent',
      'peer_lost',
      'peer_protocol',
      'draining',
      'busy',
      'no_owner',
      'model_not_found',
    ] as const
  ).map((code): [string, (call: ScriptedCall) => unknown, string] => [
    `is ${code}`,
    (call) => call.fail(new ClawError(code, 'x')),
    code,
  ]),
  ...[429, 500, 502, 503, 529].map((status): [string, (call: ScriptedCall) => unknown, string] => [
    `answers ${status}`,
    (call) => call.start(status).push(body('no')).end(),
    String(status),
  ]),
  [
    'accepts and breaks before its first byte',
    (call) => call.start().fail(new ClawError('upstream_truncated', 'x')),
    'upstream_truncated',
  ],
];

test.each(FAILURES)(
  'an owner that %s: the next one answers, and the client sees only that',
  async (what, fail, word) => {
    const got = asked();
    await settled();
    fail(bravo.last);
    await settled();
    charlie.last.start(200, { 'content-type': 'x' }).push('hello').end({ finish: 'stop' });
    await settled();
    expect([codeOf(got), bytesOf(got).toString(), got.reply?.status]).toEqual(['whole', 'hello', 200]);
    expect(await got.reply?.ended).toMatchObject({ kind: 'complete', finish: 'stop' });
    expect(charlie.last.call.id).toBe(bravo.last.call.id);
    expect(router.openCalls).toBe(0);
    // There the head had passed: the edge tells the new route behind it.
    if (what.startsWith('accepts')) return;
    expect(routeOf(got)).toBe(`alpha>charlie; model=m; upstream=p; attempts=2; failed=bravo:${word}`);
  },
);

test('what came before the answer began is as if it had not been, where another owner takes over', async () => {
  const got = asked();
  await settled();
  bravo.last.start().push(PRELUDE).push(PRELUDE);
  await settled();
  expect(bytesOf(got).toString()).toBe('');
  bravo.last.fail(new ClawError('upstream_truncated', 'x'));
  await settled();
  charlie.last.start().push(PRELUDE).push('hello').end({ finish: 'stop' });
  await settled();
  expect([codeOf(got), bytesOf(got).toString()]).toEqual(['whole', `${PRELUDE}hello`]);
});

test('it comes with the beginning of the answer, after which nobody else is asked', async () => {
  const got = asked();
  await settled();
  bravo.last.start().push(PRELUDE).push('hello');
  await settled();
  expect(bytesOf(got).toString()).toBe(`${PRELUDE}hello`);
  bravo.last.fail(new ClawError('upstream_truncated', 'x'));
  await settled();
  expect(codeOf(got)).toBe('upstream_truncated');
  expect(loads()).toEqual([1, 0, 0]);
});

test('it is kept back for 5 s at most: a client that waits sees its stream begin, and nobody else is asked then', async () => {
  const got = asked();
  await settled();
  bravo.last.start().push(PRELUDE);
  await settled();
  clock.advance(PRELUDE_MS - 1);
  await settled();
  expect(bytesOf(got).toString()).toBe('');
  clock.advance(1);
  await settled();
  expect(bytesOf(got).toString()).toBe(PRELUDE);
  bravo.last.push('hel').push('lo');
  await settled();
  expect(bytesOf(got).toString()).toBe(`${PRELUDE}hello`);
  bravo.last.fail(new ClawError('upstream_truncated', 'x'));
  await settled();
  expect([codeOf(got), loads()]).toEqual(['upstream_truncated', [1, 0, 0]]);
  expect(await got.reply?.ended).toMatchObject({ kind: 'failed' });
  expect(clock.pending).toBe(0);
});

test('a client that leaves while the beginning is kept back leaves nothing behind', async () => {
  const stop = new AbortController();
  const got = asked(stop);
  await settled();
  bravo.last.start().push(PRELUDE);
  await settled();
  stop.abort(new ClawError('cancelled', 'left'));
  await settled();
  expect([codeOf(got), bravo.last.over, router.openCalls, clock.pending]).toEqual(['cancelled', true, 0, 0]);
});

test('a stream that ends before its answer began has said all it had to say', async () => {
  const got = asked();
  await settled();
  bravo.last.start().push(PRELUDE).end({ finish: 'stop' });
  await settled();
  expect([codeOf(got), bytesOf(got).toString()]).toEqual(['whole', PRELUDE]);
});

test.each<[string, (call: ScriptedCall) => unknown, string, number]>([
  ['a request that the upstream refuses', (call) => call.start(400).push(body('bad')).end(), 'whole', 400],
  ['a key that it refuses', (call) => call.start(401).push(body('key')).end(), 'whole', 401],
  [
    'a parameter that no dialect can carry',
    (call) => call.fail(new ClawError('unsupported_parameter', 'x')),
    'unsupported_parameter',
    400,
  ],
  [
    'an event too long',
    (call) => call.fail(new ClawError('stream_buffer_exceeded', 'x')),
    'stream_buffer_exceeded',
    502,
  ],
  ['a fault of this node', (call) => call.fail(new Error('x')), 'internal', 500],
])('%s is for the client to see: nobody else is asked', async (_what, fail, code, status) => {
  const got = asked();
  await settled();
  fail(bravo.last);
  await settled();
  expect(codeOf(got)).toBe(code);
  expect(got.end instanceof ClawError ? got.end.status : got.reply?.status).toBe(status);
  expect(loads()).toEqual([1, 0, 0]);
});

test('after the first byte nobody else is asked: the stream breaks', async () => {
  const got = asked();
  await settled();
  bravo.last.start().push('hel').fail(new ClawError('upstream_truncated', 'cut'));
  await settled();
  expect([codeOf(got), bytesOf(got).toString()]).toEqual(['upstream_truncated', 'hel']);
  expect(loads()).toEqual([1, 0, 0]);
});

test('a call that was pinned to a node is answered there or not at all', async () => {
  const got = asked(undefined, 'bravo/m');
  await settled();
  bravo.last.fail(new ClawError('upstream_unreachable', 'x'));
  await settled();
  expect(codeOf(got)).toBe('upstream_unreachable');
  expect(loads()).toEqual([1, 0, 0]);
});

test('three owners are asked at most, each once', async () => {
  const fourth = new ScriptedOwner();
  catalog.replace([
    node(first.id, 'bravo', bravo),
    node(second.id, 'charlie', charlie),
    node(third.id, 'delta', delta),
    { ...node(third.id, 'echo', fourth), id: third.id },
  ]);
  const got = asked();
  for (const owner of [bravo, charlie, delta]) {
    await settled();
    owner.last.fail(new ClawError('upstream_unreachable', 'x'));
  }
  await settled();
  expect(codeOf(got)).toBe('upstream_unreachable');
  expect([...loads(), fourth.calls.length]).toEqual([1, 1, 1, 0]);
  expect(routeOf(got)).toMatch(
    /^alpha>delta; .*attempts=3; failed=bravo:upstream_unreachable,charlie:upstream_unreachable$/,
  );
});

test('where all fail the client gets the upstream’s own word, with its Retry-After', async () => {
  const got = asked();
  await settled();
  bravo.last.start(429, { 'retry-after': '7' }).push(body('slow down')).end();
  await settled();
  charlie.last.fail(new ClawError('peer_lost', 'gone'));
  await settled();
  expect(got.end).toMatchObject({
    status: 429,
    message: 'slow down',
    upstream: { code: 'c', type: 't' },
    retryAfterSeconds: 7,
  });
  expect(routeOf(got)).toMatch(/^alpha>charlie; .*failed=bravo:429$/);
});

test('the refusal of the last one passes as it came', async () => {
  const got = asked();
  await settled();
  bravo.last.fail(new ClawError('upstream_unreachable', 'x'));
  await settled();
  charlie.last.start(503, { 'retry-after': '3' }).push(body('later')).end();
  await settled();
  expect([got.reply?.status, got.reply?.headers['retry-after'], bytesOf(got).toString()]).toEqual([
    503,
    '3',
    body('later'),
  ]);
});

test('a client that leaves while the next owner is asked leaves that one too', async () => {
  const stop = new AbortController();
  const got = asked(stop);
  await settled();
  bravo.last.fail(new ClawError('upstream_unreachable', 'x'));
  await settled();
  stop.abort(new ClawError('cancelled', 'left'));
  await settled();
  expect([codeOf(got), charlie.last.over, router.openCalls]).toEqual(['cancelled', true, 0]);
});

test('the waiting client hears of each try', async () => {
  const { call, progress } = makeCall({ model: { id: 'm' } });
  ask(router.answer, call, new AbortController().signal);
  await settled();
  bravo.last.fail(new ClawError('owner_silent', 'x'));
  await settled();
  expect(progress.map((one) => (one.kind === 'trying' ? one.route : one.kind))).toEqual([
    'alpha>bravo; model=m; upstream=p; attempts=1',
    'alpha>charlie; model=m; upstream=p; attempts=2; failed=bravo:owner_silent',
  ]);
});

async function bravoFails(code: ErrorCode = 'upstream_unreachable', seconds?: number): Promise<void> {
  const detail = seconds === undefined ? {} : { retryAfterSeconds: seconds };
  const got = asked();
  await settled();
  bravo.last.fail(new ClawError(code, 'x', detail));
  await settled();
  charlie.last.start().push('x').end();
  await settled();
  expect(codeOf(got)).toBe('whole');
}

async function answeredBy(): Promise<'bravo' | 'charlie'> {
  const before = bravo.calls.length;
  const got = asked();
  await settled();
  const owner = bravo.calls.length > before ? bravo : charlie;
  owner.last.start().push('x').end();
  await settled();
  expect(codeOf(got)).toBe('whole');
  return owner === bravo ? 'bravo' : 'charlie';
}

test('an owner that failed is left alone for 10 s, then one call tries it, and it is well again', async () => {
  await bravoFails();
  clock.advance(COOL_DOWN_MS - 1);
  expect(await answeredBy()).toBe('charlie');
  clock.advance(1);
  // The probe runs, and does not answer yet.
  asked();
  await settled();
  expect(loads()).toEqual([2, 2, 0]);
  expect(await answeredBy()).toBe('charlie');
  bravo.last.start().push('x').end();
  await settled();
  expect(await answeredBy()).toBe('bravo');
});

test('a probe that fails costs its client nothing, and the owner is left alone again', async () => {
  await bravoFails();
  clock.advance(COOL_DOWN_MS);
  await bravoFails();
  clock.advance(COOL_DOWN_MS - 1);
  expect(await answeredBy()).toBe('charlie');
});

test('a probe whose client leaves says nothing: the next call tries', async () => {
  await bravoFails();
  clock.advance(COOL_DOWN_MS);
  const stop = new AbortController();
  asked(stop);
  await settled();
  stop.abort(new ClawError('cancelled', 'left'));
  await settled();
  expect(await answeredBy()).toBe('bravo');
});

test('an owner’s Retry-After keeps calls away for as long, a minute at most', async () => {
  await bravoFails('busy', 25);
  clock.advance(24_999);
  expect(await answeredBy()).toBe('charlie');
  clock.advance(1);
  expect(await answeredBy()).toBe('bravo');
  await bravoFails('busy', 3_600);
  clock.advance(60_000);
  expect(await answeredBy()).toBe('bravo');
});

test('a lone owner that failed is asked all the same', async () => {
  catalog.replace([node(first.id, 'bravo', bravo)]);
  for (let index = 0; index < 3; index++) {
    const got = asked();
    await settled();
    bravo.last.fail(new ClawError('upstream_unreachable', 'x'));
    await settled();
    expect(codeOf(got)).toBe('upstream_unreachable');
  }
  expect(bravo.calls).toHaveLength(3);
});

test('UP8: with one of two owners always answering 503, every client is served and hardly a call goes astray', async () => {
  let served = 0;
  // Ten calls a second for a minute.
  for (let call = 0; call < 600; call++) {
    const before = bravo.calls.length;
    const got = asked();
    await settled();
    if (bravo.calls.length > before) bravo.last.start(503).push(body('no')).end();
    await settled();
    charlie.last.start().push('x').end();
    await settled();
    if (codeOf(got) === 'whole' && got.reply?.status === 200) served++;
    clock.advance(100);
  }
  expect(served).toBe(600);
  expect(bravo.calls.length).toBeLessThanOrEqual(600 * 0.2);
  // It is well again, and within 10 s it has its share.
  clock.advance(COOL_DOWN_MS);
  expect(await answeredBy()).toBe('bravo');
});

test('a local upstream that failed does not keep a remote one from answering', async () => {
  catalog.replace([node(first.id, 'alpha', bravo, 'local'), node(second.id, 'charlie', charlie)]);
  await bravoFails();
  expect(await answeredBy()).toBe('charlie');
});

test('each owner but the last hears that another one may be asked', async () => {
  catalog.replace([
    node(first.id, 'bravo', bravo),
    node(second.id, 'charlie', charlie),
    node(third.id, 'delta', delta),
  ]);
  asked();
  const seen: (boolean | undefined)[] = [];
  const seenOwners = new Set<readonly ScriptedCall[]>();
  for (let tried = 0; tried < 3; tried++) {
    await settled();
    const owner = [bravo, charlie, delta].find(({ calls }) => calls.length > 0 && !seenOwners.has(calls));
    seenOwners.add(owner?.calls ?? []);
    seen.push(owner?.last.call.others);
    owner?.last.start(503).push(body('Loading model')).end();
  }
  expect(seen).toEqual([true, true, undefined]);
});
