/** A server that says that it still loads its model is asked again until it has, and those who wait are told. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Progress } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import { LOADING_LOOK_MS } from '../../src/core/limits.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { json, refuses, type ScriptedUpstream, says, startUpstream } from '../support/scripted-upstream.ts';
import { call, live, read, thrown, upstreams } from './one-upstream.ts';

const LOADING = json(503, { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } });

let clock: FakeClock;
let upstream: ScriptedUpstream;
let progress: Progress[];

beforeEach(async () => {
  clock = new FakeClock();
  upstream = await startUpstream();
  progress = [];
});

afterEach(async () => {
  await upstream[Symbol.asyncDispose]();
  expect(clock.pending).toBe(0);
});

function ask(signal = live(), silenceMs = 120_000) {
  const made = upstreams(upstream.baseUrl, { clock, spec: { silenceMs } });
  const reply = made.answer(call({ report: (one) => void progress.push(one) }), signal);
  reply.catch(() => {});
  return { reply, close: () => made.close() };
}

/** Lets it be told so for so many seconds, each time after the server was asked. */
async function load(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    const told = progress.length;
    await eventually('it is told that the model loads', () => progress.length > told || told > second);
    clock.advance(LOADING_LOOK_MS);
    await eventually('it is asked again', () => upstream.requests.length >= second + 2);
  }
}

test('it is asked each second, and answers when it has loaded', async () => {
  for (let second = 0; second < 60; second++) upstream.next(LOADING);
  upstream.next(says('here'));
  const { reply, close } = ask();
  await load(60);
  expect(await read(await reply)).toContain('here');
  expect(upstream.requests).toHaveLength(61);
  expect(progress.slice(0, -1)).toEqual(Array.from({ length: 60 }, () => ({ kind: 'loading' })));
  expect(progress.at(-1)).toEqual({ kind: 'waiting' });
  await close();
});

test('for as long as its silence is borne, and then its own words are the answer', async () => {
  upstream.always(LOADING);
  const { reply, close } = ask(live(), 5_000);
  await load(5);
  expect((await reply).status).toBe(503);
  expect(await read(await reply)).toContain('Loading model');
  expect(upstream.requests).toHaveLength(6);
  await close();
});

test('not where another owner may answer: its own words go back at once', async () => {
  upstream.always(LOADING);
  const made = upstreams(upstream.baseUrl, { clock });
  const reply = await made.answer(call({ others: true }), live());
  expect(reply.status).toBe(503);
  expect(await read(reply)).toContain('Loading model');
  expect(upstream.requests).toHaveLength(1);
  await made.close();
});

test('a client that leaves ends the wait', async () => {
  upstream.always(LOADING);
  const stop = new AbortController();
  const { reply, close } = ask(stop.signal);
  await eventually('it is told that the model loads', () => progress.length === 1);
  stop.abort(new ClawError('cancelled', 'the client left'));
  expect((await thrown(reply)).code).toBe('cancelled');
  expect(upstream.requests).toHaveLength(1);
  await close();
});

describe('whatever else is refused is told at once', () => {
  test.each([
    ['busy', refuses(503, { message: 'No slot available' })],
    ['another word', refuses(503, { message: 'Loading model failed' })],
    ['another status', json(500, { error: { message: 'Loading model' } })],
    ['a page', json(503, 'Loading model')],
  ])('%s', async (_, script) => {
    upstream.next(script);
    const { reply, close } = ask();
    expect((await reply).status).toBeGreaterThanOrEqual(500);
    expect(progress).toEqual([]);
    await close();
  });
});
