/** A client without a stream that waits for long: kept alive by white space before its JSON, where that is configured. */
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { ClawError } from '../../src/core/errors.ts';
import { EDGE_SWEEP_MS, KEEPALIVE_MS } from '../../src/core/limits.ts';
import { eventually } from '../support/eventually.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { chatBody } from '../support/openai-bodies.ts';
import type { ScriptedCall, ScriptedOwner } from '../support/scripted-answer.ts';
import { withScriptedEdge } from './scripted-edge.ts';
import { type Started, startWith } from './start.ts';
import { settled, StreamClient } from './stream-client.ts';

const CHAT = '/v1/chat/completions';
const WAIT_MS = 120_000;
const JSON_HEAD = { 'content-type': 'application/json' };

let clock: FakeClock;
let owner: ScriptedOwner;
let on: Started;

withScriptedEdge((edge) => ({ clock, owner, on } = edge), { wholeKeepaliveMs: WAIT_MS });

async function open(body = '{"model":"m"}'): Promise<{ client: StreamClient; call: ScriptedCall }> {
  const before = owner.calls.length;
  const client = new StreamClient(`${on.url}${CHAT}`, body);
  const call = await eventually('the call is asked', () => owner.calls[before]);
  await settled(on.url);
  return { client, call };
}

/** In steps of a look each, so that what is written is taken in between. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= EDGE_SWEEP_MS) {
    clock.advance(Math.min(left, EDGE_SWEEP_MS));
    await settled(on.url);
  }
}

async function logged(): Promise<Record<string, unknown>> {
  return eventually('it is logged', () => on.lines.find(({ msg }) => msg === 'call settled'));
}

describe('a call that waits longer than it should', () => {
  test('gets no byte before its time, then 200 and a line break within each 15 s until the JSON', async () => {
    const { client, call } = await open();
    await pass(WAIT_MS - 1);
    expect(client.status).toBe(0);
    await pass(1);
    expect([client.status, client.headers['content-type'], client.text]).toEqual([
      200,
      'application/json',
      '\n',
    ]);
    await pass(2 * KEEPALIVE_MS);
    expect(client.text).toBe('\n\n\n');
    const body = JSON.stringify(chatBody({ text: ['late'] }));
    call.start(200, JSON_HEAD).push(body).end();
    await client.closed();
    expect([client.whole, client.text]).toEqual([true, `\n\n\n${body}`]);
    expect(await logged()).toMatchObject({
      status: 200,
      heldMs: WAIT_MS,
      ttfbMs: WAIT_MS + 2 * KEEPALIVE_MS,
    });
  });

  test('is kept alive while the owner has begun and the JSON has not', async () => {
    const { client, call } = await open();
    call.start(200, JSON_HEAD);
    await pass(WAIT_MS + KEEPALIVE_MS);
    expect(client.text).toBe('\n\n');
    const large = JSON.stringify({ text: 'x'.repeat(300_000) });
    call.push(large.slice(0, 200_000)).push(large.slice(200_000)).end();
    await client.closed();
    expect([client.whole, client.text.trimStart() === large]).toEqual([true, true]);
  });

  test('is read by OpenAI’s client', async () => {
    const openai = new OpenAI({ baseURL: `${on.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const asking = openai.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'x' }] });
    asking.catch(() => {});
    const call = await eventually('the call is asked', () => owner.calls[0]);
    await pass(WAIT_MS + KEEPALIVE_MS);
    call
      .start(200, JSON_HEAD)
      .push(JSON.stringify(chatBody({ text: ['late'] })))
      .end();
    expect((await asking).choices[0]?.message.content).toBe('late');
  });

  test.each<[string, (call: ScriptedCall) => void, object]>([
    [
      'a failure',
      (call) => call.fail(new ClawError('peer_lost', 'the link was lost')),
      { status: 502, code: 'peer_lost' },
    ],
    [
      'a refusal',
      (call) => call.start(429, {}).push('{"error":{"message":"slow down"}}').end(),
      { status: 429, reason: 'slow down' },
    ],
  ])('that ends in %s is cut and never looks whole; the log says why', async (_, end, line) => {
    const { client, call } = await open();
    await pass(WAIT_MS);
    end(call);
    await client.closed();
    expect([client.whole, client.text]).toEqual([false, '\n']);
    expect(await logged()).toMatchObject({ ...line, heldMs: WAIT_MS });
  });

  test('is ended with its client', async () => {
    const { client, call } = await open();
    await pass(WAIT_MS);
    client.leave();
    await eventually('the call is cut', () => call.signal.aborted);
    expect(await logged()).toMatchObject({ status: 499, code: 'cancelled' });
  });
});

describe('a call that is answered as ever', () => {
  test('in time: its status and length are its own', async () => {
    const { client, call } = await open();
    await pass(WAIT_MS - 1);
    call.start(200, JSON_HEAD).push('{}').end();
    await client.closed();
    expect([client.text, client.headers['content-length']]).toEqual(['{}', '2']);
  });

  test('refused in time, though the words come late', async () => {
    const { client, call } = await open();
    await pass(WAIT_MS - 1);
    call.start(429, {});
    await settled(on.url);
    await pass(WAIT_MS);
    call.push('{"error":{"message":"slow down"}}').end();
    await client.closed();
    expect([client.status, client.text]).toEqual([429, '{"error":{"message":"slow down"}}']);
  });

  test('with a stream: white space is not for events', async () => {
    const { client, call } = await open('{"model":"m","stream":true}');
    await pass(WAIT_MS + KEEPALIVE_MS);
    expect(client.text).not.toMatch(/^\n/);
    expect(client.headers['content-type']).toMatch(/event-stream/);
    call.fail(new ClawError('peer_lost', 'the link was lost'));
    await client.closed();
  });

  test('where nothing is configured', async () => {
    await using off = await startWith(owner.answer, { parts: { clock } });
    const client = new StreamClient(`${off.url}${CHAT}`, '{"model":"m"}');
    const call = await eventually('the call is asked', () => owner.calls[0]);
    await pass(10 * WAIT_MS);
    expect(client.status).toBe(0);
    call.start(200, JSON_HEAD).push('{}').end();
    expect((await client.closed()).text).toBe('{}');
  });
});
