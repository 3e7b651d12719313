/** A whole reply as a stream and back, in one dialect: nothing that a provider says is lost on the way. */
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/call.ts';
import { PIECE_BYTES, SSE_EVENT_BYTES_MAX } from '../../src/core/limits.ts';
import { shapes } from '../../src/dialect/dialects.ts';
import { wholeEvents } from '../../src/dialect/framing/sse.ts';
import { countingTools } from './scripted.ts';

const REQUEST = { stream_options: { include_usage: true } };

function gathered(dialect: Dialect, events: readonly (string | object)[]): unknown {
  const gatherer = shapes[dialect].gatherer();
  for (const event of events) gatherer.add(typeof event === 'string' ? event : JSON.stringify(event));
  return gatherer.whole();
}

function thereAndBack(dialect: Dialect, reply: unknown): unknown {
  const stream = Buffer.from(shapes[dialect].streamOf(reply, REQUEST, countingTools()));
  return gathered(
    dialect,
    wholeEvents(stream).map(({ data }) => data),
  );
}

/** What a reader of another dialect makes of it: the same from the whole reply as from its stream. */
function read(dialect: Dialect, reply: unknown): unknown {
  const reader = shapes[dialect].streamReader(countingTools());
  const stream = Buffer.from(shapes[dialect].streamOf(reply, REQUEST, countingTools()));
  const events = [
    ...wholeEvents(stream).flatMap(({ data, name }) => reader.read(data, name)),
    ...reader.end(),
  ];
  return events.map((event) => ('text' in event ? event.text : '')).join('');
}

const chatReply = (message: object, finish_reason: string | null = 'stop', more: object = {}) => ({
  id: 'c1',
  object: 'chat.completion',
  created: 5,
  model: 'm',
  citations: ['https://x'],
  choices: [{ index: 0, message: { role: 'assistant', ...message }, logprobs: null, ...more, finish_reason }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, cost: 0.1 },
});
const look = { id: 'a', type: 'function', function: { name: 'look', arguments: '{"at":"sky"}' } };
const long = '\u{1f600}é'.repeat(PIECE_BYTES);

describe('chat', () => {
  test.each([
    ['text', chatReply({ content: 'Hello' })],
    ['an empty text', chatReply({ content: '' })],
    ['a long text', chatReply({ content: long, reasoning_content: long })],
    ['reasoning under any name', chatReply({ content: 'a', reasoning: 'b', reasoning_text: 'c' })],
    ['a refusal', chatReply({ content: null, refusal: 'No.' })],
    ['parts', chatReply({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'b' }] }] })],
    [
      'annotations',
      chatReply({ content: 'a', annotations: [{ type: 'url_citation', url_citation: { url: 'u' } }] }),
    ],
    [
      'fields that nobody knows',
      chatReply({ content: 'a', x_one: { deep: [1] }, x_two: 3, x_three: 'text' }),
    ],
    ['calls', chatReply({ content: null, tool_calls: [look, { ...look, id: 'b', x: 1 }] }, 'tool_calls')],
    [
      'long arguments and a custom call',
      chatReply(
        {
          content: 'a',
          tool_calls: [
            { ...look, function: { name: 'look', arguments: JSON.stringify({ long }) } },
            { id: 'c', type: 'custom', custom: { name: 'run', input: long } },
          ],
        },
        'tool_calls',
      ),
    ],
    [
      'log probabilities',
      chatReply({ content: 'a' }, 'length', { logprobs: { content: [{ token: 'a' }], refusal: null } }),
    ],
    ['an end of its own', chatReply({ content: 'a' }, 'eos', { stop_reason: 128_009 })],
    [
      'several choices',
      {
        ...chatReply({}),
        choices: ['a', 'b'].map((content, index) => ({
          index,
          message: { role: 'assistant', content },
          logprobs: null,
          finish_reason: 'stop',
        })),
      },
    ],
  ])('%s: the same after a way as a stream', (_what, reply) => {
    expect(thereAndBack('chat', reply)).toEqual(reply);
  });

  test('no event is longer than one may be', () => {
    const stream = shapes.chat.streamOf(
      chatReply({ content: long, reasoning: long.repeat(4) }),
      {},
      countingTools(),
    );
    const most = Math.max(...stream.split('\n\n').map((event) => Buffer.byteLength(event)));
    expect(most).toBeLessThan(SSE_EVENT_BYTES_MAX / 4);
  });

  test('what clients need and the server left out is put in', () => {
    const reply = chatReply(
      { content: 'a', tool_calls: [{ ...look, function: { name: 'look', arguments: {} } }] },
      'stop',
    );
    expect(thereAndBack('chat', reply)).toMatchObject({
      choices: [
        {
          message: { tool_calls: [{ function: { name: 'look', arguments: '{}' } }] },
          finish_reason: 'tool_calls',
        },
      ],
    });
    expect(read('chat', reply)).toBe('a{}');
  });

  const begins = (mark: object) => ({ ...mark, function: { name: 'f', arguments: '{' } });
  const ends = (mark: object) => ({ ...mark, function: { arguments: '}' } });
  test.each([
    [
      'by their numbers',
      [begins({ index: 0 }), begins({ index: 1 }), ends({ index: 0 }), ends({ index: 1 })],
    ],
    ['by their ids', [begins({ id: 'a' }), begins({ id: 'b' }), ends({ id: 'a' }), ends({ id: 'b' })]],
    ['by their order', [begins({}), ends({}), begins({}), ends({})]],
    [
      'where one number stands for all',
      [begins({ index: 0, id: 'a' }), ends({ index: 0 }), begins({ index: 0, id: 'b' }), ends({ index: 0 })],
    ],
  ])('the fragments of calls find their call: %s', (_how, calls) => {
    const events = calls.map((call) => ({ choices: [{ index: 0, delta: { tool_calls: [call] } }] }));
    const call = { type: 'function', function: { name: 'f', arguments: '{}' } };
    expect(gathered('chat', events)).toMatchObject({ choices: [{ message: { tool_calls: [call, call] } }] });
  });

  test('a field called __proto__ is a field', () => {
    const event =
      '{"choices":[{"index":0,"delta":{"content":"a","__proto__":{"polluted":1}}}],"__proto__":{"polluted":1}}';
    const whole = gathered('chat', [event]);
    expect(Object(whole).polluted).toBeUndefined();
    expect(Object({}).polluted).toBeUndefined();
  });
});

