/** Servers that answer in the form that was not asked for: mended at their owner, in their own dialect. */
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/call.ts';
import { JSON_REPLY_BYTES_MAX } from '../../src/core/limits.ts';
import { wholeEvents } from '../../src/dialect/framing/sse.ts';
import { eventually, within } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { chatBody, chatEvents, DONE, responsesBody, responsesEvents } from '../support/openai-bodies.ts';
import { checkResponsesStream } from '../support/responses-rules.ts';
import * as scripted from '../support/scripted-upstream.ts';
import {
  call,
  KEY,
  live,
  read,
  readBroken,
  readNext,
  streamCall,
  thrown,
  upstreams,
  where,
} from './one-upstream.ts';

const EVENTS = { 'content-type': 'text/event-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };
const said = {
  text: ['Hel', 'lo'],
  toolCalls: [{ id: 'call_1', name: 'look', arguments: '{"at":"sky"}' }],
};

/** One call, answered by `script`: its reply, read whole. */
async function ask(script: scripted.Script, sent = streamCall(), dialect: Dialect = sent.dialect) {
  await using upstream = await scripted.startUpstream();
  await using ours = upstreams(upstream.baseUrl, { dialect });
  upstream.next(script);
  const reply = await ours.answer(sent, live());
  const text = await read(reply);
  return { reply, text, ended: await reply.ended };
}

async function failing(script: scripted.Script, sent = streamCall()) {
  await using upstream = await scripted.startUpstream();
  await using ours = upstreams(upstream.baseUrl, { dialect: sent.dialect });
  upstream.next(script);
  return await thrown(ours.answer(sent, live()));
}

/** Lets time pass until the reply is there. */
async function arrival(answered: Promise<unknown>, clock: FakeClock): Promise<void> {
  let isThere = false;
  void answered.then(() => {
    isThere = true;
  });
  await eventually('the reply comes', () => {
    clock.advance(100);
    return isThere;
  });
}

const jsonOf = (text: string): unknown => JSON.parse(text);
const dataOf = (text: string) =>
  wholeEvents(Buffer.from(text)).map(({ data }) => (data === '[DONE]' ? data : jsonOf(data)));
const withUsage = () =>
  streamCall({ body: Buffer.from('{"model":"m","stream":true,"stream_options":{"include_usage":true}}') });

describe('JSON for a stream', () => {
  test('of chat becomes role, text, calls, finish and [DONE], with every field that the reply had', async () => {
    const body = {
      id: 'c1',
      object: 'chat.completion',
      created: 5,
      model: 'm',
      system_fingerprint: 'fp',
      x_cost: 3,
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            reasoning_content: 'hm',
            x_note: { a: 1 },
            content: 'Hello',
            refusal: null,
            tool_calls: [
              {
                id: 'call_1',
                type: 'function',
                function: { name: 'look', arguments: '{}' },
                extra_content: { s: 1 },
              },
            ],
          },
          logprobs: { content: [] },
          stop_reason: 7,
          finish_reason: 'tool_calls',
        },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 4, x: 1 },
    };
    const { reply, text, ended } = await ask(scripted.json(200, body), withUsage());
    const head = {
      id: 'c1',
      object: 'chat.completion.chunk',
      created: 5,
      model: 'm',
      system_fingerprint: 'fp',
      x_cost: 3,
    };
    const chunk = (delta: object, more: object = {}) => ({
      ...head,
      choices: [{ index: 0, delta, finish_reason: null, ...more }],
    });
    expect(reply.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(dataOf(text)).toEqual([
      chunk({ role: 'assistant', content: '' }),
      chunk({ reasoning_content: 'hm' }),
      chunk({ x_note: { a: 1 } }),
      chunk({ content: 'Hello' }, { logprobs: { content: [] } }),
      chunk({
        tool_calls: [
          {
            index: 0,
            id: 'call_1',
            type: 'function',
            function: { name: 'look', arguments: '{}' },
            extra_content: { s: 1 },
          },
        ],
      }),
      chunk({}, { stop_reason: 7, finish_reason: 'tool_calls' }),
      { ...head, choices: [], usage: body.usage },
      '[DONE]',
    ]);
    expect(ended).toMatchObject({
      kind: 'complete',
      finish: 'tool_calls',
      usage: { inputTokens: 3, outputTokens: 4 },
    });
  });

  test('of chat has its usage only where the client asked for it', async () => {
    const { text } = await ask(scripted.json(200, chatBody(said)));
    expect(text).not.toContain('usage');
  });

  test('of responses becomes the whole sequence of events, and keeps ids and unknown fields', async () => {
    const body = {
      id: 'resp_9',
      object: 'response',
      created_at: 5,
      status: 'completed',
      model: 'm',
      x_cost: 3,
      output: [
        {
          type: 'reasoning',
          id: 'rs_9',
          summary: [{ type: 'summary_text', text: 'hm' }],
          encrypted_content: 'E',
        },
        {
          type: 'message',
          id: 'msg_9',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: 'Hello', annotations: [], logprobs: [] }],
        },
        { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{}', status: 'completed' },
        { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { query: 'q' } },
      ],
      usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 },
    };
    const sent = streamCall({ dialect: 'responses' });
    const { text, ended } = await ask(scripted.json(200, body), sent);
    const events = wholeEvents(Buffer.from(text)).slice(0, -1);
    expect(events.map(({ name, data }) => [name, Object(jsonOf(data)).sequence_number])).toEqual(
      [
        'response.created',
        'response.in_progress',
        'response.output_item.added',
        'response.reasoning_summary_part.added',
        'response.reasoning_summary_text.delta',
        'response.reasoning_summary_text.done',
        'response.reasoning_summary_part.done',
        'response.output_item.done',
        'response.output_item.added',
        'response.content_part.added',
        'response.output_text.delta',
        'response.output_text.done',
        'response.content_part.done',
        'response.output_item.done',
        'response.output_item.added',
        'response.function_call_arguments.delta',
        'response.function_call_arguments.done',
        'response.output_item.done',
        'response.output_item.added',
        'response.output_item.done',
        'response.completed',
      ].map((name, at) => [`response.${name.replace(/^response\./, '')}`, at]),
    );
    const last = Object(jsonOf(events.at(-1)?.data ?? '')).response;
    expect(last).toMatchObject({ id: 'resp_9', x_cost: 3, usage: body.usage });
    expect(last.output).toMatchObject(body.output);
    expect(last.output[2].id).toMatch(/^fc_\w{32}$/);
    expect(ended).toMatchObject({ kind: 'complete', finish: 'completed', usage: { inputTokens: 3 } });
  });

  test('of responses with all that the schema demands keeps every rule of a stream', async () => {
    const whole = { ...FULL_RESPONSE, output: FULL_OUTPUT };
    const { text } = await ask(scripted.json(200, whole), streamCall({ dialect: 'responses' }));
    expect(() => checkResponsesStream(dataOf(text).slice(0, -1))).not.toThrow();
  });

  test('longer than an event may be is told in pieces, and no letter is cut', async () => {
    const long = '\u{1f600}x'.repeat(400_000);
    const { text } = await ask(scripted.json(200, chatBody({ text: [long] })));
    const told = dataOf(text).map((chunk) => Object(chunk).choices?.[0]?.delta?.content ?? '');
    expect(told.join('')).toBe(long);
    expect(told.every((piece) => piece === piece.toWellFormed())).toBe(true);
  });

  test('that is half, or no answer at all, is an error with a status', async () => {
    expect(await failing(scripted.raw({ headers: JSON_TYPE }, '{"choices":[{"mess'))).toMatchObject({
      code: 'upstream_truncated',
      status: 502,
    });
    const wrong = await failing(scripted.json(200, { choices: 'none' }));
    expect(wrong).toMatchObject({ code: 'upstream_protocol', status: 502 });
    expect(wrong.message).toContain(where);
  });

  test('without an end is not held without one', async () => {
    const mebibyte = Buffer.alloc(1 << 20, 0x20);
    const endless: scripted.Script = (response) => {
      response.writeHead(200, JSON_TYPE);
      response.write('{"choices":[');
      const more = () => {
        while (!response.destroyed && response.write(mebibyte));
      };
      response.on('drain', more);
      more();
    };
    const error = await failing(endless);
    expect(error).toMatchObject({ code: 'stream_buffer_exceeded', status: 502 });
    expect(error.message).toContain(String(JSON_REPLY_BYTES_MAX));
  });
});

