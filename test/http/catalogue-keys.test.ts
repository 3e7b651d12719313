/** HE5 of the fault catalogue: wrong keys, many of them, from here and from elsewhere. */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import {
  KEY_FAILURES_MAX,
  KEY_FAILURES_MS,
  KEY_FAILURES_REMEMBERED_MAX,
  KEY_LOCKOUT_MS,
  KEY_REFUSAL_MS,
  KEY_REFUSALS_WAITING_MAX,
} from '../../src/core/limits.ts';
import { KeyGuard, type KeyVerdict } from '../../src/http/key-guard.ts';
import { Lockouts } from '../../src/http/lockouts.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RawClient } from '../support/raw-client.ts';
import { ask } from './ask.ts';
import { startWith } from './start.ts';

const KEY = 'right-key-0123456789abcdef';
const PROXY = '10.0.0.1';

/** A request as the guard sees it. */
function requestFrom(address: string, key: string | undefined, forwarded?: string): IncomingMessage {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: address });
  const request = new IncomingMessage(socket);
  if (key !== undefined) request.headers.authorization = `Bearer ${key}`;
  if (forwarded !== undefined) request.headers['x-forwarded-for'] = forwarded;
  return request;
}

function guardOn(clock: FakeClock, keys = [KEY]): KeyGuard {
  return new KeyGuard(keys, new Set([PROXY, '127.0.0.1']), clock);
}

const said = (verdict: KeyVerdict) => (verdict === 'in' ? 'in' : `${verdict.error.status} ${verdict.when}`);

test('HE5: ten thousand wrong keys from loopback are each refused late, and lock nobody out', () => {
  const clock = new FakeClock();
  const guard = guardOn(clock);
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '127.8.8.8']) {
    const verdicts = new Set<string>();
    for (let tries = 0; tries < 2_500; tries++)
      verdicts.add(said(guard.check(requestFrom(address, `wrong-${tries}`))));
    expect([...verdicts]).toEqual(['401 late']);
    expect(said(guard.check(requestFrom(address, KEY)))).toBe('in');
  }
  expect(clock.pending).toBe(0);
});

test('HE5: ten wrong keys in a minute from another address lock it out for five, with the right key too', () => {
  const clock = new FakeClock();
  const guard = guardOn(clock);
  for (let tries = 0; tries < KEY_FAILURES_MAX; tries++) {
    expect(said(guard.check(requestFrom('192.0.2.7', 'wrong')))).toBe('401 late');
    clock.advance(KEY_FAILURES_MS / KEY_FAILURES_MAX - 1);
  }
  for (const key of ['wrong', KEY, undefined])
    expect(said(guard.check(requestFrom('192.0.2.7', key)))).toBe('429 now');
  const verdict = guard.check(requestFrom('192.0.2.7', KEY));
  expect(verdict === 'in' ? undefined : verdict.error.retryAfterSeconds).toBeGreaterThan(290);
  // Another address is not touched by it, and those who are locked out do not make it longer.
  expect(said(guard.check(requestFrom('192.0.2.8', KEY)))).toBe('in');
  clock.advance(KEY_LOCKOUT_MS);
  expect(said(guard.check(requestFrom('192.0.2.7', KEY)))).toBe('in');
  expect(said(guard.check(requestFrom('192.0.2.7', 'wrong')))).toBe('401 late');
});

test('HE5: wrong keys that come slower than ten a minute lock nobody out, nor do requests without a key', () => {
  const clock = new FakeClock();
  const guard = guardOn(clock);
  for (let tries = 0; tries < 100; tries++) {
    expect(said(guard.check(requestFrom('192.0.2.7', 'wrong')))).toBe('401 late');
    for (let bare = 0; bare < 20; bare++)
      expect(said(guard.check(requestFrom('192.0.2.7', undefined)))).toBe('401 now');
    clock.advance(KEY_FAILURES_MS / (KEY_FAILURES_MAX - 1) + 1);
  }
});

test.each([
  ['192.0.2.7', '::ffff:192.0.2.7', 'the same address'],
  ['192.0.2.7', '::FFFF:c000:207', 'the same address in other letters'],
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', 'another address of the same household'],
  ['fe80::1%eth0', 'fe80::1', 'the same address on another interface'],
])('HE5: who is locked out as %s is so as %s: %s', (one, other) => {
  const guard = guardOn(new FakeClock());
  for (let tries = 0; tries < KEY_FAILURES_MAX; tries++) guard.check(requestFrom(one, 'wrong'));
  expect(said(guard.check(requestFrom(other, KEY)))).toBe('429 now');
  expect(said(guard.check(requestFrom('2001:db8:1:3::1', KEY)))).toBe('in');
});

test('HE9: X-Forwarded-For counts from a trusted proxy alone, and there only what the proxy itself saw', () => {
  const guard = guardOn(new FakeClock());
  const spoof = (tries: number) => `203.0.113.${tries}`;
  for (let tries = 0; tries < KEY_FAILURES_MAX; tries++)
    guard.check(requestFrom('192.0.2.7', 'wrong', spoof(tries)));
  expect(said(guard.check(requestFrom('192.0.2.7', KEY, '127.0.0.1')))).toBe('429 now');
  for (let tries = 0; tries < KEY_FAILURES_MAX; tries++)
    guard.check(requestFrom(PROXY, 'wrong', `${spoof(tries)}, 198.51.100.9, ${PROXY}`));
  expect(said(guard.check(requestFrom(PROXY, KEY, '127.0.0.1, 198.51.100.9')))).toBe('429 now');
  expect(said(guard.check(requestFrom(PROXY, KEY, '198.51.100.10')))).toBe('in');
  expect(said(guard.check(requestFrom(PROXY, KEY, 'not an address')))).toBe('in');
});