describe('responses', () => {
  const reply = (...output: readonly object[]) => ({
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    status: 'completed',
    completed_at: 2,
    model: 'm',
    x_cost: 3,
    output,
    usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
  });
  const message = (...content: readonly object[]) => ({
    type: 'message',
    id: 'msg_1',
    role: 'assistant',
    status: 'completed',
    phase: 'final_answer',
    content,
  });

  test.each([
    [
      'text',
      reply(message({ type: 'output_text', text: 'Hello', annotations: [{ type: 'x' }], logprobs: [] })),
    ],
    ['a long text', reply(message({ type: 'output_text', text: long, annotations: [] }))],
    ['a refusal', reply(message({ type: 'refusal', refusal: 'No.' }))],
    ['a part that nobody knows', reply(message({ type: 'output_dance', steps: [1] }))],
    [
      'reasoning',
      reply({
        type: 'reasoning',
        id: 'rs_1',
        summary: [{ type: 'summary_text', text: 'a' }],
        content: [{ type: 'reasoning_text', text: 'b' }],
      }),
    ],
    [
      'calls',
      reply(
        { type: 'function_call', id: 'fc_1', call_id: 'c', name: 'f', arguments: '{}', status: 'completed' },
        { type: 'custom_tool_call', id: 'ctc_1', call_id: 'd', name: 'g', input: 'x' },
      ),
    ],
    ['an item that nobody knows', reply({ type: 'dance_call', id: 'd_1', steps: [1] })],
    ['nothing', reply()],
    [
      'an answer that was cut',
      { ...reply(message()), status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
    ],
  ])('%s: the same after a way as a stream', (_what, whole) => {
    expect(thereAndBack('responses', whole)).toEqual({ error: null, incomplete_details: null, ...whole });
  });

  test('a reader finds in the stream what the reply says', () => {
    const whole = reply(
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'hm ' }] },
      message({ type: 'output_text', text: 'Hello ', annotations: [] }),
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{"a":1}' },
    );
    expect(read('responses', whole)).toBe('hm Hello {"a":1}');
  });

  test('items that only their own events told are in the reply; text in pieces alone is an error, not silence', () => {
    const item = message({ type: 'output_text', text: 'Hello' });
    const end = { type: 'response.completed', response: { ...reply(), output: [] } };
    const done = { type: 'response.output_item.done', output_index: 0, item };
    expect(gathered('responses', [done, end])).toEqual(reply(item));
    const delta = { type: 'response.output_text.delta', output_index: 0, delta: 'Hello' };
    expect(() => gathered('responses', [delta, end])).toThrow('in pieces');
  });
});
