/** Mending as an owner does it: on unless it is switched off, and whatever the form in which an answer comes. */
import { describe, expect, test } from 'vitest';
import { UPSTREAM_END_MS, WINDOW_BYTES_MAX } from '../../src/core/limits.ts';
import { wholeEvents } from '../../src/dialect/framing/sse.ts';
import { mendingOf } from '../../src/upstream/mending.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { chatBody, chatEvents, DONE, namedEvent, responsesEvents } from '../support/openai-bodies.ts';
import { realClock } from '../support/real-clock.ts';
import * as scripted from '../support/scripted-upstream.ts';
import {
  call,
  live,
  type Options,
  read,
  readBroken,
  readNext,
  streamCall,
  upstreams,
  where,
} from './one-upstream.ts';

const EVENTS = { 'content-type': 'text/event-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };
const BARE = [
  '\ufeffevent: message\r\ndata: {"choices":[{"delta":{"content":"<think>hm</think>Hi"}}]}\r\n\r\n',
  'data: {"choices":[{"delta":{},"finish_reason":"eos","usage":{"prompt_tokens":3,"completion_tokens":4}}]}\r\n\r\n',
  'data: [DONE]\r\n\r\n',
].join('');

async function ask(script: scripted.Script, sent = streamCall(), options: Options = {}) {
  await using upstream = await scripted.startUpstream();
  await using ours = upstreams(upstream.baseUrl, { dialect: sent.dialect, ...options });
  upstream.next(script);
  const reply = await ours.answer(sent, live());
  return { reply, text: await read(reply), ended: await reply.ended };
}

const off: Options = { spec: { repair: false } };
const thinking: Options = { spec: { compat: { thinkTags: true } } };
const raw = (text: string, headers: Record<string, string>) => scripted.raw({ headers }, text);

describe('the switch', () => {
  const spec = {
    card: { id: 'm', provider: 'p', dialect: 'chat' },
    headers: {},
    silenceMs: 1,
    eventBytesMax: 1,
  } as const;
  test.each<[string, boolean | undefined, boolean]>([
    ['http://127.0.0.1:11434/v1', undefined, true],
    ['https://api.openai.com/v1', undefined, false],
    ['https://api.openai.com.example.net/v1', undefined, true],
    ['https://api.openai.com/v1', true, true],
    ['http://127.0.0.1:11434/v1', false, false],
  ])('%s, configured as %s: %s', (baseUrl, repair, told) => {
    const made = mendingOf({ ...spec, baseUrl, ...(repair === undefined ? {} : { repair }) }, () => 0);
    expect(made).toMatchObject({ repair: told, thinkTags: false, model: 'm' });
  });

  test('off lets a stream pass as it came', async () => {
    const { text, ended } = await ask(raw(BARE, EVENTS), streamCall(), off);
    expect(text).toBe(BARE);
    expect(ended).toMatchObject({ kind: 'complete', finish: 'eos', usage: { inputTokens: 3 } });
  });

  test('off lets a whole reply pass as it came', async () => {
    const body = ' {"choices":[{"message":{"tool_calls":[{}]},"finish_reason":"stop"}]}\n';
    expect((await ask(raw(body, JSON_TYPE), call(), off)).text).toBe(body);
  });

  test('off lets an error pass that ends a stream, and the client is told by what follows', async () => {
    const [role = '', said = ''] = chatEvents({ text: ['Hi'] });
    const failure = 'data: {"error":"late"}\n\n';
    await using upstream = await scripted.startUpstream();
    await using ours = upstreams(upstream.baseUrl, off);
    upstream.next(raw(role + said + failure, EVENTS));
    const { text, error } = await readBroken(await ours.answer(streamCall(), live()));
    expect(text).toBe(role + said + failure);
    expect(error.message).toContain('late');
  });
});

describe('a stream', () => {
  const told = (text: string) =>
    wholeEvents(Buffer.from(text)).map(({ data, name }) => {
      expect(name).toBeUndefined();
      return data === '[DONE]' ? data : JSON.parse(data);
    });

  test('is mended, and its usage counted', async () => {
    const { text, ended } = await ask(raw(BARE, EVENTS));
    const [first, last, done] = told(text);
    expect(first).toMatchObject({
      object: 'chat.completion.chunk',
      model: 'qwen3:8b',
      choices: [{ index: 0, delta: { role: 'assistant', content: '<think>hm</think>Hi' } }],
    });
    expect(first.id).toMatch(/^chatcmpl-\w{32}$/);
    expect(first.created).toBeCloseTo(realClock.wall() / 1000, -2);
    expect(last).toMatchObject({
      id: first.id,
      usage: { prompt_tokens: 3 },
      choices: [{ finish_reason: 'stop' }],
    });
    expect(done).toBe('[DONE]');
    expect(ended).toMatchObject({
      kind: 'complete',
      finish: 'stop',
      usage: { inputTokens: 3, outputTokens: 4 },
    });
  });

  test('has its thought taken out of the content where that is asked for', async () => {
    const chunks = told((await ask(raw(BARE, EVENTS), streamCall(), thinking)).text);
    expect(chunks.map((chunk) => chunk.choices?.[0].delta)).toEqual([
      { role: 'assistant', reasoning_content: 'hm' },
      { content: 'Hi' },
      {},
      undefined,
    ]);
  });

  test('for a plain call is mended on its way to the whole', async () => {
    const calls = [
      'data: {"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"look","arguments":{"at":1}}}]}}]}\n\n',
      'data: {"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"look"}},{"function":{"name":"go"}}]}}]}\n\n',
      DONE,
    ].join('');
    const { text } = await ask(raw(calls, EVENTS), call());
    expect(JSON.parse(text)).toMatchObject({
      object: 'chat.completion',
      choices: [
        {
          message: {
            role: 'assistant',
            tool_calls: [
              { id: 'a', type: 'function', function: { name: 'look', arguments: '{"at":1}' } },
              { type: 'function', function: { name: 'go', arguments: '{}' } },
            ],
          },
          finish_reason: 'tool_calls',
        },
      ],
    });
    const thought = await ask(raw(BARE, EVENTS), call(), thinking);
    expect(JSON.parse(thought.text).choices[0].message).toMatchObject({
      content: 'Hi',
      reasoning_content: 'hm',
    });
  });
});

describe('a whole reply', () => {
  const body = { choices: [{ message: { content: '<think>hm</think>Hi' }, finish_reason: 'eos' }] };

  test('is mended, also where a stream was asked for', async () => {
    const { text, ended } = await ask(scripted.json(200, body), call(), thinking);
    expect(JSON.parse(text)).toMatchObject({
      object: 'chat.completion',
      model: 'qwen3:8b',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hi', reasoning_content: 'hm' },
          finish_reason: 'stop',
        },
      ],
    });
    expect(ended).toMatchObject({ kind: 'complete', finish: 'stop' });
    const stream = await ask(scripted.json(200, body), streamCall(), thinking);
    expect(stream.text).toContain('"delta":{"reasoning_content":"hm"}');
    expect(stream.text).toContain('"finish_reason":"stop"');
  });

  test('that tells of a failure beside its choices is one with a status', async () => {
    const failing = {
      choices: [{ message: {}, finish_reason: 'error' }],
      error: { message: 'no memory', code: 503 },
    };
    for (const sent of [call(), streamCall()]) {
      const { reply, text } = await ask(scripted.json(200, failing), sent);
      expect(reply.status).toBe(503);
      expect(JSON.parse(text).error).toMatchObject({
        message: `the upstream answered 200 with an error: no memory ${where}`,
        code: '503',
      });
    }
  });

  test('or an event that is nested without end, and would have to be written anew, is an error with a place', async () => {
    const deep = `${'['.repeat(60_000)}${']'.repeat(60_000)}`;
    const body = `{"choices":[{"message":{"x":${deep}}}]}`;
    for (const [script, sent] of [
      [raw(body, JSON_TYPE), call()],
      [raw(`data: ${body}\n\n`, EVENTS), streamCall()],
    ] as const) {
      const error = await ask(script, sent).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'upstream_protocol' });
      expect(Object(error).message).toContain(where);
    }
  });

  test('that is longer than what is held of one passes as it comes', async () => {
    const long = JSON.stringify({ choices: [{ message: { content: 'x'.repeat(WINDOW_BYTES_MAX) } }] });
    expect((await ask(raw(long, { ...JSON_TYPE, 'content-length': String(long.length) }), call())).text).toBe(
      long,
    );
    const whole = JSON.stringify(chatBody({ text: ['x'.repeat(WINDOW_BYTES_MAX / 2)] }));
    expect((await ask(raw(whole, JSON_TYPE), call())).text).toBe(whole);
  });
});

