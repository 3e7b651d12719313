/** What a Responses server gets wrong in a stream, row by row: the events in, the events out. */
import { describe, expect, test } from 'vitest';
import { EVENT_KINDS_MAX } from '../../src/core/limits.ts';
import { EventNames } from '../../src/dialect/responses/mend/event-names.ts';
import { wholeEvents } from '../../src/dialect/framing/sse.ts';
import { namedEvent, responsesEvents } from '../support/openai-bodies.ts';
import { mended } from './mending.ts';

type Event = { readonly type: string; readonly [field: string]: unknown };

const RESPONSE = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', usage: null };
const created: Event = {
  type: 'response.created',
  response: { ...RESPONSE, status: 'in_progress', output: [] },
};
const completed = (...output: object[]): Event => ({
  type: 'response.completed',
  response: { ...RESPONSE, status: 'completed', output },
});
const added = (item: object, output_index: number | null = 0): Event => ({
  type: 'response.output_item.added',
  output_index,
  item,
});
const done = (item: object, output_index: number | null = 0): Event => ({
  type: 'response.output_item.done',
  output_index,
  item,
});
const PLACE = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const text = (delta: string, more: object = PLACE): Event => ({
  type: 'response.output_text.delta',
  ...more,
  delta,
});
const part = { type: 'output_text', text: 'Hi', annotations: [] };
const message = (more: object = {}) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [part],
  ...more,
});
const begun = (more: object = {}) => message({ status: 'in_progress', content: [], ...more });
const call = (more: object = {}) => ({
  id: 'fc_1',
  type: 'function_call',
  call_id: 'c',
  name: 'look',
  arguments: '{"at":1}',
  status: 'completed',
  ...more,
});
const callBegun = (more: object = {}) => call({ arguments: '', status: 'in_progress', ...more });
const AT = { item_id: 'fc_1', output_index: 0 };
const input = (delta: unknown, more: object = AT): Event => ({
  type: 'response.function_call_arguments.delta',
  ...more,
  delta,
});
const inputDone = (args: unknown, more: object = AT): Event => ({
  type: 'response.function_call_arguments.done',
  ...more,
  arguments: args,
});

const numbered = (events: readonly Event[]) =>
  events.map(({ type, ...more }, sequence_number) => ({ type, sequence_number, ...more }));
const stream = (events: readonly Event[]) => numbered(events).map(namedEvent).join('');
const DONE = 'data: [DONE]\n\n';

/** The JSON of the events; what differs from it must have the event's own name. */
function read(bytes: string): unknown[] {
  return wholeEvents(Buffer.from(bytes, 'latin1')).map(({ data, name }) => {
    if (data === '[DONE]') return data;
    const json: unknown = JSON.parse(data);
    expect(Object(json).type).toBe(name);
    return json;
  });
}

const PLAIN = [created, added(begun()), text('H'), text('i'), done(message()), completed(message())];
const CALL = [
  created,
  added(callBegun()),
  input('{"at"'),
  input(':1}'),
  inputDone('{"at":1}'),
  done(call()),
  completed(call()),
];

describe('a stream with nothing to mend', () => {
  test.each<[string, string]>([
    ['text', stream(PLAIN)],
    ['text and [DONE]', stream(PLAIN) + DONE],
    [
      'comments and signs of life',
      `: hi\n\n${stream(PLAIN).replaceAll('event: response.output_text', 'event: keepalive\ndata: {"type":"keepalive"}\n\n: ping\n\nevent: response.output_text')}`,
    ],
    ['calls', stream(CALL)],
    [
      'all that our own tests send',
      responsesEvents({ text: ['Hel', 'lo'], toolCalls: [{ id: 'c', name: 'look', arguments: '{}' }] }).join(
        '',
      ),
    ],
    ['obfuscation', stream(PLAIN.map((event) => ({ ...event, obfuscation: 'xyz' })))],
    [
      'a custom call',
      stream([
        created,
        added({ id: 'ctc_1', type: 'custom_tool_call', call_id: 'c', name: 'run', input: '' }),
        { type: 'response.custom_tool_call_input.delta', item_id: 'ctc_1', output_index: 0, delta: 'x' },
        { type: 'response.custom_tool_call_input.done', item_id: 'ctc_1', output_index: 0, input: 'x' },
        done({ id: 'ctc_1', type: 'custom_tool_call', call_id: 'c', name: 'run', input: 'x' }),
        completed({ id: 'ctc_1', type: 'custom_tool_call', call_id: 'c', name: 'run', input: 'x' }),
      ]),
    ],
    [
      'kinds that nobody knows',
      stream([
        created,
        { type: 'response.dance.delta', steps: [1] },
        { type: 'response.dance.delta', steps: [2] },
        completed(message()),
      ]),
    ],
    [
      'a call that was cut',
      stream([
        created,
        added(callBegun()),
        input('{"a'),
        done(call({ arguments: '{"a', status: 'incomplete' })),
        {
          type: 'response.incomplete',
          response: {
            ...RESPONSE,
            status: 'incomplete',
            output: [call({ arguments: '{"a', status: 'incomplete' })],
          },
        },
      ]),
    ],
  ])('passes byte for byte, and as the very same object: %s', (_what, clean) => {
    for (const pieces of [[clean], clean.split(/(?<=\n\n)/)]) {
      const { text: out, untouched, failure } = mended('responses', pieces);
      expect(out).toBe(clean);
      expect(untouched.every(Boolean)).toBe(true);
      expect(failure).toBeUndefined();
    }
  });

  test('passes as it came where repair is off, whatever it is', () => {
    const odd = 'data: {"type":"response.reasoning.delta"}\r\n\r\n';
    expect(mended('responses', [odd], { repair: false }).text).toBe(odd);
  });
});

