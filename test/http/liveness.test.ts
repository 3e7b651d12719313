/** A client that counts only events that it can parse: what it is told while it waits, and what it sees of that wait. */
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import type { Standing } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import { HOLD_MS, KEEPALIVE_MS } from '../../src/core/limits.ts';
import { eventually } from '../support/eventually.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { chatEvents, responsesEvents } from '../support/openai-bodies.ts';
import type { ScriptedCall, ScriptedOwner } from '../support/scripted-answer.ts';
import { withScriptedEdge } from './scripted-edge.ts';
import type { Started } from './start.ts';
import { settled, StreamClient } from './stream-client.ts';

const CHAT = '/v1/chat/completions';
const RESPONSES = '/v1/responses';
const BODY = '{"model":"box/m","stream":true,"input":"x","instructions":"Be brief."}';

let clock: FakeClock;
let owner: ScriptedOwner;
let on: Started;

withScriptedEdge((edge) => ({ clock, owner, on } = edge));

async function open(path: string): Promise<{ client: StreamClient; call: ScriptedCall }> {
  const before = owner.calls.length;
  const client = new StreamClient(`${on.url}${path}`, BODY);
  const call = await eventually('the call is asked', () => owner.calls[before]);
  await settled(on.url);
  return { client, call };
}

async function pass(ms: number, stepMs = 1_000): Promise<void> {
  await settled(on.url);
  for (let left = ms; left > 0; left -= stepMs) {
    clock.advance(Math.min(left, stepMs));
    await settled(on.url);
  }
}

function typesOf(client: StreamClient): unknown[] {
  return client.events.map((event) => Reflect.get(Object(event), 'type'));
}