const FULL_OUTPUT = [
  {
    type: 'message',
    id: 'msg_1',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text: 'Hello', annotations: [], logprobs: [] }],
  },
  { type: 'function_call', id: 'fc_1', call_id: 'c', name: 'look', arguments: '{}', status: 'completed' },
];
const FULL_RESPONSE = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  completed_at: 2,
  status: 'completed',
  incomplete_details: null,
  error: null,
  model: 'm',
  usage: {
    input_tokens: 1,
    output_tokens: 1,
    total_tokens: 2,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens_details: { reasoning_tokens: 0 },
  },
  instructions: null,
  previous_response_id: null,
  tools: [],
  tool_choice: 'auto',
  parallel_tool_calls: true,
  truncation: 'disabled',
  text: { format: { type: 'text' } },
  temperature: 1,
  top_p: 1,
  presence_penalty: 0,
  frequency_penalty: 0,
  top_logprobs: 0,
  reasoning: { effort: null, summary: null },
  max_output_tokens: null,
  max_tool_calls: null,
  store: false,
  background: false,
  service_tier: 'default',
  metadata: {},
  safety_identifier: null,
  prompt_cache_key: null,
  user: null,
};

describe('a stream for a plain call', () => {
  test('of chat becomes the one reply that it tells, with every field that the chunks had', async () => {
    const delta = (fields: object, more: object = {}) =>
      `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 5, model: 'm', x_cost: 3, choices: [{ index: 0, delta: fields, finish_reason: null, ...more }] })}\n\n`;
    const stream = [
      ': wait\n\n',
      delta({ role: 'assistant', content: '' }),
      delta({ reasoning_content: 'h' }),
      delta({ reasoning_content: 'm' }),
      delta({ content: 'Hel' }, { logprobs: { content: [{ token: 'Hel' }] } }),
      delta({ content: 'lo' }, { logprobs: { content: [{ token: 'lo' }] } }),
      delta({
        tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'look', arguments: '' } }],
      }),
      delta({
        tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'go', arguments: '' } }],
      }),
      delta({ tool_calls: [{ index: 0, function: { arguments: '{"at"' }, extra_content: { s: 1 } }] }),
      delta({ tool_calls: [{ index: 0, id: '', function: { arguments: ':1}' } }] }),
      delta({}, { finish_reason: 'tool_calls', stop_reason: 7 }),
      'data: {"id":"c1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"x":1}}\n\n',
      DONE,
    ];
    const { reply, text, ended } = await ask(scripted.raw({ headers: EVENTS }, stream.join('')), call());
    expect(reply.headers['content-type']).toBe('application/json');
    expect(jsonOf(text)).toEqual({
      id: 'c1',
      object: 'chat.completion',
      created: 5,
      model: 'm',
      x_cost: 3,
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Hello',
            reasoning_content: 'hm',
            tool_calls: [
              {
                id: 'a',
                type: 'function',
                function: { name: 'look', arguments: '{"at":1}' },
                extra_content: { s: 1 },
              },
              { id: 'b', type: 'function', function: { name: 'go', arguments: '{}' } },
            ],
          },
          logprobs: { content: [{ token: 'Hel' }, { token: 'lo' }], refusal: null },
          stop_reason: 7,
          finish_reason: 'tool_calls',
        },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 4, x: 1 },
    });
    expect(ended).toMatchObject({ kind: 'complete', finish: 'tool_calls', usage: { outputTokens: 4 } });
  });

  test('of responses becomes the response of its last event', async () => {
    const events = responsesEvents(said).join('');
    const { text, ended } = await ask(
      scripted.raw({ headers: EVENTS }, events),
      call({ dialect: 'responses' }),
    );
    expect(jsonOf(text)).toEqual(responsesBody(said));
    expect(ended).toMatchObject({ kind: 'complete', finish: 'completed', usage: { inputTokens: 7 } });
  });

  test('of responses whose last event leaves out the output has the items of those before', async () => {
    const events = responsesEvents(said).map((event) =>
      event.includes('response.completed')
        ? event.replace(/"output":\[.*\](?=,"usage")/, '"output":[]')
        : event,
    );
    expect(events.at(-1)).toContain('"output":[]');
    const { text } = await ask(
      scripted.raw({ headers: EVENTS }, events.join('')),
      call({ dialect: 'responses' }),
    );
    expect(jsonOf(text)).toEqual(responsesBody(said));
  });

  test.each([
    ['chat', chatEvents(said)],
    ['responses', responsesEvents(said)],
  ] as const)('of %s that stops before its end is never half an answer', async (dialect, events) => {
    const script = scripted.raw({ headers: EVENTS }, events.slice(0, 4).join(''));
    const error = await failing(script, call({ dialect }));
    expect(error).toMatchObject({ code: 'upstream_truncated', status: 502 });
    expect(error.message).toContain(where);
  });

  test('whose server holds the connection behind its end keeps nobody waiting for its guard', async () => {
    await using upstream = await scripted.startUpstream();
    const clock = new FakeClock();
    await using ours = upstreams(upstream.baseUrl, { clock });
    const stream = upstream.nextStream(chatEvents(said));
    const answered = ours.answer(call(), live());
    await stream.send(100);
    await arrival(answered, clock);
    expect(clock.now()).toBeLessThan(100_000);
    expect(jsonOf(await read(await answered))).toMatchObject({ object: 'chat.completion' });
  });

  test('whose server holds the connection behind its finish, without a [DONE], is told after a moment', async () => {
    await using upstream = await scripted.startUpstream();
    const clock = new FakeClock();
    await using ours = upstreams(upstream.baseUrl, { clock });
    const events = chatEvents(said);
    const stream = upstream.nextStream(events);
    const answered = ours.answer(call(), live());
    await stream.send(events.length - 1);
    await arrival(answered, clock);
    expect(clock.now()).toBeLessThan(100_000);
    expect(jsonOf(await read(await answered))).toMatchObject(Object(chatBody(said)));
  });

  test('that echoes the key passes without it', async () => {
    const events = chatEvents({ text: [`Bearer ${KEY}`] }).join('');
    const { text } = await ask(scripted.raw({ headers: EVENTS }, events), call());
    expect(text).not.toContain(KEY);
  });
});