describe('an error event of a Responses stream', () => {
  const said = responsesEvents({ text: ['Hi'] })
    .slice(0, 4)
    .join('');
  const error = namedEvent({ type: 'error', error: { message: 'no memory', code: 'oom' } } as {
    type: string;
  });
  const failed = namedEvent(
    Object.assign(
      { type: 'response.failed' },
      {
        response: {
          id: 'resp_scripted',
          status: 'failed',
          output: [],
          error: { code: 'oom', message: 'no memory' },
        },
      },
    ),
  );
  const sent = () => streamCall({ dialect: 'responses' });

  test('with its failed response behind it, in another packet, passes with all its fields', async () => {
    await using upstream = await scripted.startUpstream();
    await using ours = upstreams(upstream.baseUrl, { dialect: 'responses' });
    const stream = upstream.nextStream([said, error, failed]);
    const answered = ours.answer(sent(), live());
    await stream.send();
    const reply = await answered;
    expect(await readNext(reply)).toBe(said);
    await stream.send();
    await stream.finish();
    const text = await read(reply);
    expect(wholeEvents(Buffer.from(text)).map(({ data }) => JSON.parse(data))).toMatchObject([
      {
        type: 'error',
        code: 'oom',
        message: 'no memory',
        param: null,
        error: { code: 'oom', message: 'no memory' },
      },
      { type: 'response.failed', response: { id: 'resp_scripted' } },
    ]);
    expect(await reply.ended).toMatchObject({ kind: 'complete', finish: 'failed' });
  });

  test('alone breaks the stream with its words, and a server that hangs on is not waited for', async () => {
    await using upstream = await scripted.startUpstream();
    const clock = new FakeClock();
    await using ours = upstreams(upstream.baseUrl, { dialect: 'responses', clock });
    const stream = upstream.nextStream([said, error]);
    const answered = ours.answer(sent(), live());
    await stream.send();
    const reply = await answered;
    expect(await readNext(reply)).toBe(said);
    await stream.send();
    const reading = readBroken(reply);
    let isOver = false;
    void reading.then(() => {
      isOver = true;
    });
    await eventually('the stream breaks', () => {
      clock.advance(100);
      return isOver;
    });
    const broken = await reading;
    expect(clock.now()).toBeLessThan(UPSTREAM_END_MS * 10);
    expect(broken.text).toBe('');
    expect(broken.error).toMatchObject({ code: 'upstream_error', upstream: { code: 'oom' } });
    expect(broken.error.message).toContain('broke off its answer with an error: no memory');
  });

  test('alone breaks the stream where the server ends it', async () => {
    await using upstream = await scripted.startUpstream();
    await using ours = upstreams(upstream.baseUrl, { dialect: 'responses' });
    const stream = upstream.nextStream([said, error]);
    const answered = ours.answer(sent(), live());
    await stream.send();
    const reply = await answered;
    await readNext(reply);
    await stream.finish();
    const { text, error: told } = await readBroken(reply);
    expect(text).toBe('');
    expect(told.message).toContain('no memory');
  });
});