describe('names and numbers', () => {
  const clean = stream(PLAIN);
  const unnumbered = PLAIN.map(namedEvent).join('');
  test.each<[string, string]>([
    ['without the lines of names', clean.replaceAll(/event: .*\n/g, '')],
    ['without types', clean.replaceAll(/"type":"response[^"]*",/g, '')],
    ['with line ends of Windows', clean.replaceAll('\n', '\r\n')],
    ['without numbers', unnumbered],
    ['without names and numbers', unnumbered.replaceAll(/event: .*\n/g, '')],
    ['with other names than types', clean.replaceAll(/event: .*\n/g, 'event: message\n')],
  ])('%s: as if the server had written them well', (_what, odd) => {
    expect(read(mended('responses', [odd]).text)).toEqual(read(clean));
    expect(read(mended('responses', odd.split(/(?<=\n\n)/)).text)).toEqual(read(clean));
  });
});

const REASON = { item_id: 'rs_1', output_index: 0, content_index: 0 };
const thought = { type: 'reasoning_text', text: 'hm' };

describe('what events and items lack', () => {
  const own = 'msg_1';
  test.each<[string, readonly Event[], readonly Event[]]>([
    [
      "vLLM's parts of reasoning",
      [
        created,
        { type: 'response.reasoning_part.added', ...REASON, part: { ...thought, text: '' } },
        { type: 'response.reasoning_part.done', ...REASON, part: thought },
        completed(),
      ],
      [
        created,
        { type: 'response.content_part.added', ...REASON, part: { ...thought, text: '' } },
        { type: 'response.content_part.done', ...REASON, part: thought },
        completed(),
      ],
    ],
    [
      'the reasoning of Open Responses',
      [
        created,
        { type: 'response.reasoning.delta', ...REASON, delta: 'h' },
        { type: 'response.reasoning.delta', ...REASON, delta: 'm' },
        { type: 'response.reasoning.done', ...REASON, text: 'hm' },
        completed(),
      ],
      [
        created,
        { type: 'response.reasoning_text.delta', ...REASON, delta: 'h' },
        { type: 'response.reasoning_text.delta', ...REASON, delta: 'm' },
        { type: 'response.reasoning_text.done', ...REASON, text: 'hm' },
        completed(),
      ],
    ],
    [
      'ids of items',
      [
        created,
        added(begun({ id: undefined })),
        text('H', { output_index: 0, content_index: 0 }),
        text('i', { output_index: 0, content_index: 0 }),
        done(message({ id: undefined })),
        completed(message({ id: undefined })),
      ],
      [
        created,
        added(begun({ id: own })),
        text('H', { ...PLACE, item_id: own }),
        text('i', { ...PLACE, item_id: own }),
        done(message({ id: own })),
        completed(message({ id: own })),
      ],
    ],
    [
      'ids of items, but not in their events',
      [
        created,
        added(begun({ id: '' })),
        text('H', { ...PLACE, item_id: 'x' }),
        done(message({ id: 'y' })),
        completed(message({ id: 'z' })),
      ],
      [
        created,
        added(begun({ id: own })),
        text('H', { ...PLACE, item_id: own }),
        done(message({ id: own })),
        completed(message({ id: own })),
      ],
    ],
    [
      'numbers of items',
      [
        created,
        added(begun(), null),
        text('H', { item_id: 'msg_1', content_index: 0 }),
        done(message(), null),
        added(callBegun(), null),
        input('{"at":1}', { item_id: 'fc_1' }),
        inputDone('{"at":1}', {}),
        done(call(), null),
        completed(message(), call()),
      ],
      [
        created,
        added(begun()),
        text('H'),
        done(message()),
        added(callBegun(), 1),
        input('{"at":1}', { item_id: 'fc_1', output_index: 1 }),
        inputDone('{"at":1}', { item_id: 'fc_1', output_index: 1 }),
        done(call(), 1),
        completed(message(), call()),
      ],
    ],
    [
      'content that is no list',
      [
        created,
        added(begun({ content: null })),
        text('Hi'),
        done(message({ content: 'Hi' })),
        completed(message({ content: part })),
      ],
      [created, added(begun()), text('Hi'), done(message()), completed(message())],
    ],
    [
      'a summary',
      [
        created,
        added({ id: 'rs_1', type: 'reasoning' }),
        done({ id: 'rs_1', type: 'reasoning', summary: null }),
        completed({ id: 'rs_1', type: 'reasoning' }),
      ],
      [
        created,
        added({ id: 'rs_1', type: 'reasoning', summary: [] }),
        done({ id: 'rs_1', type: 'reasoning', summary: [] }),
        completed({ id: 'rs_1', type: 'reasoning', summary: [] }),
      ],
    ],
    ['the output at the end', [...PLAIN.slice(0, -1), completed()], PLAIN],
    [
      'the output at the end, which is null',
      [
        ...CALL.slice(0, -1),
        { type: 'response.completed', response: { ...RESPONSE, status: 'completed', output: null } },
      ],
      CALL,
    ],
    [
      'arguments that are texts',
      [
        created,
        added(callBegun({ arguments: {} })),
        input({ at: 1 }),
        inputDone({ at: 1 }),
        done(call({ arguments: { at: 1 } })),
        completed(call({ arguments: { at: 1 } })),
      ],
      [
        created,
        added(callBegun()),
        input('{"at":1}'),
        inputDone('{"at":1}'),
        done(call()),
        completed(call()),
      ],
    ],
    [
      'a beginning without arguments',
      [
        created,
        added(call({ status: 'in_progress' })),
        input('{"at":1}'),
        inputDone('{"at":1}'),
        done(call()),
        completed(call()),
      ],
      [
        created,
        added(callBegun()),
        input('{"at":1}'),
        inputDone('{"at":1}'),
        done(call()),
        completed(call()),
      ],
    ],
    [
      'deltas of arguments',
      [created, added(callBegun()), inputDone('{"at":1}'), done(call()), completed(call())],
      [
        created,
        added(callBegun()),
        input('{"at":1}'),
        inputDone('{"at":1}'),
        done(call()),
        completed(call()),
      ],
    ],
    [
      'all events of arguments',
      [created, added(callBegun()), done(call()), completed(call())],
      [
        created,
        added(callBegun()),
        input('{"at":1}'),
        inputDone('{"at":1}'),
        done(call()),
        completed(call()),
      ],
    ],
    [
      'the end of arguments',
      [created, added(callBegun()), input('{"at":1}'), done(call()), completed(call())],
      [
        created,
        added(callBegun()),
        input('{"at":1}'),
        inputDone('{"at":1}'),
        done(call()),
        completed(call()),
      ],
    ],
    [
      'arguments where it ends',
      [
        created,
        added(callBegun()),
        input('{"at":1}'),
        inputDone(''),
        done(call({ arguments: '' })),
        completed(call({ arguments: '' })),
      ],
      [
        created,
        added(callBegun()),
        input('{"at":1}'),
        inputDone('{"at":1}'),
        done(call()),
        completed(call()),
      ],
    ],
    [
      'any arguments',
      [
        created,
        added(callBegun()),
        inputDone(''),
        done(call({ arguments: '' })),
        completed(call({ arguments: '' })),
      ],
      [
        created,
        added(callBegun()),
        input('{}'),
        inputDone('{}'),
        done(call({ arguments: '{}' })),
        completed(call({ arguments: '{}' })),
      ],
    ],
    [
      'what comes behind an event of ours, of a kind that needed nothing before',
      [
        ...PLAIN.slice(0, -1),
        added(callBegun(), 1),
        done(call(), 1),
        text('!', { ...PLACE, output_index: 2 }),
        completed(message(), call()),
      ],
      [
        ...PLAIN.slice(0, -1),
        added(callBegun(), 1),
        input('{"at":1}', { ...AT, output_index: 1 }),
        inputDone('{"at":1}', { ...AT, output_index: 1 }),
        done(call(), 1),
        text('!', { ...PLACE, output_index: 2 }),
        completed(message(), call()),
      ],
    ],
    [
      'what comes behind an event of ours',
      [
        created,
        added(callBegun()),
        done(call()),
        added(begun(), 1),
        text('H', { ...PLACE, output_index: 1 }),
        text('i', { ...PLACE, output_index: 1 }),
        completed(call(), message()),
      ],
      [
        created,
        added(callBegun()),
        input('{"at":1}'),
        inputDone('{"at":1}'),
        done(call()),
        added(begun(), 1),
        text('H', { ...PLACE, output_index: 1 }),
        text('i', { ...PLACE, output_index: 1 }),
        completed(call(), message()),
      ],
    ],
  ])('%s', (_what, odd, out) => {
    const clean = JSON.parse(JSON.stringify(numbered(out)));
    expect(read(mended('responses', [stream(odd)]).text)).toEqual(clean);
    expect(read(mended('responses', stream(odd).split(/(?<=\n\n)/)).text)).toEqual(clean);
    expect(read(mended('responses', [odd.map(namedEvent).join('')]).text)).toEqual(clean);
  });
});

test('items that would make the last event longer than one may be are not repeated in it', () => {
  const long = message({ content: [{ ...part, text: 'x'.repeat(600_000) }] });
  const events = (last: Event) =>
    stream([
      created,
      added(begun()),
      done(long),
      added(begun({ id: 'm2' }), 1),
      done({ ...long, id: 'm2' }, 1),
      last,
    ]);
  expect(mended('responses', [events(completed())]).text).toBe(events(completed()));
});

describe('a failure in mid-stream', () => {
  const error = { type: 'server_error', code: 'oom', message: 'no memory', param: null };
  const flat: Event = { type: 'error', code: 'oom', message: 'no memory', param: null };
  const failed: Event = {
    type: 'response.failed',
    response: { ...RESPONSE, status: 'failed', output: [], error: { code: 'oom', message: 'no memory' } },
  };
  const whole = stream([...PLAIN.slice(0, 3), { ...flat, error }, failed]);
  const before = stream(PLAIN.slice(0, 3));

  test.each<[string, readonly Event[]]>([
    ['flat', [flat, failed]],
    ['nested', [{ type: 'error', error }, failed]],
    ['of a failed response alone', [failed]],
  ])('is told in all its forms, and the failed response behind it: %s', (_what, events) => {
    const { text: out, failure } = mended('responses', [stream([...PLAIN.slice(0, 3), ...events])]);
    expect(read(out)).toEqual(read(whole));
    expect(failure).toBeUndefined();
  });

  test.each<[string, string, object]>([
    ['flat', namedEvent({ ...flat, type: 'error' }), { message: 'no memory', code: 'oom' }],
    [
      'nested',
      namedEvent({ type: 'error', error } as Event),
      { message: 'no memory', code: 'oom', type: 'server_error' },
    ],
    [
      'without a type',
      `data: ${JSON.stringify({ error })}\n\n`,
      { message: 'no memory', code: 'oom', type: 'server_error' },
    ],
    [
      'with a code that is a number',
      `event: error\ndata: ${JSON.stringify({ error: { message: 'no memory', code: 507 } })}\n\n`,
      { message: 'no memory', code: '507' },
    ],
    ['without JSON', 'event: error\ndata: no memory\n\n', { message: 'no memory' }],
  ])('without a failed response is told by whoever ends the stream: %s', (_what, failing, told) => {
    const { text: out, failure } = mended('responses', [before, failing]);
    expect(out).toBe(before);
    expect(failure).toMatchObject(told);
  });

  test('behind the end of an answer takes nothing back', () => {
    const { text: out, failure } = mended('responses', [stream(PLAIN) + namedEvent(flat)]);
    expect(out).toBe(stream(PLAIN));
    expect(failure).toBeUndefined();
  });
});

test('of the kinds of events that pass unread no more are remembered than there can be', () => {
  const names = new EventNames();
  for (let kind = 0; kind <= EVENT_KINDS_MAX; kind++) names.add(`response.kind_${kind}`);
  expect(names.have(`response.kind_${EVENT_KINDS_MAX - 1}`)).toBe(true);
  expect(names.have(`response.kind_${EVENT_KINDS_MAX}`)).toBe(false);
});
