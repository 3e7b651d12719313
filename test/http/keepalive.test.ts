/** A client that waits: when it gets its head, what shows it that the call is alive, and how a failure is told then. */
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { ClawError } from '../../src/core/errors.ts';
import { HOLD_MS, KEEPALIVE_MS } from '../../src/core/limits.ts';
import { eventually } from '../support/eventually.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { chatEvents, responsesEvents } from '../support/openai-bodies.ts';
import { checkResponsesStream } from '../support/responses-rules.ts';
import type { ScriptedCall, ScriptedOwner } from '../support/scripted-answer.ts';
import { ask } from './ask.ts';
import { withScriptedEdge } from './scripted-edge.ts';
import { type Started, startWith } from './start.ts';
import { settled, StreamClient } from './stream-client.ts';

const CHAT = '/v1/chat/completions';
const RESPONSES = '/v1/responses';
const BODY = '{"model":"box/m","stream":true}';

let clock: FakeClock;
let owner: ScriptedOwner;
let on: Started;

withScriptedEdge((edge) => ({ clock, owner, on } = edge));

async function open(path: string): Promise<{ client: StreamClient; call: ScriptedCall }> {
  const before = owner.calls.length;
  const client = new StreamClient(`${on.url}${path}`, BODY);
  const call = await eventually('the call is asked', () => owner.calls[before]);
  return { client, call };
}

/** In steps, so that what is written is read in between. */
async function pass(ms: number): Promise<void> {
  await settled(on.url);
  for (let left = ms; left > 0; left -= 5_000) {
    clock.advance(Math.min(left, 5_000));
    await settled(on.url);
  }
}

function nothingSaid(callId: string) {
  return {
    id: `chatcmpl-${callId}`,
    object: 'chat.completion.chunk',
    created: expect.any(Number),
    model: 'box/m',
    choices: [{ index: 0, delta: {}, finish_reason: null }],
  };
}

describe('a stream call without a reply', () => {
  test('gets no byte before holdMs, then 200 with a sign of life, and one more within each 15 s of silence', async () => {
    const { client, call } = await open(CHAT);
    await pass(HOLD_MS - 1);
    expect(client.status).toBe(0);
    await pass(1);
    expect(client.status).toBe(200);
    expect(client.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-request-id': call.call.id,
      'server-timing': 'ttfb;dur=10000',
    });
    expect(client.headers).not.toHaveProperty('x-clawmatrix-route');
    expect(client.events).toEqual([nothingSaid(call.call.id)]);
    await pass(3 * KEEPALIVE_MS);
    expect(client.events).toEqual(Array.from({ length: 4 }, () => nothingSaid(call.call.id)));
    expect(new Set(client.heard.map(({ data }) => data)).size).toBe(1);
    expect(client.over).toBe(false);
  });

  test('is answered as ever where the reply comes in time: no sign of life is in it', async () => {
    const { client, call } = await open(CHAT);
    await pass(HOLD_MS - 1);
    const events = chatEvents({ text: ['a'] }).join('');
    call.start().push(events).end();
    expect((await client.closed()).text).toBe(events);
    expect(client.whole).toBe(true);
    await pass(HOLD_MS);
  });

  test('that fails before holdMs is told so by a status', async () => {
    const { client, call } = await open(CHAT);
    await pass(HOLD_MS - 1);
    call.fail(new ClawError('no_owner', 'nobody has m'));
    await client.closed();
    expect(client.status).toBe(503);
    expect(JSON.parse(client.text)).toMatchObject({ error: { code: 'no_owner' } });
  });

  test('that is refused before holdMs keeps the status though the words come late', async () => {
    const { client, call } = await open(CHAT);
    await pass(HOLD_MS - 1);
    call.start(429, {});
    await settled(on.url);
    await pass(HOLD_MS);
    call.push('{"error":{"message":"slow down"}}').end();
    await client.closed();
    expect(client.status).toBe(429);
    expect(client.text).toBe('{"error":{"message":"slow down"}}');
  });

  test('gets the late reply as its stream', async () => {
    const { client, call } = await open(CHAT);
    await pass(HOLD_MS + KEEPALIVE_MS);
    const events = chatEvents({ text: ['a', 'b'] }).join('');
    call.start().push(events).end();
    await client.closed();
    expect(client.whole).toBe(true);
    expect(client.text.endsWith(events)).toBe(true);
    await eventually('it is logged', () => on.lines.some(({ msg }) => msg === 'call settled'));
    expect(on.lines.at(-1)).toMatchObject({
      status: 200,
      heldMs: 10_000,
      ttfbMs: HOLD_MS + KEEPALIVE_MS,
      firstEventMs: HOLD_MS + KEEPALIVE_MS,
    });
  });

  test('waits as long as the node is told to', async () => {
    await using quick = await startWith(owner.answer, { parts: { clock, holdMs: 20 } });
    const client = new StreamClient(`${quick.url}${CHAT}`, BODY);
    await eventually('the call is asked', () => owner.calls.length === 1);
    clock.advance(20);
    await eventually('the head has come', () => client.status === 200);
  });
});