describe('a wrong label on a right body', () => {
  const types = [undefined, 'text/plain', 'application/octet-stream'];

  test.each(types)('a stream that is called %s passes byte for byte', async (type) => {
    const events = chatEvents(said).join('');
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
    const { reply, text } = await ask(scripted.raw({ headers }, events));
    expect(text).toBe(events);
    expect(reply.headers['content-type']).toContain('text/event-stream');
  });

  test.each(types)('a JSON reply that is called %s passes byte for byte', async (type) => {
    const body = `\n ${JSON.stringify(chatBody(said))}`;
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
    const { reply, text } = await ask(scripted.raw({ headers }, body), call());
    expect(text).toBe(body);
    expect(reply.headers['content-type']).toBe('application/json');
  });

  test('JSON that is called a stream, and a stream that is called JSON, are what they are', async () => {
    const asStream = await ask(scripted.raw({ headers: EVENTS }, JSON.stringify(chatBody(said))));
    expect(dataOf(asStream.text).at(-1)).toBe('[DONE]');
    const events = chatEvents(said).join('');
    const asJson = await ask(scripted.raw({ headers: JSON_TYPE }, events));
    expect(asJson.text).toBe(events);
  });

  test('the first bytes decide even where they come one by one', async () => {
    await using upstream = await scripted.startUpstream();
    await using ours = upstreams(upstream.baseUrl);
    const events = chatEvents({ text: ['a'] }).join('');
    const stream = upstream.nextStream([], { headers: { 'content-type': 'text/plain' } });
    const answered = ours.answer(streamCall(), live());
    for (const letter of events.slice(0, 9)) await stream.write(letter);
    await stream.write(events.slice(9));
    await stream.end();
    expect(await read(await answered)).toBe(events);
  });

  test.each([
    [
      'one JSON a line',
      { 'content-type': 'application/x-ndjson' },
      '{"done":false}\n{"done":true}\n',
      /one a line.*\/v1/,
    ],
    ['HTML', { 'content-type': 'text/html' }, '<html>', /an HTML body/],
    ['HTML that is called a stream', EVENTS, '<!doctype html>', /an HTML body/],
    ['rubbish', { 'content-type': 'text/plain' }, 'It works! There is no model.', /type text\/plain/],
    ['nothing', {}, '', /an empty body/],
  ])('%s stays a clear error', async (_what, headers, body, message) => {
    for (const sent of [call(), streamCall()]) {
      const error = await failing(scripted.raw({ headers }, body), sent);
      expect(error).toMatchObject({ code: 'upstream_protocol', status: 502 });
      expect(error.message).toMatch(message);
      expect(error.message).toContain(where);
    }
  });

  test('a byte order mark before a stream, which loses clients its first event, is taken off', async () => {
    const events = chatEvents(said).join('');
    const { text } = await ask(scripted.raw({ headers: EVENTS }, `\ufeff${events}`));
    expect(text).toBe(events);
  });
});

