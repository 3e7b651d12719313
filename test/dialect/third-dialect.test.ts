/** A third dialect is one more `DialectShape`: nothing else knows that it is there, and all of it works. */
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import { LineReader } from '../../src/dialect/framing/lines.ts';
import { translate } from '../../src/dialect/translate.ts';
import { responsesEvents, sseEvents } from '../support/sse-text.ts';
import { aCall, cardOf, countingTools, drained, type Script, ScriptedUpstream } from './scripted.ts';
import { shapesWithToy } from './shapes-with-toy.ts';
import { TOY } from './toy-wire.ts';

const signal = new AbortController().signal;
const line = (members: object) => `${JSON.stringify({ model: 'x', ...members })}\n`;
const said = (content: string, more: object = {}) =>
  line({ message: { role: 'assistant', content, ...more }, done: false });
const done = (reason: string) =>
  line({ done: true, done_reason: reason, prompt_eval_count: 3, eval_count: 9 });

const called = { tool_calls: [{ function: { name: 'weather', arguments: { city: 'Rome' } } }] };
const toyStream = [said('', { thinking: 'hm' }), said('Look'), said('ing'), said('', called), done('stop')];
const toyReply = line({
  message: { role: 'assistant', content: 'Looking', thinking: 'hm', ...called },
  done: true,
  done_reason: 'stop',
  prompt_eval_count: 3,
  eval_count: 9,
});

async function asked(
  from: Dialect,
  to: Dialect,
  body: object,
  { stream = true, ...script }: Script & { stream?: boolean },
) {
  const upstream = new ScriptedUpstream(script);
  const answer = translate(upstream.answer, from, cardOf(to), countingTools(), shapesWithToy);
  const reply = await answer(aCall(from, { model: 'm', stream, ...body }, stream), signal);
  const { text, error } = await drained(reply);
  return { sent: upstream.request, reply, text, error, outcome: await reply.ended, upstream };
}

const linesOf = (text: string): unknown[] =>
  new LineReader(1e6).read(Buffer.from(text)).map(({ data }): unknown => JSON.parse(data));

/** As its bytes may come: in pieces that end anywhere. */
const torn = (text: string): Uint8Array[] =>
  [...Buffer.from(text)].reduce<Uint8Array[]>((chunks, byte, at) => {
    if (at % 7 === 0) chunks.push(Buffer.alloc(0));
    const last = chunks.length - 1;
    chunks[last] = Buffer.concat([chunks[last] ?? Buffer.alloc(0), Buffer.from([byte])]);
    return chunks;
  }, []);

const messages = [{ role: 'user', content: 'Hi' }];
const chatTool = { type: 'function', function: { name: 'weather', parameters: { type: 'object' } } };

describe('its servers', () => {
  test('answer a chat client in a stream, split anywhere', async () => {
    const { sent, text, reply, outcome } = await asked(
      'chat',
      TOY,
      { messages, tools: [chatTool], temperature: 0.5, stream_options: { include_usage: true } },
      { chunks: torn(toyStream.join('')) },
    );
    expect(sent).toEqual({
      model: 'upstream-model',
      messages: [{ role: 'user', content: 'Hi' }],
      stream: true,
      tools: [{ function: { kind: 'function', name: 'weather', parameters: { type: 'object' } } }],
      options: { temperature: 0.5 },
    });
    expect(reply.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    const events = sseEvents(text);
    expect(events.pop()?.data).toBe('[DONE]');
    const chunks = events.map(({ data }) => JSON.parse(data));
    const deltas = chunks.flatMap(({ choices }) => choices).map(({ delta }) => delta);
    expect(deltas.map(({ content = '' }) => content).join('')).toBe('Looking');
    expect(deltas.map(({ reasoning_content: thought = '' }) => thought).join('')).toBe('hm');
    expect(deltas.flatMap(({ tool_calls: calls = [] }) => calls)).toMatchObject([
      { index: 0, function: { name: 'weather' } },
      { function: { arguments: '{"city":"Rome"}' } },
    ]);
    expect(chunks.at(-2).choices[0].finish_reason).toBe('tool_calls');
    expect(chunks.at(-1).usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 9 });
    expect(outcome).toMatchObject({ kind: 'complete', finish: 'calls' });
  });

  test('answer a Responses client in a stream', async () => {
    const { text } = await asked('responses', TOY, { input: 'Hi' }, { chunks: toyStream });
    const events: unknown[] = responsesEvents(text);
    expect(events.at(-1)).toMatchObject({
      type: 'response.completed',
      response: {
        output: [
          { type: 'reasoning', summary: [{ text: 'hm' }] },
          { type: 'message', content: [{ text: 'Looking' }] },
          { type: 'function_call', name: 'weather', arguments: '{"city":"Rome"}' },
        ],
        usage: { input_tokens: 3, output_tokens: 9 },
      },
    });
  });

  test.each<[Dialect, object, object]>([
    [
      'chat',
      { messages },
      {
        choices: [
          {
            message: { content: 'Looking', reasoning_content: 'hm', tool_calls: [{}] },
            finish_reason: 'tool_calls',
          },
        ],
      },
    ],
    [
      'responses',
      { input: 'Hi' },
      {
        status: 'completed',
        output: [{ type: 'reasoning' }, { type: 'message' }, { type: 'function_call' }],
      },
    ],
  ])('answer a %s client in one piece', async (from, body, expected) => {
    const { sent, text } = await asked(from, TOY, body, { chunks: [toyReply], stream: false });
    expect(sent).toMatchObject({ stream: false });
    expect(JSON.parse(text)).toMatchObject(expected);
  });

  test('are told of tools that they do not know, and of texts that end an answer they need not be', async () => {
    const tools = [
      { type: 'custom', name: 'exec' },
      { type: 'namespace', name: 'ns', tools: [{ type: 'function', name: 'f' }] },
      { type: 'web_search' },
    ];
    const one = await asked('responses', TOY, { input: 'Hi', tools }, { chunks: toyStream });
    expect(one.sent).toMatchObject({
      tools: [{ function: { name: 'exec' } }, { function: { name: 'ns__f' } }],
    });
    expect(one.reply.headers['x-clawmatrix-left-out']).toBe('tools[2]');
    const two = await asked('chat', TOY, { messages, stop: ['ki'] }, { chunks: toyStream });
    expect(two.sent).not.toHaveProperty('options');
    expect(two.text).toContain('"content":"Loo"');
    expect(two.text).not.toContain('king');
    expect(two.upstream.left).toBe(1);
  });

  test.each<[string, Script, object]>([
    [
      'an error in the stream',
      { chunks: [said('Lo'), line({ error: 'out of memory' })] },
      { message: /out of memory/ },
    ],
    ['a stream that stops', { chunks: [said('Lo')] }, { code: 'upstream_truncated' }],
    ['half a line', { chunks: [said('Lo'), '{"done":tr'] }, { code: 'upstream_protocol' }],
    ['a line without end', { chunks: ['x'.repeat(2 ** 21)] }, { code: 'stream_buffer_exceeded' }],
  ])('break a stream where they fail: %s', async (_, script, expected) => {
    const { error, outcome } = await asked('chat', TOY, { messages }, script);
    expect(error).toBeInstanceOf(ClawError);
    const { message, ...rest } = { message: /./, ...expected };
    expect(error).toMatchObject(rest);
    expect(error?.message).toMatch(message);
    expect(outcome.kind).toBe('failed');
  });
});

