/** The fault catalogue, group Upstream: host names whose address changes after they were looked at. */
import type { LookupAddress } from 'node:dns';
import { beforeEach, expect, test, vi } from 'vitest';
import * as scripted from '../support/scripted-upstream.ts';
import { call, KEY, live, read, streamCall, thrown, upstreams, where } from './one-upstream.ts';

/** What the name servers say, one list a question; the last stays. */
const dns = vi.hoisted(() => ({ answers: new Array<readonly string[]>(), asked: new Array<string>() }));

vi.mock('node:dns', async (original) => {
  const lookup = (
    host: string,
    _options: object,
    callback: (error: Error | null, found: readonly LookupAddress[]) => void,
  ) => {
    dns.asked.push(host);
    const addresses = (dns.answers.length > 1 ? dns.answers.shift() : dns.answers[0]) ?? [];
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    setImmediate(callback, null, found);
  };
  return { ...(await original<object>()), lookup };
});

beforeEach(() => {
  dns.answers.length = 0;
  dns.asked.length = 0;
});

const at = (host: string, baseUrl: string) => `http://${host}:${new URL(baseUrl).port}/v1`;

test('UP6: a name that is good at first and a metadata service later is refused when it is', async () => {
  await using upstream = await scripted.startUpstream();
  await using ours = upstreams(at('rebound.test', upstream.baseUrl));
  dns.answers.push(['127.0.0.1'], ['169.254.169.254']);
  // Its connection is not kept, so that the second call has to look the name up again.
  upstream.next(
    scripted.raw({ headers: { 'content-type': 'application/json', connection: 'close' } }, '{"choices":[]}'),
  );
  await read(await ours.answer(call(), live()));
  for (const sent of [call(), streamCall()]) {
    const error = await thrown(ours.answer(sent, live()));
    expect(error).toMatchObject({ code: 'upstream_unreachable', status: 502 });
    expect(error.message).toContain('169.254.169.254 is not used as an upstream');
    expect(error.message).toContain(where);
    expect(error.message).not.toContain(KEY);
  }
  expect(dns.asked).toEqual(['rebound.test', 'rebound.test', 'rebound.test']);
  expect(upstream.requests).toHaveLength(1);
});

test('UP6: what was looked at is what is connected to: of several addresses the refused ones are left out', async () => {
  await using upstream = await scripted.startUpstream();
  await using ours = upstreams(at('many.test', upstream.baseUrl));
  dns.answers.push(['169.254.169.254', '::ffff:169.254.169.254', 'fe80::1', '127.0.0.1', '0.0.0.0']);
  await read(await ours.answer(call(), live()));
  expect(upstream.requests).toHaveLength(1);
  expect(dns.asked).toEqual(['many.test']);
});

test.each([
  ['169.254.169.254'],
  ['::ffff:169.254.169.254'],
  ['fd00:ec2::254'],
  ['fe80::a9fe:a9fe'],
  ['0.0.0.0'],
  ['224.0.0.1'],
])('UP6: a name that stands for %s alone is refused', async (address) => {
  await using ours = upstreams('http://metadata.test./v1');
  dns.answers.push([address]);
  const error = await thrown(ours.answer(call(), live()));
  expect(error).toMatchObject({ code: 'upstream_unreachable', status: 502 });
  expect(error.message).toContain('is not used as an upstream');
  // The dot at the end does not make it another name for the check.
  expect(dns.asked).toEqual(['metadata.test.']);
});

test.each(['0x7f000001', '2130706433', '127.1', '0177.0.0.1', '[::ffff:127.0.0.1]', '127.0.0.1.'])(
  'UP6: %s is loopback, where models run, and no name is asked for',
  async (host) => {
    await using upstream = await scripted.startUpstream();
    await using ours = upstreams(at(host, upstream.baseUrl));
    await read(await ours.answer(call(), live()));
    expect(upstream.requests).toHaveLength(1);
    expect(dns.asked).toEqual([]);
  },
);

test.each([
  '0xa9fea9fe',
  '2852039166',
  '169.254.43518',
  '0251.0376.0251.0376',
  '[::ffff:169.254.169.254]',
  '[::ffff:a9fe:a9fe]',
  '169.254.169.254.',
  'user:pass@169.254.169.254',
  '127.0.0.1@169.254.169.254',
])('UP6: %s is refused before a connection or a question', async (host) => {
  await using ours = upstreams(`http://${host}/v1`);
  const error = await thrown(ours.answer(call(), live()));
  expect(error).toMatchObject({ code: 'upstream_unreachable', status: 502 });
  expect(error.message).toContain('is not used as an upstream');
  expect(error.message).not.toMatch(/pass/);
  expect(dns.asked).toEqual([]);
});

test('UP6: a user name in the address is sent to nobody: the key is the configured one', async () => {
  await using upstream = await scripted.startUpstream();
  const { host } = new URL(upstream.baseUrl);
  await using ours = upstreams(`http://evil.test:secret@${host}/v1`);
  await read(await ours.answer(call(), live()));
  const { headers } = await upstream.request(0);
  expect(headers).toMatchObject({ host, authorization: `Bearer ${KEY}` });
  expect(JSON.stringify(headers)).not.toMatch(/evil|secret/);
});