describe('a finish that belies its calls', () => {
  const head =
    '"id":"chatcmpl-scripted","object":"chat.completion.chunk","created":1767225600,"model":"scripted"';
  const calling = (finish: string, delta: object = {}) => [
    ...chatEvents({ text: ['I look.'], toolCalls: said.toolCalls }).slice(0, -3),
    `data: {${head},"choices":[{"index":0,"delta":${JSON.stringify(delta)},"finish_reason":"${finish}"}],"x":1}\n\n`,
    DONE,
  ];
  const passed = async (events: readonly string[]) =>
    (await ask(scripted.raw({ headers: EVENTS }, events.join('')))).text;

  test('of "stop", at which clients drop the calls, becomes "tool_calls"; all else passes as it came', async () => {
    const { text, ended } = await ask(scripted.raw({ headers: EVENTS }, calling('stop').join('')));
    expect(text).toBe(calling('tool_calls').join(''));
    expect(ended).toMatchObject({ kind: 'complete', finish: 'tool_calls' });
  });

  test.each([
    ['another finish', calling('length')],
    [
      'calls that are none',
      chatEvents({ text: ['a'] }).map((event) =>
        event.replace(/"delta":\{("?)/, (_, more) => `"delta":{"tool_calls":[]${more === '' ? '' : ',"'}`),
      ),
    ],
    ['words of a finish in a text', [...calling('tool_calls', { content: '"finish_reason":"stop"' })]],
    [
      'several choices',
      [
        ...calling('x').slice(0, -2),
        `data: {${head},"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"},{"index":1,"delta":{},"finish_reason":"stop"}]}\n\n`,
        DONE,
      ],
    ],
  ])('of a stream with %s is left alone', async (_what, events) => {
    expect(await passed(events)).toBe(events.join(''));
  });
});

describe('an error with a status of success', () => {
  const error = { message: `slow down, ${KEY}`, type: 'rate_limit_error', code: 'rate_limit_exceeded' };
  const shown = {
    message: `the upstream answered 200 with an error: slow down, [secret] ${where}`,
    type: 'rate_limit_error',
    param: null,
    code: 'rate_limit_exceeded',
  };

  test.each([
    ['JSON', call(), scripted.json(200, { error }, { 'retry-after': '7' })],
    ['JSON for a stream', streamCall(), scripted.json(200, { error }, { 'retry-after': '7' })],
    [
      'the first event of a stream, behind comments',
      streamCall(),
      scripted.raw(
        { headers: { ...EVENTS, 'retry-after': '7' } },
        `: wait\n\ndata: ${JSON.stringify({ error })}\n\n${DONE}`,
      ),
    ],
    [
      'the first event of a stream for a plain call',
      call(),
      scripted.raw({ headers: { ...EVENTS, 'retry-after': '7' } }, `data: ${JSON.stringify({ error })}\n\n`),
    ],
    [
      'the first event of a responses stream',
      streamCall({ dialect: 'responses' }),
      scripted.raw(
        { headers: { ...EVENTS, 'retry-after': '7' } },
        `event: error\ndata: ${JSON.stringify({ type: 'error', error })}\n\n`,
      ),
    ],
    [
      'a failed response for a stream',
      streamCall({ dialect: 'responses' }),
      scripted.json(200, { object: 'response', status: 'failed', error, output: [] }, { 'retry-after': '7' }),
    ],
    [
      'a stream of responses that has failed at once',
      streamCall({ dialect: 'responses' }),
      scripted.raw(
        { headers: { ...EVENTS, 'retry-after': '7' } },
        `data: ${JSON.stringify({ type: 'response.failed', response: { status: 'failed', error } })}\n\n`,
      ),
    ],
  ])('as %s is a refusal with a status, so that another owner can be tried', async (_what, sent, script) => {
    const { reply, text } = await ask(script, sent);
    expect(reply.status).toBe(429);
    expect(reply.headers).toEqual({ 'content-type': 'application/json', 'retry-after': '7' });
    expect(jsonOf(text)).toEqual({ error: shown });
  });

  test('a stream whose head came long before such an error breaks with its words and passes nothing', async () => {
    await using upstream = await scripted.startUpstream();
    await using ours = upstreams(upstream.baseUrl);
    const error = { message: 'no memory', code: 'oom', type: 'server_error' };
    const stream = upstream.nextStream([`data: ${JSON.stringify({ error })}\n\n`]);
    const reply = await ours.answer(streamCall(), live());
    expect(reply.status).toBe(200);
    await stream.send();
    const broken = await readBroken(reply);
    expect(broken.text).toBe('');
    expect(broken.error).toMatchObject({
      code: 'upstream_error',
      upstream: { code: 'oom', type: 'server_error' },
    });
    expect(broken.error.message).toContain('no memory');
    const response = await stream.opened();
    await within('it is left', new Promise((resolve) => response.once('close', resolve)));
  });

  test('behind content ends the stream, and is told by what ends it: what was told stays told', async () => {
    const [first = ''] = chatEvents(said);
    const failure = `data: ${JSON.stringify({ error: { message: 'late', code: 507 } })}\n\n`;
    await using upstream = await scripted.startUpstream();
    await using ours = upstreams(upstream.baseUrl);
    const stream = upstream.nextStream([first, failure + DONE]);
    const answered = ours.answer(streamCall(), live());
    await stream.send();
    const reply = await answered;
    expect(await readNext(reply)).toBe(first);
    await stream.send();
    const { text, error } = await readBroken(reply);
    expect(text).toBe('');
    expect(error).toMatchObject({ code: 'upstream_error', upstream: { code: '507' } });
    expect(error.message).toContain('broke off its answer with an error: late');
  });

  test('in one packet with the content before it breaks the call before anybody has seen any of it', async () => {
    const [role = '', text = ''] = chatEvents(said);
    const failure = `data: ${JSON.stringify({ error: { message: 'late', code: 429 } })}\n\n`;
    const error = await failing(scripted.raw({ headers: EVENTS }, role + text + failure));
    expect(error).toMatchObject({ code: 'upstream_error', status: 429 });
  });

  test('an answer that has an error beside it passes as it came', async () => {
    const body = { ...Object(chatBody(said)), error: null };
    const { text } = await ask(scripted.json(200, body), call());
    expect(jsonOf(text)).toEqual(body);
  });
});