test('a plain call never gets its head early', async () => {
  const telling = ask(`${on.url}${CHAT}`, { body: '{"model":"m"}' });
  await eventually('the call is asked', () => owner.calls.length === 1);
  await pass(60_000);
  owner.last.fail(new ClawError('upstream_timeout', 'too slow'));
  expect(await telling).toMatchObject({ status: 504, whole: true });
});

describe('a failure behind the early head is an event and a closed socket', () => {
  test.each([
    ['chat', CHAT],
    ['responses', RESPONSES],
  ])('thrown, on %s', async (dialect, path) => {
    const { client, call } = await open(path);
    await pass(HOLD_MS);
    call.fail(new ClawError('peer_lost', 'the link was lost', { headers: { 'x-clawmatrix-route': 'a>b' } }));
    await client.closed();
    expect(client.whole).toBe(false);
    expect(client.text).not.toMatch(/\[DONE\]|response\.completed/);
    expect(client.comments).toContain('x-clawmatrix-route a>b');
    const told = { code: 'peer_lost', message: 'the link was lost', type: 'server_error' };
    if (dialect === 'chat') expect(client.events.at(-1)).toEqual({ error: { ...told, param: null } });
    else
      expect(client.events).toMatchObject([
        { type: 'response.created', sequence_number: 0 },
        { type: 'response.in_progress', sequence_number: 1 },
        { type: 'error', sequence_number: 2, error: told },
        { type: 'response.failed', sequence_number: 3, response: { status: 'failed' } },
      ]);
    if (dialect === 'responses') checkResponsesStream(client.events);
    await eventually('it is logged', () => on.lines.length > 0);
    expect(on.lines.at(-1)).toMatchObject({ status: 502, code: 'peer_lost', heldMs: 10_000, route: 'a>b' });
  });

  test('a refusal by the upstream keeps its class, code and words', async () => {
    const { client, call } = await open(CHAT);
    await pass(HOLD_MS);
    const error = { message: 'slow down', type: 'rate_limit_error', param: null, code: 'rate_limited' };
    call.start(429, { 'content-type': 'application/json', 'retry-after': '3' });
    call.push(JSON.stringify({ error })).end();
    await client.closed();
    expect(client.whole).toBe(false);
    expect(client.events.at(-1)).toEqual({ error });
    await eventually('it is logged', () => on.lines.length > 0);
    expect(on.lines.at(-1)).toMatchObject({ status: 429, reason: 'slow down' });
  });

  test('a rate limit on responses says in its words when to come back', async () => {
    const { client, call } = await open(RESPONSES);
    await pass(HOLD_MS);
    call.start(429, { 'retry-after': '3' }).push('{"error":{"message":"slow down"}}').end();
    await client.closed();
    expect(client.events.at(-1)).toMatchObject({
      response: { error: { code: 'rate_limit_exceeded', message: 'slow down; try again in 3 s' } },
    });
  });

  test('a reply that is no stream is one', async () => {
    const { client, call } = await open(CHAT);
    await pass(HOLD_MS);
    call.start(200, { 'content-type': 'application/json' }).push('{"choices":[]}');
    await client.closed();
    expect(client.whole).toBe(false);
    expect(client.events.at(-1)).toMatchObject({ error: { code: 'upstream_protocol' } });
    expect(call.left).toBe(true);
  });

  test('a client that leaves ends the call, and is written nothing more', async () => {
    let leave = () => {};
    const telling = ask(`${on.url}${CHAT}`, {
      body: BODY,
      onHead: (_, leaving) => {
        leave = leaving;
      },
    });
    await eventually('the call is asked', () => owner.calls.length === 1);
    await pass(HOLD_MS);
    leave();
    await telling;
    await eventually('the call is cut', () => owner.last.signal.aborted);
    await pass(60_000);
    expect(on.lines.filter(({ msg }) => msg === 'call settled')).toMatchObject([
      { level: 30, status: 499, code: 'cancelled', heldMs: 10_000 },
    ]);
  });
});