describe('its clients', () => {
  const chatStream = [
    { delta: { role: 'assistant', reasoning_content: 'hm' } },
    { delta: { content: 'Looking' } },
    {
      delta: {
        tool_calls: [{ index: 0, id: 'c1', function: { name: 'weather', arguments: '{"city":"Rome"}' } }],
      },
    },
    { delta: {}, finish_reason: 'tool_calls' },
  ].map((choice) => `data: ${JSON.stringify({ choices: [{ index: 0, ...choice }] })}\n\n`);
  const output = [
    { type: 'reasoning', id: 'rs', summary: [{ type: 'summary_text', text: 'hm' }] },
    { type: 'message', id: 'm', role: 'assistant', content: [{ type: 'output_text', text: 'Looking' }] },
    { type: 'function_call', id: 'f', call_id: 'c1', name: 'weather', arguments: '{"city":"Rome"}' },
  ];
  const completed = { type: 'response.completed', response: { id: 'r', status: 'completed', output } };

  test.each<[Dialect, readonly string[]]>([
    ['chat', [...chatStream, 'data: [DONE]\n\n']],
    ['responses', [`data: ${JSON.stringify(completed)}\n\n`]],
  ])('get the stream of a %s server in lines', async (to, chunks) => {
    const { text, reply } = await asked(TOY, to, { messages, options: { stop: ['END'] } }, { chunks });
    expect(reply.headers['content-type']).toBe('application/x-ndjson');
    expect(linesOf(text)).toEqual([
      { model: 'm', message: { role: 'assistant', content: '', thinking: 'hm' }, done: false },
      { model: 'm', message: { role: 'assistant', content: 'Looking' }, done: false },
      { model: 'm', message: { role: 'assistant', content: '', ...called }, done: false },
      { model: 'm', done: true, done_reason: 'stop' },
    ]);
  });

  test('have their turns told as the other dialects tell them', async () => {
    const conversation = [
      { role: 'system', content: 'S' },
      { role: 'assistant', content: 'A', ...called },
      { role: 'tool', content: 'sun' },
    ];
    const { sent } = await asked(TOY, 'chat', { messages: conversation }, { chunks: chatStream });
    expect(sent.messages).toMatchObject([
      { role: 'system', content: 'S' },
      { role: 'assistant', content: 'A', tool_calls: [{ id: 'toy_0', function: { name: 'weather' } }] },
      { role: 'tool', tool_call_id: 'toy_0', content: 'sun' },
    ]);
  });

  test('get a whole reply', async () => {
    const message = { role: 'assistant', content: 'Hello' };
    const chunks = [JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] })];
    const { text } = await asked(TOY, 'chat', { messages }, { chunks, stream: false });
    expect(JSON.parse(text)).toEqual({ model: 'm', message, done: true, done_reason: 'stop' });
  });
});
