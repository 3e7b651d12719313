/** Tools in both of OpenAI's forms: what is read of them, and what a client of the other form makes of that. */
import { describe, expect, test } from 'vitest';
import { responses } from '../../src/dialect/responses.ts';
import { translate } from '../../src/dialect/translate.ts';
import { sseEvents } from '../support/sse-text.ts';
import { toResponses, user } from './requests.ts';
import { aCall, cardOf, countingTools, drained, ScriptedUpstream } from './scripted.ts';

const signal = new AbortController().signal;
const parameters = { type: 'object', properties: { a: { type: 'string' } } };

describe('Responses', () => {
  const tools = [
    { type: 'function', name: 'f', description: 'd', parameters, strict: true },
    { type: 'function', name: 'g', parameters: null, strict: false, defer_loading: true },
    { type: 'custom', name: 'c', format: { type: 'text' } },
    { type: 'custom', name: 'k', format: { type: 'grammar', syntax: 'regex', definition: '.*' } },
    {
      type: 'namespace',
      name: 'n',
      description: 'd',
      tools: [
        { type: 'function', name: 'f', parameters, strict: false },
        { type: 'custom', name: 'c', defer_loading: true },
        { type: 'mcp', server_label: 's', headers: { a: 'b' } },
      ],
    },
    { type: 'tool_search' },
    { type: 'web_search', filters: { allowed_domains: ['example.org'] } },
  ];
  const input = [
    { type: 'additional_tools', role: 'developer', tools: [tools[0]] },
    { type: 'function_call', call_id: 'c1', name: 'f', namespace: 'n', arguments: '{}' },
    { type: 'custom_tool_call', call_id: 'c2', name: 'c', namespace: 'n', input: 'x' },
    { type: 'function_call_output', call_id: 'c1', output: 'y' },
    { type: 'custom_tool_call_output', call_id: 'c2', output: 'z' },
  ];

  test.each([
    'none',
    { type: 'function', name: 'f', namespace: 'n' },
    { type: 'custom', name: 'c' },
    { type: 'web_search' },
    {
      type: 'allowed_tools',
      mode: 'auto',
      tools: [
        { type: 'custom', name: 'c', namespace: 'n' },
        { type: 'mcp', server_label: 's' },
      ],
    },
  ])('says its tools and the choice among them as they were read: %j', (tool_choice) => {
    const body = { model: 'm', input, tools, tool_choice };
    expect(responses.writeRequest(responses.readRequest(body), 'm')).toMatchObject({
      input,
      tools,
      tool_choice,
    });
  });

  test('a namespace that is none, and tools of types that nobody knows yet, are the provider’s own', () => {
    const odd = [
      { type: 'namespace', tools: 5 },
      { type: 'telepathy', name: 5 },
    ];
    const read = responses.readRequest({ model: 'm', input: 'Hi', tools: odd });
    expect(read.tools).toMatchObject([
      { kind: 'hosted', type: 'namespace', param: 'tools[0]' },
      { kind: 'hosted', type: 'telepathy', param: 'tools[1]' },
    ]);
  });
});

describe('chat into Responses', () => {
  test.each([
    [
      'tools keep their kind, and are not strict unless they say so',
      {
        tools: [
          { type: 'function', function: { name: 'f', parameters } },
          { type: 'function', function: { name: 'g', strict: true } },
          { type: 'function', function: { name: 'h', strict: 'no' } },
          { type: 'custom', custom: { name: 'c', format: { type: 'text' } } },
        ],
        tool_choice: { type: 'custom', custom: { name: 'c' } },
      },
      {
        tools: [
          { type: 'function', name: 'f', parameters, strict: false },
          { type: 'function', name: 'g', parameters: null, strict: true },
          { type: 'function', name: 'h', parameters: null, strict: false },
          { type: 'custom', name: 'c', format: { type: 'text' } },
        ],
        tool_choice: { type: 'custom', name: 'c' },
      },
    ],
    [
      'allowed tools go as they are',
      {
        tools: [{ type: 'function', function: { name: 'f', parameters } }],
        tool_choice: {
          type: 'allowed_tools',
          allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'f' } }] },
        },
      },
      { tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'f' }] } },
    ],
    [
      'functions in the older form are tools',
      { functions: [{ name: 'f', parameters }], function_call: { name: 'f' } },
      {
        tools: [{ type: 'function', name: 'f', parameters, strict: false }],
        tool_choice: { type: 'function', name: 'f' },
        parallel_tool_calls: false,
      },
    ],
    [
      'a choice without a tool is no choice',
      { tool_choice: 'required' },
      { tool_choice: undefined, tools: undefined },
    ],
  ])('%s', (_, body, expected) => {
    const sent = toResponses({ messages: [user], ...body });
    expect({ tools: undefined, tool_choice: undefined, ...Object(sent) }).toMatchObject(expected);
  });

  const calls = ['f', 'g'].map((name, index) => {
    return { type: 'function_call', id: name, call_id: `c${index}`, name, arguments: '{"a":1}' };
  });
  const older = { model: 'm', messages: [user], functions: [{ name: 'f', parameters }] };

  test('a call for a client of the older form has that form, whole and in a stream', async () => {
    const response = { id: 'r', object: 'response', status: 'completed', output: calls };
    const completed = `data: ${JSON.stringify({ type: 'response.completed', response })}\n\n`;
    for (const [stream, chunks] of [
      [false, [JSON.stringify(response)]],
      [true, [completed]],
    ] as const) {
      const upstream = new ScriptedUpstream({ chunks });
      const answer = translate(upstream.answer, 'chat', cardOf('responses'), countingTools());
      const { text } = await drained(await answer(aCall('chat', { ...older, stream }, stream), signal));
      const told = stream
        ? sseEvents(text)
            .slice(0, -1)
            .map(({ data }) => JSON.parse(data))
        : [JSON.parse(text)];
      const choices = told.map(({ choices: [choice] }) => choice);
      const parts = choices.map(({ delta, message }) => (delta ?? message).function_call ?? {});
      expect(parts.map(({ name = '' }) => name).join('')).toBe('f');
      expect(parts.map((part) => part.arguments ?? '').join('')).toBe('{"a":1}');
      expect(choices.at(-1).finish_reason).toBe('function_call');
      expect(text).not.toContain('tool_calls');
    }
  });

  test('the call of a custom tool comes back as one', async () => {
    const item = { type: 'custom_tool_call', call_id: 'c1', name: 'c', input: 'x "y"' };
    const reply = { id: 'r', object: 'response', status: 'completed', output: [item] };
    const upstream = new ScriptedUpstream({ chunks: [JSON.stringify(reply)] });
    const answer = translate(upstream.answer, 'chat', cardOf('responses'), countingTools());
    const body = { model: 'm', messages: [user], tools: [{ type: 'custom', custom: { name: 'c' } }] };
    const { text } = await drained(await answer(aCall('chat', body, false), signal));
    expect(JSON.parse(text).choices[0]).toMatchObject({
      message: { tool_calls: [{ id: 'c1', type: 'custom', custom: { name: 'c', input: 'x "y"' } }] },
      finish_reason: 'tool_calls',
    });
  });
});
