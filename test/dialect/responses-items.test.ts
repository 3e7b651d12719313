/** Responses streams that leave out events, numbers or ids: what they say later or elsewhere must not be lost. */
import { describe, expect, test } from 'vitest';
import { translate } from '../../src/dialect/translate.ts';
import { sseEvents } from '../support/sse-text.ts';
import { aCall, AT, countingTools, drained, ScriptedUpstream, cardOf } from './scripted.ts';

type Event = readonly [type: string, fields: object];

async function played(events: readonly Event[]) {
  const chunks = events.map(([type, fields]) => `data: ${JSON.stringify({ type, ...fields })}\n\n`);
  const { answer } = new ScriptedUpstream({ chunks });
  const call = aCall('chat', { model: 'm', messages: [], stream: true });
  return drained(
    await translate(answer, 'chat', cardOf('responses'), countingTools())(call, new AbortController().signal),
  );
}

/** The answer as a chat client puts it together: text, reasoning and refusal, then each call as `id name arguments`. */
async function told(events: readonly Event[]): Promise<readonly string[]> {
  const { text, error } = await played(events);
  expect(error).toBeUndefined();
  let said = '';
  const calls: string[] = [];
  for (const { data } of sseEvents(text).slice(0, -1)) {
    const {
      content = '',
      reasoning_content = '',
      refusal = '',
      tool_calls,
    } = JSON.parse(data).choices[0].delta;
    said += `${reasoning_content}${content}${refusal}`;
    for (const { index, id, function: fn, custom } of tool_calls ?? []) {
      if (id !== undefined) calls[index] = `${id} ${(fn ?? custom).name} `;
      calls[index] += fn?.arguments ?? custom?.input ?? '';
    }
  }
  return [said, ...calls];
}

const added = (item: object, more: object = { output_index: 0 }): Event => [
  'response.output_item.added',
  { item, ...more },
];
const done = (item: object, more: object = { output_index: 0 }): Event => [
  'response.output_item.done',
  { item, ...more },
];
const text = (delta: string, more: object = { output_index: 0 }): Event => [
  'response.output_text.delta',
  { delta, ...more },
];
const input = (delta: unknown, more: object = { output_index: 0 }): Event => [
  'response.function_call_arguments.delta',
  { delta, ...more },
];
const end = (...output: object[]): Event => ['response.completed', { response: { output } }];

const message = (...texts: string[]) => ({
  id: 'm',
  type: 'message',
  content: texts.map((one) => ({ type: 'output_text', text: one })),
});
const call = (args: unknown, id = 'f') => ({
  id,
  type: 'function_call',
  call_id: `call_${id}`,
  name: 'f',
  arguments: args,
});
const thought = { id: 'r', type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }] };
const custom = { id: 'k', type: 'custom_tool_call', call_id: 'call_k', name: 'k', input: '' };
const WHOLE = ['', 'call_f f {"a":1}'];