describe('a Responses stream that began with its wait', () => {
  const events = responsesEvents({ text: ['Hel', 'lo'] });

  test('is one response with one id and one run of numbers, whatever its upstream counts', async () => {
    const { client, call } = await open(RESPONSES);
    await pass(HOLD_MS);
    const response = { id: `resp_${call.call.id}`, model: 'box/m', instructions: 'Be brief.', output: [] };
    expect(client.events).toMatchObject([
      { type: 'response.created', response },
      { type: 'response.in_progress', response },
    ]);
    await pass(2 * KEEPALIVE_MS);
    call.start().push(events.slice(0, 5).join(''));
    await pass(KEEPALIVE_MS);
    call.push(events.slice(5).join('')).end();
    expect((await client.closed()).whole).toBe(true);
    expect(typesOf(client)).toEqual([
      'response.created',
      'response.in_progress',
      'keepalive',
      'keepalive',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'keepalive',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(client.events).toEqual(
      client.events.map((_, at) => expect.objectContaining({ sequence_number: at })),
    );
    expect(client.events.at(-1)).toMatchObject({
      response: { id: `resp_${call.call.id}`, model: 'box/m', output: [{ type: 'message' }] },
    });
    expect(client.text).not.toContain('resp_scripted');
  });

  test('begins as well where the head has come and no event', async () => {
    const { client, call } = await open(RESPONSES);
    call.start();
    await pass(KEEPALIVE_MS - 1);
    expect(client.events).toEqual([]);
    await pass(1);
    expect(typesOf(client)).toEqual(['response.created', 'response.in_progress']);
    call.push(events.join('')).end();
    await client.closed();
    expect(typesOf(client).filter((type) => type === 'response.created')).toHaveLength(1);
  });

  test('passes untouched where the upstream was in time', async () => {
    const { client, call } = await open(RESPONSES);
    await pass(HOLD_MS - 1);
    call.start().push(events.join('')).end();
    expect((await client.closed()).text).toBe(events.join(''));
  });

  test('and breaks is told so with its own id, and the items that were done', async () => {
    const { client, call } = await open(RESPONSES);
    await pass(HOLD_MS);
    call.start().push(events.slice(0, -1).join(''));
    await settled(on.url);
    call.fail(new ClawError('upstream_timeout', 'silent'));
    await client.closed();
    const all = client.events;
    expect(client.whole).toBe(false);
    expect(all.slice(-2)).toMatchObject([
      { type: 'error', sequence_number: all.length - 2 },
      {
        type: 'response.failed',
        sequence_number: all.length - 1,
        response: { id: `resp_${call.call.id}`, instructions: 'Be brief.', output: [{ id: 'msg_1' }] },
      },
    ]);
  });

  test('is put together by OpenAI’s client as if it had come at once', async () => {
    const openai = new OpenAI({ baseURL: `${on.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const reading = openai.responses.stream({ model: 'm', input: 'x' }).finalResponse();
    const call = await eventually('the call is asked', () => owner.calls[0]);
    await pass(HOLD_MS + KEEPALIVE_MS);
    call.start();
    for (const event of events) {
      call.push(event);
      await pass(KEEPALIVE_MS, 5_000);
    }
    call.end();
    expect(await reading).toMatchObject({ id: `resp_${call.call.id}`, output_text: 'Hello' });
  });
});

describe('an upstream that sends what is no event does not quiet the signs of life', () => {
  test.each([
    ['chat', CHAT, ': ping\n\n'],
    ['responses', RESPONSES, ': ping\n\n'],
    ['chat', CHAT, ': a\n\n: b\n\n'],
    ['responses, which repeats its beginning', RESPONSES, responsesEvents({})[1] ?? ''],
  ])('%s', async (_, path, noise) => {
    const { client, call } = await open(path);
    await pass(HOLD_MS);
    call.start();
    let seen = client.events.length;
    let quiet = 0;
    for (let second = 0; second < 120; second++) {
      if (second % 5 === 0) call.push(noise);
      await pass(1_000);
      quiet = client.text.replaceAll(noise, '').split('data: ').length - 1 > seen ? 0 : quiet + 1;
      seen = Math.max(seen, client.text.replaceAll(noise, '').split('data: ').length - 1);
      expect(quiet).toBeLessThan(15);
    }
    call.fail(new ClawError('peer_lost', 'gone'));
    await client.closed();
  });
});

describe('the first event', () => {
  test.each([
    ['chat', CHAT],
    ['responses', RESPONSES],
  ])('on %s comes within 15 s of the request, though the head came at the last moment', async (_, path) => {
    const { client, call } = await open(path);
    await pass(HOLD_MS - 1_000);
    call.start();
    await pass(6_000);
    expect(client.events.length).toBeGreaterThan(0);
    call.fail(new ClawError('peer_lost', 'gone'));
    await client.closed();
  });
});

describe('what the owner does', () => {
  test.each<[string, Standing, readonly string[]]>([
    ['loads', { kind: 'loading' }, ['clawmatrix loading']],
    ['reads the prompt', { kind: 'prefill', done: 512, total: 2048 }, ['clawmatrix prefill 512/2048']],
    ['only waits', { kind: 'waiting' }, []],
  ])('is said before a sign of life, for people who watch: it %s', async (_, standing, comments) => {
    const { client, call } = await open(CHAT);
    call.call.report({ kind: 'accepted' });
    call.call.report(standing);
    await pass(HOLD_MS);
    expect(client.comments).toEqual(comments);
    call.call.report({ kind: 'waiting' });
    call.start().push(
      chatEvents({ text: ['a'] })
        .slice(0, 2)
        .join(''),
    );
    await pass(KEEPALIVE_MS);
    expect(client.comments).toEqual(comments);
    expect(client.events.at(-1)).toMatchObject({ choices: [{ delta: {} }] });
    call.fail(new ClawError('peer_lost', 'gone'));
    await client.closed();
  });

  test('is forgotten with an owner that another one takes the place of', async () => {
    const { client, call } = await open(CHAT);
    call.call.report({ kind: 'loading' });
    const target = { node: call.call.origin, provider: 'p', id: 'm' };
    call.call.report({ kind: 'trying', route: 'a>b', target, dialect: 'chat' });
    await pass(HOLD_MS);
    expect(client.comments).toEqual([]);
    call.fail(new ClawError('peer_lost', 'gone'));
    await client.closed();
  });
});