test('HE5: a flood of addresses is remembered up to a bound, and sets none free that is locked out', () => {
  const clock = new FakeClock();
  const lockouts = new Lockouts(clock);
  for (let tries = 0; tries < KEY_FAILURES_MAX; tries++) lockouts.failed('locked');
  for (let flood = 0; flood < 5_000; flood++) lockouts.failed(`flood-${flood}`);
  expect(lockouts.size).toBe(KEY_FAILURES_REMEMBERED_MAX);
  expect(lockouts.remainingMs('locked')).toBe(KEY_LOCKOUT_MS);
  // All of them locked out: what comes then is not counted, and pushes nobody out.
  for (let address = 0; address < KEY_FAILURES_REMEMBERED_MAX; address++)
    for (let tries = 0; tries < KEY_FAILURES_MAX; tries++) lockouts.failed(`host-${address}`);
  for (let tries = 0; tries < KEY_FAILURES_MAX; tries++) lockouts.failed('late');
  expect([lockouts.size, lockouts.remainingMs('late')]).toEqual([KEY_FAILURES_REMEMBERED_MAX, 0]);
  expect(lockouts.remainingMs('locked')).toBe(KEY_LOCKOUT_MS);
  clock.advance(KEY_LOCKOUT_MS);
  for (let tries = 0; tries < KEY_FAILURES_MAX; tries++) lockouts.failed('late');
  expect([lockouts.size, lockouts.remainingMs('late')]).toEqual([
    KEY_FAILURES_REMEMBERED_MAX,
    KEY_LOCKOUT_MS,
  ]);
});

test('HE5: a key that is nearly right takes as long as one that is not at all', () => {
  const guard = guardOn(new FakeClock(), [KEY, `${KEY}-second`]);
  const near = requestFrom('127.0.0.1', `${KEY.slice(0, -1)}x`);
  const off = requestFrom('127.0.0.1', 'z'.repeat(KEY.length));
  const took = (request: IncomingMessage) => {
    const startedAt = performance.now();
    for (let tries = 0; tries < 1_000; tries++) guard.check(request);
    return performance.now() - startedAt;
  };
  const rounds = Array.from({ length: 15 }, () => took(near) / took(off)).sort((one, other) => one - other);
  expect(rounds[7]).toBeGreaterThan(0.5);
  expect(rounds[7]).toBeLessThan(2);
});

test('HE5: a wrong key is answered 250 ms later, a right one at once meanwhile', async () => {
  const clock = new FakeClock();
  await using on = await startWith(() => Promise.reject(new Error('not asked')), {
    parts: { clock },
    options: { apiKeys: [KEY] },
  });
  const answers: number[] = [];
  const wrong = ask(`${on.url}/v1/models`, { headers: { authorization: 'Bearer wrong' } });
  void wrong.then(({ status }) => answers.push(status));
  await eventually('it waits', () => clock.pending === 1);
  clock.advance(KEY_REFUSAL_MS - 1);
  const right = await ask(`${on.url}/v1/models`, { headers: { authorization: `Bearer ${KEY}` } });
  expect([right.status, answers]).toEqual([200, []]);
  clock.advance(1);
  expect((await wrong).status).toBe(401);
  expect(clock.pending).toBe(0);
});

test('HE5: refusals that wait are bounded, and one whose client has left waits no more', async () => {
  const clock = new FakeClock();
  await using on = await startWith(() => Promise.reject(new Error('not asked')), {
    parts: { clock },
    options: { apiKeys: [KEY] },
  });
  const asked = { headers: { authorization: 'Bearer wrong' } };
  const waiting = Array.from({ length: KEY_REFUSALS_WAITING_MAX }, () =>
    ask(`${on.url}/v1/models`, asked).catch(() => ({ status: 0 })),
  );
  await eventually('all of them wait', () => clock.pending === KEY_REFUSALS_WAITING_MAX);
  const over = await ask(`${on.url}/v1/models`, asked);
  expect([over.status, over.headers['retry-after']]).toEqual([429, '1']);
  expect(over.json()).toMatchObject({ error: { code: 'too_many_wrong_keys', type: 'rate_limit_error' } });
  expect(clock.pending).toBe(KEY_REFUSALS_WAITING_MAX);
  const right = await ask(`${on.url}/v1/models`, { headers: { authorization: `Bearer ${KEY}` } });
  expect(right.status).toBe(200);
  clock.advance(KEY_REFUSAL_MS);
  expect(new Set((await Promise.all(waiting)).map(({ status }) => status))).toEqual(new Set([401]));
  const leaving = new RawClient(on.edge.port);
  leaving.write('GET /v1/models HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer wrong\r\n\r\n');
  await eventually('it waits', () => clock.pending === 1);
  leaving.destroy();
  await eventually('nothing waits for it', () => clock.pending === 0);
});