describe('the arguments of a call arrive', () => {
  test.each<[string, readonly Event[]]>([
    ['when only the item has them', [added(call('')), done(call('{"a":1}')), end()]],
    ['when only the last event has them', [added(call('')), end(call('{"a":1}'))]],
    ['when the item begins with them', [added(call('{"a":1}')), end()]],
    [
      'when only their own end has them',
      [
        added(call('')),
        ['response.function_call_arguments.done', { output_index: 0, arguments: '{"a":1}' }],
        end(),
      ],
    ],
    ['behind a delta that is empty', [added(call('')), input(''), done(call('{"a":1}')), end()]],
    ['when a delta is no text', [added(call('')), input({ a: 1 }), done(call('{"a":1}')), end()]],
    ['when they are an object', [added(call('')), done(call({ a: 1 })), end()]],
    ['when the deltas stop half way', [added(call('')), input('{"a"'), done(call('{"a":1}')), end()]],
    ['when the deltas come before the call', [input('{"a"'), added(call('')), input(':1}'), end()]],
    ['when the deltas name the id alone', [added(call('')), input('{"a":1}', { item_id: 'f' }), end()]],
    ['when nothing has a number', [added(call(''), {}), input('{"a":1}', { item_id: 'f' }), end()]],
    ['when nothing has a number or an id', [added(call(''), {}), input('{"a":1}', {}), end()]],
    [
      'when the call is named only at its end',
      [added({ ...call(''), name: '' }), input('{"a":1}'), done(call('{"a":1}')), end()],
    ],
    [
      'when it has its id only in the last event',
      [added({ ...call(''), call_id: '' }), input('{"a":1}'), end(call('{"a":1}'))],
    ],
    [
      'when it begins once more with its name',
      [added({ ...call(''), name: '' }), input('{"a"'), added(call('')), input(':1}'), end()],
    ],
    ['once, when the item begins twice', [added(call('')), input('{"a":1}'), added(call('')), end()]],
    [
      'once, when all repeat them',
      [added(call('')), input('{"a":1}'), done(call('{"a":1}')), end(call('{"a":1}'))],
    ],
    [
      'once, when the last event has another id',
      [added(call('')), input('{"a":1}'), end({ ...call('{"a":1}'), id: 'z' })],
    ],
  ])('%s', async (_, events) => {
    expect(await told(events)).toEqual(WHOLE);
  });

  test('when a custom tool has them at its end alone', async () => {
    const last: Event = ['response.custom_tool_call_input.done', { output_index: 0, input: 'abc' }];
    expect(await told([added(custom), last, end()])).toEqual(['', 'call_k k abc']);
  });

  test('when two items go by the same number', async () => {
    const events = [
      added(message()),
      text('Hi'),
      added(call('')),
      input('{"a":1}'),
      end(message('Hi'), call('{"a":1}')),
    ];
    expect(await told(events)).toEqual(['Hi', 'call_f f {"a":1}']);
  });

  test.each<[string, readonly Event[]]>([
    ['at all', [input('{"a":1}'), end()]],
    ['that is one', [added({ ...call(''), name: '' }), done({ ...call('{"a":1}'), name: '' }), end()]],
  ])('and a call that never gets a name %s fails the stream', async (_, stream) => {
    const { text: events, error } = await played(stream);
    expect(error?.code).toBe('upstream_protocol');
    expect(events).not.toContain('[DONE]');
  });
});

describe('what is said arrives', () => {
  test.each<[string, readonly Event[], string]>([
    ['when only the last event has it', [added(message()), end(message('Hello'))], 'Hello'],
    ['when the deltas stop half way', [added(message()), text('He'), done(message('Hello')), end()], 'Hello'],
    [
      'when the second part has no deltas',
      [added(message()), text('a'), done(message('a', 'b')), end()],
      'ab',
    ],
    [
      'when only its own end has it',
      [added(message()), ['response.output_text.done', { output_index: 0, text: 'Hello' }], end()],
      'Hello',
    ],
    [
      'as a refusal, too',
      [added(message()), ['response.refusal.done', { output_index: 0, refusal: 'No' }], end()],
      'No',
    ],
    [
      'when the reasoning is told at the end',
      [
        added({ ...thought, summary: [] }),
        text('Hello', { output_index: 1 }),
        end(thought, message('Hello')),
      ],
      'HmHello',
    ],
    [
      'once, when ids change with every event',
      [
        added({ ...message(), id: 'x' }),
        text('Hello', { output_index: 0, item_id: 'y' }),
        done({ ...message('Hello'), id: 'z' }),
        end({ ...message('Hello'), id: 'w' }),
      ],
      'Hello',
    ],
    [
      'once, when the end leaves out the reasoning',
      [added(thought), text('Hello', { output_index: 1 }), end({ ...message('Hello'), id: 'w' })],
      'HmHello',
    ],
    [
      'as it was streamed, when the item has it trimmed',
      [added(message()), text('Hello '), done(message('Hello')), end()],
      'Hello ',
    ],
  ])('%s', async (_, events, said) => {
    expect(await told(events)).toEqual([said]);
  });

  test('when a whole item is in the last event alone', async () => {
    expect(await told([text('Hi'), end(message('Hi'), call('{"a":1}'))])).toEqual(['Hi', 'call_f f {"a":1}']);
  });
});

describe('a failure', () => {
  test.each<[string, Event, string, number]>([
    [
      'that calls itself completed',
      ['response.completed', { response: { status: 'failed', error: { message: 'bad' } } }],
      'bad',
      502,
    ],
    [
      'that is a cancellation',
      ['response.cancelled', { response: {} }],
      'the upstream cancelled the response',
      502,
    ],
    [
      'in the form of old servers',
      ['', { type: undefined, object: 'error', message: 'bad', code: 400 }],
      'bad',
      400,
    ],
  ])('%s is told', async (_, event, text, status) => {
    const { error } = await played([['response.created', { response: {} }], event]);
    expect(error).toMatchObject({ message: text + AT, status });
  });

  test("of a flat event has the error's own type, not the event's", async () => {
    const { error } = await played([['error', { code: 'server_error', message: 'bad' }]]);
    expect(error?.body().error).toMatchObject({ type: 'server_error', code: 'server_error' });
  });
});
