/** A call that goes as it should, and what of it crosses. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ClawError } from '../../src/core/errors.ts';
import { ACK_MS } from '../../src/core/limits.ts';
import { Chance } from '../support/chance.ts';
import { ask, bytesOf, codeOf, makeCall } from '../support/exchange-node.ts';
import { ExchangeWorld } from '../support/exchange-world.ts';
import { first } from '../support/identities.ts';

let world: ExchangeWorld;

beforeEach(() => {
  world = new ExchangeWorld().link();
});

afterEach(() => world.close());

test('the owner is asked what the client asked: body, model, dialect, session, and only headers that cross', async () => {
  const body = Buffer.from('{"model":"x"}');
  const { call } = world.call({
    body,
    dialect: 'responses',
    stream: false,
    session: 's-1',
    headers: { 'openai-beta': 'assistants=v2', authorization: 'Bearer secret', 'x-session-id': 'a\r\nb' },
  });
  await world.rest();
  const asked = world.owner.owner.last.call;
  expect(asked).toMatchObject({
    id: call.id,
    origin: first.id,
    dialect: 'responses',
    stream: false,
    session: 's-1',
  });
  expect(asked.model).toEqual({ id: 'Qwen/Qwen3-8B', provider: 'ollama' });
  expect(asked.headers).toEqual({ 'openai-beta': 'assistants=v2' });
  expect(Buffer.from(asked.body)).toEqual(body);
});

test.each([1, 65_535, 65_536, 65_537, 1_000_000])('a body of %i bytes arrives as it was', async (bytes) => {
  const body = new Chance(bytes).bytes(bytes);
  world.call({ body });
  await world.rest();
  expect(Buffer.from(world.owner.owner.last.call.body).equals(body)).toBe(true);
  expect(world.owner.buffers.usedBytes).toBe(bytes > 65_536 ? bytes : 0);
});

test('the reply streams back chunk by chunk, and its end tells what the owner knows', async () => {
  const got = world.call();
  await world.rest();
  const { last } = world.owner.owner;
  last.start(200, { 'content-type': 'text/event-stream', 'set-cookie': 'a=b' }).push('data: 1\n\n');
  await world.rest();
  expect(got.reply?.status).toBe(200);
  expect(got.reply?.headers).toEqual({ 'content-type': 'text/event-stream' });
  expect(bytesOf(got).toString()).toBe('data: 1\n\n');
  last.push('data: 2\n\n').end({ finish: 'stop', usage: { inputTokens: 3, outputTokens: 2 } });
  await world.rest();
  expect(bytesOf(got).toString()).toBe('data: 1\n\ndata: 2\n\n');
  expect(got.end).toBe('whole');
  expect(await got.reply?.ended).toEqual({
    kind: 'complete',
    bytes: 18,
    finish: 'stop',
    usage: { inputTokens: 3, outputTokens: 2 },
  });
});

test('a reply of several megabytes arrives byte for byte, whatever the chunks', async () => {
  const chance = new Chance(7);
  const chunks = Array.from({ length: 200 }, () => chance.bytes(1 + chance.below(40_000)));
  const got = world.call({ stream: false });
  await world.rest();
  const { last } = world.owner.owner;
  last.start();
  for (const chunk of chunks) {
    last.push(chunk);
    await world.rest(2);
  }
  last.end();
  await world.rest(300);
  expect(got.end).toBe('whole');
  expect(bytesOf(got).equals(Buffer.concat(chunks))).toBe(true);
});

test('calls of both nodes cross at once without touching each other', async () => {
  const texts = Array.from({ length: 40 }, (_, index) => `call ${index}`);
  const gots = texts.map((text) => world.call({ body: Buffer.from(text) }));
  const back = texts.map((text) =>
    ask(world.owner.answer, makeCall({ body: Buffer.from(text) }).call, new AbortController().signal),
  );
  await world.rest();
  for (const one of world.entry.owner.calls) one.start().push(Buffer.from(one.call.body)).end();
  for (const one of world.owner.owner.calls) one.start().push(Buffer.from(one.call.body)).end();
  await world.rest();
  expect(gots.map((got) => bytesOf(got).toString())).toEqual(texts);
  expect(back.map((got) => bytesOf(got).toString())).toEqual(texts);
});

test('the waiting client hears that the call was taken, and then that it is alive at least every 10 s', async () => {
  const { progress } = world.call();
  await world.rest();
  // It waits a moment for something better to say.
  expect(progress).toEqual([]);
  await world.pass(ACK_MS, ACK_MS);
  expect(progress).toEqual([{ kind: 'accepted' }]);
  let heard = progress.length;
  let silentMs = 0;
  for (let ms = 0; ms < 60_000; ms += 500) {
    await world.pass(500, 500);
    silentMs = progress.length > heard ? 0 : silentMs + 500;
    heard = progress.length;
    expect(silentMs).toBeLessThanOrEqual(10_000);
  }
  expect(progress.at(-1)).toEqual({ kind: 'waiting' });
});

test('what its upstream does reaches the entry within 5 s, however often it says so', async () => {
  const { progress } = world.call();
  await world.rest();
  const { report } = world.owner.owner.last.call;
  const told = async (ms: number) => {
    const before = progress.length;
    await world.pass(ms, 500);
    return progress.slice(before);
  };
  await told(ACK_MS);
  report({ kind: 'loading' });
  expect(await told(5_000)).toEqual([{ kind: 'loading' }]);
  expect(await told(10_000)).toEqual([{ kind: 'loading' }, { kind: 'loading' }]);
  for (let done = 1; done <= 50; done++) report({ kind: 'prefill', done, total: 50 });
  expect(await told(5_000)).toEqual([{ kind: 'prefill', done: 50, total: 50 }]);
  report({ kind: 'waiting' });
  expect((await told(5_000)).at(-1)).toEqual({ kind: 'waiting' });
});

test('progress goes on behind the head of the reply', async () => {
  const { progress } = world.call();
  await world.rest();
  const { last } = world.owner.owner;
  last.start();
  await world.rest();
  last.call.report({ kind: 'prefill', done: 1, total: 2 });
  await world.pass(5_000);
  expect(progress.at(-1)).toEqual({ kind: 'prefill', done: 1, total: 2 });
});

test('a refusal of the upstream crosses as a reply, with its status and body', async () => {
  const got = world.call();
  await world.rest();
  world.owner.owner.last.start(429, { 'retry-after': '7' }).push('{"error":{}}').end();
  await world.rest();
  expect([got.reply?.status, got.reply?.headers, bytesOf(got).toString()]).toEqual([
    429,
    { 'retry-after': '7' },
    '{"error":{}}',
  ]);
});

test('an error of the owner crosses with all that a client acts on, and without its cause', async () => {
  const got = world.call();
  await world.rest();
  const detail = { status: 529, param: 'model', retryAfterSeconds: 3, cause: new Error('secret') };
  world.owner.owner.last.fail(new ClawError('upstream_error', 'overloaded', detail));
  await world.rest();
  const error = got.end;
  expect(error).toBeInstanceOf(ClawError);
  expect(error).toMatchObject({ code: 'upstream_error', message: 'overloaded', status: 529, param: 'model' });
  expect(error).toMatchObject({ retryAfterSeconds: 3 });
  expect(error instanceof ClawError && error.cause).toBeUndefined();
});

test('an error that is none of the house says nothing of itself', async () => {
  const got = world.call();
  await world.rest();
  world.owner.owner.last.fail(new TypeError('/home/someone/secret.ts'));
  await world.rest();
  expect(got.end).toMatchObject({ code: 'internal', message: 'the owner failed to answer' });
});

test('without a link a call is refused at once', async () => {
  world.entry.link.close(1001, 'gone');
  const got = world.call();
  await world.rest();
  expect(codeOf(got)).toBe('no_owner');
});

test('a client that has left already asks nobody', async () => {
  const controller = new AbortController();
  controller.abort();
  await expect(world.entry.answer(world.call().call, controller.signal)).rejects.toMatchObject({
    code: 'cancelled',
  });
});

test.each([
  ['no bytes', 0, 'bad_request'],
  ['32 MiB and a byte', 32 * 1024 * 1024 + 1, 'body_too_large'],
])('a body of %s is an error of the call, and the link goes on', async (_what, bytes, code) => {
  const got = world.call({ body: Buffer.alloc(bytes) });
  await world.rest(3);
  expect(codeOf(got)).toBe(code);
  expect(world.entry.isLinked).toBe(true);
});
