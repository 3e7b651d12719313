/** Tool calls of chat streams, in the many ways that servers cut and number them. */
import { expect, test } from 'vitest';
import { translate } from '../../src/dialect/translate.ts';
import { checkResponsesStream } from '../support/responses-rules.ts';
import { responsesEvents } from '../support/sse-text.ts';
import { aCall, countingTools, drained, ScriptedUpstream, cardOf } from './scripted.ts';

function event(delta: object, finish_reason: string | null = null): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
}

async function streamed(chunks: string[]) {
  const { answer } = new ScriptedUpstream({ chunks });
  const call = aCall('responses', { model: 'm', input: 'Hi' });
  return translate(answer, 'responses', cardOf('chat'), countingTools())(call, new AbortController().signal);
}

/** Each call as `id name arguments`. */
async function callsOf(fragments: object[][]): Promise<string[]> {
  const chunks = [...fragments.map((tool_calls) => event({ tool_calls })), event({}, 'tool_calls')];
  const { text, error } = await drained(await streamed(chunks));
  expect(error).toBeUndefined();
  const events = responsesEvents(text);
  checkResponsesStream(events);
  const output: { call_id: string; name: string; arguments: string }[] = Object(events.at(-1)).response
    .output;
  return output.map((call) => `${call.call_id} ${call.name} ${call.arguments}`);
}

const fn = (name: string | undefined, args?: unknown) => ({ function: { name, arguments: args } });

test.each<[string, object[][], string[]]>([
  [
    'arguments letter by letter',
    [
      [{ index: 0, id: 'a', ...fn('f', '') }],
      [{ index: 0, ...fn(undefined, '{"x"') }],
      [{ index: 0, ...fn(undefined, ':1}') }],
    ],
    ['a f {"x":1}'],
  ],
  [
    'id and name on every fragment',
    [[{ index: 0, id: 'a', ...fn('f', '{') }], [{ index: 0, id: 'a', ...fn('f', '}') }]],
    ['a f {}'],
  ],
  [
    'an empty id and name on later fragments',
    [[{ index: 0, id: 'a', ...fn('f', '{') }], [{ index: 0, id: '', ...fn('', '}') }]],
    ['a f {}'],
  ],
  [
    'the name behind the first arguments',
    [[{ index: 0, id: 'a', ...fn(undefined, '{') }], [{ index: 0, ...fn('f', '}') }]],
    ['a f {}'],
  ],
  [
    'several whole calls in one chunk',
    [
      [
        { index: 0, id: 'a', ...fn('f', '{}') },
        { index: 1, id: 'b', ...fn('g', '{}') },
      ],
    ],
    ['a f {}', 'b g {}'],
  ],
  [
    'the same number for all calls',
    [[{ index: 0, id: 'a', ...fn('f', '{}') }], [{ index: 0, id: 'b', ...fn('g', '{"y":2}') }]],
    ['a f {}', 'b g {"y":2}'],
  ],
  [
    'the same number for all calls, and no ids',
    [[{ index: 0, ...fn('f', '{}') }], [{ index: 0, ...fn('g', '{"y":2}') }]],
    ['call_0002 f {}', 'call_0004 g {"y":2}'],
  ],
  [
    'the same number and name for two whole calls, and no ids',
    [[{ index: 0, ...fn('f', '{"y":1}') }], [{ index: 0, ...fn('f', '{"y":2}') }]],
    ['call_0002 f {"y":1}', 'call_0004 f {"y":2}'],
  ],
  [
    'the name on every fragment, and no ids',
    [
      [{ index: 0, ...fn('f', '{"y":"}') }],
      [{ index: 0, ...fn('f', '{"}') }],
      [{ index: 0, ...fn('f', '') }],
    ],
    ['call_0002 f {"y":"}{"}'],
  ],
  [
    'no numbers but ids',
    [
      [{ id: 'a', ...fn('f', '{"x"') }],
      [{ id: 'b', ...fn('g', '{}') }],
      [{ id: 'a', ...fn(undefined, ':1}') }],
    ],
    ['a f {"x":1}', 'b g {}'],
  ],
  [
    'neither numbers nor ids',
    [[fn('f', '{"x"'), fn(undefined, ':1}')], [fn('g', '{}')]],
    ['call_0002 f {"x":1}', 'call_0004 g {}'],
  ],
  [
    'one id for two calls',
    [
      [
        { index: 0, id: 'a', ...fn('f', '{}') },
        { index: 1, id: 'a', ...fn('f', '{}') },
      ],
    ],
    ['a f {}', 'call_0002 f {}'],
  ],
  ['arguments that are an object', [[{ index: 0, id: 'a', ...fn('f', { x: 1 }) }]], ['a f {"x":1}']],
  ['no arguments', [[{ index: 0, id: 'a', ...fn('f') }]], ['a f {}']],
])('%s', async (_, fragments, expected) => {
  expect(await callsOf(fragments)).toEqual(expected);
});

test('the older form of a call', async () => {
  const chunks = [
    event({ function_call: { name: 'f', arguments: '{"x"' } }),
    event({ function_call: { arguments: ':1}' } }),
    event({}, 'function_call'),
  ];
  const { text } = await drained(await streamed(chunks));
  expect(Object(responsesEvents(text).at(-1)).response.output).toMatchObject([
    { name: 'f', arguments: '{"x":1}' },
  ]);
});

test('the first call passes as it comes, although text came before it', async () => {
  const reply = await streamed([
    event({ content: 'Wait' }),
    event({ tool_calls: [{ index: 0, id: 'a', ...fn('f', '{') }] }),
    event({ tool_calls: [{ index: 0, ...fn(undefined, '}') }] }),
    event({}, 'stop'),
  ]);
  const types: string[][] = [];
  for await (const chunk of reply.body)
    types.push(responsesEvents(Buffer.from(chunk).toString()).map((one) => Object(one).type));
  expect(types[1]?.slice(-2)).toEqual([
    'response.output_item.added',
    'response.function_call_arguments.delta',
  ]);
  expect(types[2]).toEqual(['response.function_call_arguments.delta']);
  // Servers that call it a stop are not believed.
  expect(await reply.ended).toMatchObject({ finish: 'calls' });
});

test('what a later call says letter by letter while an earlier one is open comes out in one piece', async () => {
  const letters = [...'{"x":"abcdefgh"}'].map((one) =>
    event({ tool_calls: [{ index: 1, ...fn(undefined, one) }] }),
  );
  const { text } = await drained(
    await streamed([
      event({ tool_calls: [{ index: 0, id: 'a', ...fn('f', '{}') }] }),
      event({ tool_calls: [{ index: 1, id: 'b', ...fn('g', '') }] }),
      ...letters,
      event({}, 'tool_calls'),
    ]),
  );
  const deltas = responsesEvents(text).flatMap((one) => Object(one).delta ?? []);
  expect(deltas).toEqual(['{}', '{"x":"abcdefgh"}']);
});

test('an answer whose choice has another number than 0 is read like any other', async () => {
  const numbered = (text: string) => text.replaceAll('"choices":[{"index":0', '"choices":[{"index":1');
  const chunks = [event({ content: 'Hel' }), event({ content: 'lo' }), event({}, 'stop')].map(numbered);
  const { text } = await drained(await streamed(chunks));
  expect(Object(responsesEvents(text).at(-1)).response.output).toMatchObject([
    { content: [{ text: 'Hello' }] },
  ]);
});
