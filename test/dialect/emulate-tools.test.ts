/** The tools of Responses clients, Codex's before all, against an upstream that speaks chat. */
import { describe, expect, test } from 'vitest';
import { emulated } from '../../src/dialect/emulate/emulation.ts';
import { responses } from '../../src/dialect/responses.ts';
import { translate } from '../../src/dialect/translate.ts';
import { aCall, cardOf, countingTools, drained, ScriptedUpstream } from './scripted.ts';
import { z } from 'zod';
import { responsesEvents } from '../support/sse-text.ts';

const signal = new AbortController().signal;

const Events = z.array(
  z.object({
    type: z.string(),
    delta: z.string().optional(),
    item: z.unknown().optional(),
    response: z.unknown().optional(),
  }),
);

/** What a chat server answers with: one call, its arguments in these pieces. */
function chatCall(name: string, pieces: readonly string[]): string[] {
  const chunk = (delta: object, finish: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const head = { index: 0, id: 'call_1', type: 'function', function: { name, arguments: '' } };
  return [
    chunk({ role: 'assistant', tool_calls: [head] }),
    ...pieces.map((piece) => chunk({ tool_calls: [{ index: 0, function: { arguments: piece } }] })),
    chunk({}, 'tool_calls'),
    'data: [DONE]\n\n',
  ];
}

function wholeCall(name: string, input: string): string {
  const call = { id: 'call_1', type: 'function', function: { name, arguments: input } };
  const message = { role: 'assistant', content: null, tool_calls: [call] };
  return JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'tool_calls' }] });
}

async function asked(body: object, script: readonly string[] = [], stream = true) {
  const upstream = new ScriptedUpstream({ chunks: script });
  const answer = translate(upstream.answer, 'responses', cardOf('chat'), countingTools());
  const reply = await answer(aCall('responses', { model: 'm', input: 'Hi', ...body }, stream), signal);
  return { sent: upstream.request, reply, leftOut: reply.headers['x-clawmatrix-left-out'] };
}

/** The item that the client gets for a call, from a stream and whole: it must be the same. */
async function restored(body: object, name: string, input: string) {
  const streamed = await asked(body, chatCall(name, pieces(input)));
  const events = Events.parse(responsesEvents((await drained(streamed.reply)).text));
  const whole = await asked(body, [wholeCall(name, input)], false);
  const { output } = JSON.parse((await drained(whole.reply)).text);
  const { id: _, ...item } = output[0];
  const done = events.find(({ type }) => type === 'response.output_item.done');
  expect(done?.item).toMatchObject(item);
  expect(events.at(-1)?.response).toMatchObject({ status: 'completed', output: [item] });
  return { item, events };
}

/** Split inside of everything. */
function pieces(text: string): string[] {
  return [...Array(Math.ceil(text.length / 3)).keys()].map((at) => text.slice(at * 3, at * 3 + 3));
}

const fn = (name: string, more: object = {}) => ({ type: 'function', name, parameters: null, ...more });
const wireFn = (name: string, more: object = {}) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: {} }, ...more },
});
const custom = { type: 'custom', name: 'apply_patch', description: 'Edits files.' };
const lark = { type: 'grammar', syntax: 'lark', definition: 'start: "*** Begin"' };
const takesInput = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
  additionalProperties: false,
};
const namespace = {
  type: 'namespace',
  name: 'agents',
  description: 'Helpers.',
  tools: [fn('spawn', { description: 'Starts one.', strict: false }), fn('wait'), custom],
};

