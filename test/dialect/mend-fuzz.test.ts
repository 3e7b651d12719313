/** Whatever a server gets wrong, and however its bytes are cut: the same comes out, and mending it again changes nothing. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Dialect } from '../../src/core/call.ts';
import { wholeEvents } from '../../src/dialect/framing/sse.ts';
import { bytesText, cutAt, mended } from './mending.ts';

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 3 });
const text = fc.constantFrom('', 'a', 'é\u{1f600}', '"error"', '{"at":', '1}', '{}', '\\n', '[DONE]');
const id = fc.constantFrom('', 'a', 'b', null);
const args = fc.oneof(text, fc.constant(null), fc.constant({ at: 1 }));

const call = fc.record(
  {
    index: fc.constantFrom(0, 1, 2, null),
    id,
    type: fc.constantFrom('function', '', null),
    function: fc.record({ name: fc.constantFrom('look', 'go', ''), arguments: args }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
const delta = fc.record(
  {
    role: fc.constantFrom('assistant', '', null),
    content: fc.oneof(text, fc.constant(null)),
    tool_calls: fc.array(call, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const choice = fc.record(
  {
    delta,
    message: delta,
    finish_reason: fc.constantFrom(null, null, null, '', 'stop', 'tool_calls', 'eos', 'length', 'error'),
    usage: fc.constant({ prompt_tokens: 1 }),
  },
  { requiredKeys: [] },
);
/** The first of them often without its number. */
const choices = fc.oneof(
  fc.constant([]),
  fc.tuple(choice, fc.constantFrom({ index: 0 }, {})).map(([one, index]) => [{ ...index, ...one }]),
  fc.tuple(choice, choice).map((both) => both.map((one, index) => ({ index, ...one }))),
);
const chatEvent = fc.record(
  {
    id: fc.constantFrom('c1', 'c1', 'c2', ''),
    object: fc.constantFrom('chat.completion.chunk', 'chat.completion', ''),
    created: fc.constantFrom(1, 2, null),
    model: fc.constantFrom('m', ''),
    choices,
    usage: fc.constantFrom(null, { prompt_tokens: 1, completion_tokens: 2 }),
    error: fc.constantFrom(null, null, null, null, null, null, 'broken'),
  },
  { requiredKeys: [] },
);

const item = fc.record(
  {
    id: fc.constantFrom('i1', 'i2', '', null),
    type: fc.constantFrom('message', 'function_call', 'custom_tool_call', 'reasoning', 'dance'),
    content: fc.constantFrom([], null, 'Hi'),
    arguments: args,
    input: text,
    status: fc.constantFrom('in_progress', 'completed', 'incomplete'),
  },
  { requiredKeys: ['type'] },
);
const KINDS = [
  'response.created',
  'response.output_item.added',
  'response.output_item.done',
  'response.output_text.delta',
  'response.output_text.delta',
  'response.function_call_arguments.delta',
  'response.function_call_arguments.done',
  'response.reasoning.delta',
  'response.reasoning_part.added',
  'response.completed',
  'response.failed',
  'keepalive',
  'error',
];
const responsesEvent = fc.record(
  {
    type: fc.constantFrom(...KINDS),
    sequence_number: fc.nat({ max: 20 }),
    output_index: fc.constantFrom(0, 1),
    item_id: fc.constantFrom('i1', 'i2', ''),
    item,
    delta: args,
    arguments: args,
    response: fc.record(
      {
        output: fc.oneof(fc.array(item, { maxLength: 2 }), fc.constant(null)),
        status: fc.constant('completed'),
      },
      { requiredKeys: [] },
    ),
    message: fc.constant('broken'),
  },
  { requiredKeys: ['type'] },
);

/** The events in any of the ways in which servers write them down. */
function streams(event: fc.Arbitrary<object>) {
  const written = fc
    .tuple(
      event,
      maybe(fc.constantFrom('message', 'error', 'own', 'own', 'own')),
      maybe(fc.constantFrom(': ping\n\n', ': note\n', 'id: 1\n')),
      fc.boolean(),
    )
    .map(([json, name, before = '', spaced]) => {
      const own: unknown = Reflect.get(json, 'type');
      const line =
        name === 'own'
          ? typeof own === 'string'
            ? `event: ${own}\n`
            : ''
          : name === undefined
            ? ''
            : `event: ${name}\n`;
      return `${before}${line}data:${spaced ? ' ' : ''}${JSON.stringify(json)}\n\n`;
    });
  return fc
    .tuple(
      fc.boolean(),
      fc.array(
        fc.oneof(
          { weight: 12, arbitrary: written },
          fc.constantFrom('data: [DONE]\n\n', 'data: {\n\n', '\n', ': hi\n\n'),
        ),
        { maxLength: 10 },
      ),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.boolean(),
    )
    .map(([mark, events, end, isWhole]) => {
      const all = bytesText((mark ? '\ufeff' : '') + events.join('').replaceAll('\n', end));
      return isWhole ? all : all.slice(0, -1);
    });
}