describe('a stream that is silent between its events', () => {
  test('on chat shows life by an empty delta of its own id, time and model, and never behind its finish', async () => {
    const { client, call } = await open(CHAT);
    const [first = '', text = '', finish = '', usage = '', done = ''] = chatEvents({ text: ['a'] });
    call.start().push(first).push(text);
    await eventually('the text has come', () => client.events.length === 2);
    await pass(KEEPALIVE_MS);
    expect(client.events[2]).toEqual({
      id: 'chatcmpl-scripted',
      object: 'chat.completion.chunk',
      created: 1_767_225_600,
      model: 'scripted',
      choices: [{ index: 0, delta: {}, finish_reason: null }],
    });
    await pass(10_000);
    call.push(finish);
    await pass(10_000);
    expect(client.heard).toHaveLength(4);
    await pass(5_000);
    expect(client.heard[4]).toEqual({ comment: 'keepalive' });
    call.push(usage);
    await pass(KEEPALIVE_MS);
    expect(client.heard[6]).toEqual({ comment: 'keepalive' });
    call.push(done);
    await pass(KEEPALIVE_MS);
    expect(client.heard[8]).toEqual({ comment: 'keepalive' });
    call.end();
    expect((await client.closed()).whole).toBe(true);
  });

  test('on responses shows life without a number of its own, and by comments behind the end', async () => {
    const { client, call } = await open(RESPONSES);
    const events = responsesEvents({ text: ['a'] });
    call.start().push(events.slice(0, 4).join(''));
    await pass(2 * KEEPALIVE_MS);
    expect(client.heard.slice(4)).toEqual(
      Array.from({ length: 2 }, () => ({ name: 'keepalive', data: '{"type":"keepalive"}' })),
    );
    call.push(events.slice(4).join(''));
    await pass(KEEPALIVE_MS);
    expect(client.comments).toEqual(['keepalive']);
    expect(client.events.at(-1)).toMatchObject({ type: 'response.completed' });
    call.end();
    expect((await client.closed()).whole).toBe(true);
  });

  test('and fails is numbered on as if nobody had shown life', async () => {
    const { client, call } = await open(RESPONSES);
    call.start().push(
      responsesEvents({ text: ['a'] })
        .slice(0, 2)
        .join(''),
    );
    await pass(2 * KEEPALIVE_MS);
    call.fail(new ClawError('upstream_timeout', 'silent'));
    await client.closed();
    expect(client.events).toMatchObject([
      { sequence_number: 0 },
      { sequence_number: 1 },
      { type: 'keepalive' },
      { type: 'keepalive' },
      { type: 'error', sequence_number: 2 },
      { type: 'response.failed', sequence_number: 3, response: { id: 'resp_scripted' } },
    ]);
  });

  test('is shown no life that it does not need', async () => {
    const { client, call } = await open(CHAT);
    const [first = ''] = chatEvents({});
    call.start();
    for (let event = 0; event < 6; event++) {
      call.push(first);
      await pass(KEEPALIVE_MS - 1_000);
    }
    expect(client.text).toBe(first.repeat(6));
  });
});

describe('400 s of silence', () => {
  test.each([
    ['chat', CHAT, false],
    ['chat', CHAT, true],
    ['responses', RESPONSES, false],
    ['responses', RESPONSES, true],
  ])('%s (%s, begun: %s): the client never waits over 15 s for an event', async (dialect, path, begun) => {
    const { client, call } = await open(path);
    const events = dialect === 'chat' ? chatEvents({ text: ['a'] }) : responsesEvents({ text: ['a'] });
    if (begun) call.start().push(events[0] ?? '');
    let seen = 0;
    let waited = 0;
    for (let second = 0; second < 400; second++) {
      await pass(1_000);
      waited = client.events.length > seen ? 0 : waited + 1;
      expect(waited).toBeLessThan(15);
      seen = client.events.length;
    }
    if (!begun) call.start();
    call.push(events.slice(begun ? 1 : 0).join('')).end();
    expect((await client.closed()).whole).toBe(true);
  });

  test.each(['chat', 'responses'] as const)(
    'OpenAI’s client (%s) reads the answer that follows',
    async (dialect) => {
      const openai = new OpenAI({ baseURL: `${on.url}/v1`, apiKey: 'none', maxRetries: 0 });
      const reading =
        dialect === 'chat'
          ? openai.chat.completions.stream({ model: 'm', messages: [{ role: 'user', content: 'x' }] })
          : openai.responses.stream({ model: 'm', input: 'x' });
      const finished =
        'finalResponse' in reading
          ? reading.finalResponse().then(({ output_text }) => output_text)
          : reading.finalContent();
      await eventually('the call is asked', () => owner.calls.length === 1);
      const events =
        dialect === 'chat' ? chatEvents({ text: ['Hel', 'lo'] }) : responsesEvents({ text: ['Hel', 'lo'] });
      await pass(60_000);
      owner.last.start();
      for (const event of events) {
        owner.last.push(event);
        await pass(KEEPALIVE_MS);
      }
      owner.last.end();
      expect(await finished).toBe('Hello');
    },
  );
});