describe('what the upstream is told', () => {
  const long = 'n'.repeat(60);
  const rows: [string, object, object, string | undefined][] = [
    [
      'parameters that are null are an empty object, and strict goes only where it is one of two',
      { tools: [fn('a', { strict: 'yes' }), fn('b', { strict: true }), fn('c', { strict: null })] },
      { tools: [wireFn('a'), wireFn('b', { strict: true }), wireFn('c')] },
      undefined,
    ],
    [
      'tools of a namespace are functions with both names, and it is described once',
      { tools: [fn('a'), namespace] },
      {
        tools: [
          wireFn('a'),
          wireFn('agents__spawn', { description: 'Helpers.\n\nStarts one.', strict: false }),
          wireFn('agents__wait'),
          {
            type: 'function',
            function: { name: 'agents__apply_patch', description: 'Edits files.', parameters: takesInput },
          },
        ],
      },
      undefined,
    ],
    [
      'a custom tool is a function with one text, its grammar in the description',
      { tools: [custom, { ...custom, name: 'exec', description: undefined, format: lark }] },
      {
        tools: [
          {
            type: 'function',
            function: { name: 'apply_patch', description: 'Edits files.', parameters: takesInput },
          },
          {
            type: 'function',
            function: {
              name: 'exec',
              description: '"input" must be a text of this grammar (lark):\nstart: "*** Begin"',
              parameters: takesInput,
            },
          },
        ],
      },
      undefined,
    ],
    [
      'calls of the conversation are told as the tools are',
      {
        input: [
          { type: 'function_call', call_id: 'c1', namespace: 'agents', name: 'spawn', arguments: '{"a":1}' },
          { type: 'custom_tool_call', call_id: 'c2', name: 'apply_patch', input: 'say "hi"\n' },
          { type: 'custom_tool_call', call_id: 'c3', namespace: 'agents', name: 'apply_patch', input: '' },
          { type: 'function_call_output', call_id: 'c1', output: 'one' },
          { type: 'custom_tool_call_output', call_id: 'c2', output: 'two' },
          { type: 'custom_tool_call_output', call_id: 'c3', output: 'three' },
        ],
        tools: [namespace, custom],
      },
      {
        messages: [
          {
            role: 'assistant',
            tool_calls: [
              { id: 'c1', type: 'function', function: { name: 'agents__spawn', arguments: '{"a":1}' } },
              {
                id: 'c2',
                type: 'function',
                function: { name: 'apply_patch', arguments: '{"input":"say \\"hi\\"\\n"}' },
              },
              {
                id: 'c3',
                type: 'function',
                function: { name: 'agents__apply_patch', arguments: '{"input":""}' },
              },
            ],
          },
          { role: 'tool', tool_call_id: 'c1', content: 'one' },
          { role: 'tool', tool_call_id: 'c2', content: 'two' },
          { role: 'tool', tool_call_id: 'c3', content: 'three' },
        ],
      },
      undefined,
    ],
    [
      'a declared name is not taken by a namespace, and no name is too long or of odd letters',
      {
        tools: [
          fn('agents__wait'),
          namespace,
          { type: 'namespace', name: long, tools: [fn('long')] },
          { type: 'namespace', name: 'a.b', tools: [fn('x')] },
        ],
      },
      {
        tools: [
          { function: { name: 'agents__wait' } },
          { function: { name: 'agents__spawn' } },
          { function: { name: expect.stringMatching(/^agents__wait_[0-9a-f]{8}$/) } },
          { function: { name: 'agents__apply_patch' } },
          { function: { name: expect.stringMatching(/^n{55}_[0-9a-f]{8}$/) } },
          { function: { name: expect.stringMatching(/^a_b__x_[0-9a-f]{8}$/) } },
        ],
      },
      undefined,
    ],
    [
      'tools that are handed in on the way are offered with the others, those found twice once',
      {
        input: [
          { type: 'additional_tools', role: 'developer', tools: [fn('b'), namespace] },
          { role: 'user', content: 'Hi' },
          { type: 'tool_search_call', call_id: 's1', arguments: {} },
          {
            type: 'tool_search_output',
            call_id: 's1',
            tools: [{ type: 'namespace', name: 'agents', tools: [fn('close'), fn('wait')] }, fn('a')],
          },
        ],
        tools: [fn('a', { defer_loading: true }), { type: 'tool_search' }],
      },
      {
        messages: [{ role: 'user', content: 'Hi' }],
        tools: ['a', 'b', 'agents__spawn', 'agents__wait', 'agents__apply_patch', 'agents__close'].map(
          (name) => ({ function: { name } }),
        ),
      },
      'tools[1]',
    ],
    [
      'what a provider runs is left out, and so is what it did',
      {
        input: [
          { type: 'web_search_call', id: 'ws_1', status: 'completed' },
          { role: 'user', content: 'Hi' },
        ],
        tools: [
          ...['web_search', 'file_search', 'mcp', 'image_generation', 'code_interpreter'].map((type) => ({
            type,
          })),
          ...['computer', 'local_shell', 'shell', 'apply_patch'].map((type) => ({ type })),
          { type: 'namespace', name: 'n', tools: [{ type: 'mcp', server_label: 'x' }] },
          fn('a'),
        ],
      },
      { messages: [{ role: 'user', content: 'Hi' }], tools: [wireFn('a')] },
      `${[0, 1, 2, 3, 4, 5, 6, 7, 8].map((at) => `tools[${at}]`).join(', ')}, tools[9].tools[0], web_search_call`,
    ],
    [
      'a choice of a custom tool and one of a namespace is a choice of its function',
      { tools: [namespace], tool_choice: { type: 'custom', name: 'apply_patch', namespace: 'agents' } },
      { tool_choice: { type: 'function', function: { name: 'agents__apply_patch' } } },
      undefined,
    ],
    [
      'a choice of what was left out is open',
      { tools: [fn('a'), { type: 'web_search' }], tool_choice: { type: 'web_search' } },
      { tools: [wireFn('a')], tool_choice: 'auto' },
      'tools[1], tool_choice',
    ],
    [
      'allowed tools are a shorter list with their mode, a namespace as a whole or by its tools',
      {
        tools: [fn('a'), fn('b'), namespace, custom, { type: 'web_search' }],
        tool_choice: {
          type: 'allowed_tools',
          mode: 'required',
          tools: [
            { type: 'function', name: 'b' },
            { type: 'function', name: 'wait', namespace: 'agents' },
            { type: 'custom', name: 'apply_patch' },
          ],
        },
      },
      {
        tools: ['b', 'agents__wait', 'apply_patch'].map((name) => ({ function: { name } })),
        tool_choice: 'required',
      },
      undefined,
    ],
    [
      'a tool must be called, and none is left: the choice is left out too',
      { tools: [{ type: 'web_search' }], tool_choice: 'required' },
      { tools: undefined, tool_choice: undefined },
      'tools[0], tool_choice',
    ],
  ];
  test.each(rows)('%s', async (_, body, expected, names) => {
    const { sent, leftOut } = await asked(body);
    expect({ tools: undefined, tool_choice: undefined, ...sent }).toMatchObject(expected);
    expect(leftOut).toBe(names);
    for (const { function: named } of Array.isArray(sent.tools) ? sent.tools : [])
      expect(named.name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  });

  test('nothing of a custom tool, a namespace or a hosted tool is left for a dialect that knows none', () => {
    const call = {
      type: 'custom_tool_call',
      call_id: 'c1',
      namespace: 'agents',
      name: 'apply_patch',
      input: 'x',
    };
    const result = { type: 'custom_tool_call_output', call_id: 'c1', output: 'y' };
    const search = { type: 'tool_search_output', call_id: 's1', tools: [fn('found')] };
    const tools = [namespace, custom, { type: 'mcp', server_label: 's' }];
    const tool_choice = { type: 'custom', name: 'apply_patch', namespace: 'agents' };
    const body = { model: 'm', input: [call, search, result], tools, tool_choice };
    const { request } = emulated(responses.readRequest(body), new Set());
    expect(JSON.stringify(request)).not.toMatch(/"custom"|"namespace"|"hosted"|addedTools/);
    expect(request.tools).toHaveLength(5);
  });

  test('the same tool has the same name in the next turn, whatever is declared then', async () => {
    const name = 'x'.repeat(70);
    const tools = [{ type: 'namespace', name: 'ns', tools: [fn(name)] }];
    const first = await asked({ tools });
    const call = { type: 'function_call', call_id: 'c1', namespace: 'ns', name, arguments: '{}' };
    const second = await asked({
      input: [call, { type: 'function_call_output', call_id: 'c1', output: '' }],
    });
    const [{ function: declared }] = Object(first.sent.tools);
    const [{ tool_calls: calls }] = Object(second.sent.messages);
    expect(calls[0].function.name).toBe(declared.name);
  });
});

describe('what the client gets back', () => {
  test.each([
    ['agents__spawn', { type: 'function_call', name: 'spawn', namespace: 'agents', arguments: '{"a":1}' }],
    ['own__spawn', { type: 'function_call', name: 'own__spawn', arguments: '{"a":1}' }],
  ])('a call of %s names its tool as it was declared', async (name, expected) => {
    const { item } = await restored({ tools: [namespace, fn('own__spawn')] }, name, '{"a":1}');
    expect(item).toEqual({ ...expected, status: 'completed', call_id: 'call_1' });
  });

  const text = '*** Begin Patch\n"\\ \t é 𝄞 </script>\n*** End';
  test.each([
    ['a text', JSON.stringify({ input: text }), text],
    ['a text in escapes', '{"input":"\\ud834\\udd1e\\u00e9\\/\\n"}', '𝄞é/\n'],
    ['with spaces and another member', ' { "more": 1, "input" : "x" } ', 'x'],
    ['an empty text', '{"input":""}', ''],
    ['nothing', '', ''],
    ['no JSON: as it is', '*** Begin "Patch"', '*** Begin "Patch"'],
    ['JSON without a text: as it is', '{"patch":"x"}', '{"patch":"x"}'],
    ['half of it: as it is', '{"input":"abc', '{"input":"abc'],
  ])('the input of a custom tool is the text that was meant: %s', async (_, given, expected) => {
    const { item, events } = await restored({ tools: [custom] }, 'apply_patch', given);
    expect(item).toEqual({
      type: 'custom_tool_call',
      status: 'completed',
      call_id: 'call_1',
      name: 'apply_patch',
      input: expected,
    });
    const deltas = events.filter(({ type }) => type === 'response.custom_tool_call_input.delta');
    expect(deltas.length).toBeGreaterThan(0);
    expect(deltas.map(({ delta }) => delta).join('')).toBe(expected);
  });

  test('a custom tool inside a namespace has both back', async () => {
    const { item } = await restored({ tools: [namespace] }, 'agents__apply_patch', '{"input":"x"}');
    expect(item).toMatchObject({
      type: 'custom_tool_call',
      name: 'apply_patch',
      namespace: 'agents',
      input: 'x',
    });
  });

  test('the response repeats what the client sent, not what became of it', async () => {
    const body = {
      tools: [fn('a'), namespace, { type: 'web_search' }],
      tool_choice: { type: 'function', name: 'wait', namespace: 'agents' },
    };
    const { events } = await restored(body, 'a', '{}');
    expect(events.at(-1)?.response).toMatchObject({
      tools: [{ type: 'function', name: 'a', description: null, parameters: null, strict: null }],
      tool_choice: body.tool_choice,
    });
  });
});