/** The faults of one server, which it has in all its events. */
const faults = fc.record({
  names: fc.boolean(),
  types: fc.boolean(),
  numbers: fc.boolean(),
  ids: fc.boolean(),
  indexes: fc.boolean(),
  deltas: fc.boolean(),
  dones: fc.boolean(),
  output: fc.boolean(),
  texts: fc.boolean(),
});

interface Own {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A whole Responses stream with such items, as a server with these faults writes it. */
const faulty = fc
  .tuple(
    fc.array(fc.constantFrom('message', 'function_call', 'custom_tool_call', 'reasoning'), { maxLength: 4 }),
    faults,
    text,
  )
  .map(([types, has, said]) => {
    const output: object[] = [];
    const events: Own[] = [{ type: 'response.created', response: { id: 'r', output: [] } }];
    types.forEach((type, at) => {
      const place = {
        ...(has.ids ? { item_id: `i${at}` } : {}),
        ...(has.indexes ? { output_index: at } : {}),
      };
      const index = has.indexes ? { output_index: at } : {};
      const field = type === 'function_call' ? 'arguments' : 'input';
      const isCall = type.endsWith('_call');
      const value = has.texts ? said : { said };
      const begun = {
        ...(has.ids ? { id: `i${at}` } : {}),
        type,
        ...(isCall ? { call_id: 'c', name: 'f', [field]: '' } : {}),
        status: 'in_progress',
      };
      const item = {
        ...begun,
        ...(isCall
          ? { [field]: value }
          : type === 'message'
            ? { content: has.texts ? [{ type: 'output_text', text: said }] : said }
            : {}),
        status: 'completed',
      };
      const name =
        type === 'function_call'
          ? 'response.function_call_arguments'
          : type === 'message'
            ? 'response.output_text'
            : type === 'reasoning'
              ? 'response.reasoning'
              : 'response.custom_tool_call_input';
      events.push({ type: 'response.output_item.added', ...index, item: begun });
      if (has.deltas) events.push({ type: `${name}.delta`, ...place, delta: said });
      if (has.dones)
        events.push({ type: `${name}.done`, ...place, [isCall ? field : 'text']: isCall ? value : said });
      events.push({ type: 'response.output_item.done', ...index, item });
      output.push(item);
    });
    events.push({
      type: 'response.completed',
      response: { id: 'r', status: 'completed', output: has.output ? output : [] },
    });
    return bytesText(
      events
        .map(({ type, ...more }, sequence_number) => {
          // One of the two has to be there.
          const json = JSON.stringify({
            ...(has.types || !has.names ? { type } : {}),
            ...(has.numbers ? { sequence_number } : {}),
            ...more,
          });
          return `${has.names ? `event: ${type}\n` : ''}data: ${json}\n\n`;
        })
        .join(''),
    );
  });

const cuts = fc.array(fc.nat(), { maxLength: 10 });
const any: readonly (readonly [string, Dialect, fc.Arbitrary<string>])[] = [
  ['chat', 'chat', streams(chatEvent)],
  ['responses', 'responses', streams(responsesEvent)],
  ['whole responses', 'responses', faulty],
];

test.each(any)('%s: any cut of the bytes gives the same', (_what, dialect, stream) => {
  fc.assert(
    fc.property(stream, cuts, (whole, places) => {
      const { text: out, failure } = mended(dialect, [whole]);
      const cut = mended(dialect, cutAt(whole, places));
      expect(cut.text).toBe(out);
      expect(cut.failure).toEqual(failure);
    }),
    { numRuns: 300 },
  );
});

// Events of Responses that contradict each other have no one form that is right.
test.each([any[0], any[2]].filter((row) => row !== undefined))(
  '%s: what has been mended needs no mending',
  (_what, dialect, stream) => {
    fc.assert(
      fc.property(stream, (whole) => {
        const once = mended(dialect, [whole]).text;
        expect(mended(dialect, [once]).text).toBe(once);
      }),
      { numRuns: 300 },
    );
  },
);

test('whole responses: what comes out numbers its events and names its items', () => {
  fc.assert(
    fc.property(faulty, (whole) => {
      const events = wholeEvents(Buffer.from(mended('responses', [whole]).text, 'latin1')).map(
        ({ name, data }) => ({ name, json: JSON.parse(data) }),
      );
      expect(events.map(({ json }) => json.sequence_number)).toEqual(events.map((_, at) => at));
      expect(events.every(({ name, json }) => name === json.type)).toBe(true);
      const added = events
        .filter(({ name }) => name === 'response.output_item.added')
        .map(({ json }) => json.item.id);
      expect(new Set(added).size).toBe(added.length);
      expect(events.at(-1)?.json.response.output.map((one: { id: string }) => one.id)).toEqual(added);
      for (const { json } of events) if ('delta' in json) expect(added).toContain(json.item_id);
    }),
    { numRuns: 200 },
  );
});
