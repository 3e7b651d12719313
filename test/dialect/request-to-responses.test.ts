/** Requests of chat clients for Responses upstreams. */
import { describe, expect, test } from 'vitest';
import { shapes } from '../../src/dialect/dialects.ts';
import { call, chatTool, refusal, toResponses, user, weather } from './requests.ts';

describe('chat into Responses', () => {
  const messages = (...list: object[]) => ({ messages: list });
  const text = (value: string) => ({ type: 'input_text', text: value });
  const rows: [string, object, object][] = [
    [
      'system and developer messages stay where they are',
      messages({ role: 'system', content: 'S' }, user, {
        role: 'developer',
        content: [{ type: 'text', text: 'D' }],
      }),
      {
        input: [
          { type: 'message', role: 'system', content: [text('S')] },
          { type: 'message', role: 'user', content: [text('Hi')] },
          { type: 'message', role: 'developer', content: [text('D')] },
        ],
      },
    ],
    [
      'images, files and audio become input parts',
      messages({
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'high' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' } },
          { type: 'file', file: { file_id: 'file-1' } },
          { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
        ],
      }),
      {
        input: [
          {
            type: 'message',
            role: 'user',
            content: [
              text('Look'),
              { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'high' },
              { type: 'input_file', file_data: 'data:application/pdf;base64,AA==', filename: 'a.pdf' },
              { type: 'input_file', file_id: 'file-1' },
              { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
            ],
          },
        ],
      },
    ],
    [
      'an assistant message is a message and one item for each call, its reasoning stays out',
      messages(
        user,
        {
          role: 'assistant',
          content: 'Wait',
          reasoning_content: 'hm',
          tool_calls: [call, { ...call, id: 'call_2' }],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'sun' },
        { role: 'tool', tool_call_id: 'call_2', content: [{ type: 'text', text: 'rain' }] },
      ),
      {
        input: [
          { type: 'message', role: 'user', content: [text('Hi')] },
          {
            type: 'message',
            role: 'assistant',
            content: [{ type: 'output_text', text: 'Wait', annotations: [] }],
          },
          { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Rome"}' },
          { type: 'function_call', call_id: 'call_2', name: 'weather', arguments: '{"city":"Rome"}' },
          { type: 'function_call_output', call_id: 'call_1', output: 'sun' },
          { type: 'function_call_output', call_id: 'call_2', output: 'rain' },
        ],
      },
    ],
    [
      'a refusal stays a refusal',
      messages(user, { role: 'assistant', content: null, refusal: 'No.' }),
      {
        input: [
          { type: 'message', role: 'user', content: [text('Hi')] },
          { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
        ],
      },
    ],
    [
      'the older form of calls is read too',
      {
        ...messages(
          { role: 'assistant', content: null, function_call: { name: 'weather', arguments: '' } },
          { role: 'function', name: 'weather', content: 'sun' },
        ),
        functions: [weather],
        function_call: { name: 'weather' },
      },
      {
        input: [
          { type: 'function_call', call_id: 'call_0', name: 'weather', arguments: '{}' },
          { type: 'function_call_output', call_id: 'call_0', output: 'sun' },
        ],
        tools: [{ type: 'function', ...weather, strict: false }],
        tool_choice: { type: 'function', name: 'weather' },
      },
    ],
    [
      'tools say strict:false where chat said nothing, and null where there are no parameters',
      {
        ...messages(user),
        tools: [
          chatTool,
          { type: 'function', function: { name: 'now', strict: true } },
          {
            type: 'custom',
            custom: {
              name: 'free',
              format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'x' } },
            },
          },
        ],
        tool_choice: { type: 'function', function: { name: 'now' } },
        parallel_tool_calls: false,
      },
      {
        tools: [
          { type: 'function', ...weather, strict: false },
          { type: 'function', name: 'now', parameters: null, strict: true },
          { type: 'custom', name: 'free', format: { type: 'grammar', syntax: 'lark', definition: 'x' } },
        ],
        tool_choice: { type: 'function', name: 'now' },
        parallel_tool_calls: false,
      },
    ],
    [
      'a schema goes into text.format, with a name',
      {
        ...messages(user),
        response_format: { type: 'json_schema', json_schema: { schema: { type: 'object' }, strict: true } },
        verbosity: 'low',
      },
      {
        text: {
          format: { type: 'json_schema', name: 'response', schema: { type: 'object' }, strict: true },
          verbosity: 'low',
        },
      },
    ],
    [
      'so does one beside json_object, as llama.cpp takes it',
      { ...messages(user), response_format: { type: 'json_object', schema: { type: 'object' } } },
      { text: { format: { type: 'json_schema', name: 'response', schema: { type: 'object' } } } },
    ],
    [
      'and one without the object around it',
      { ...messages(user), response_format: { type: 'json_schema', schema: { type: 'object' } } },
      { text: { format: { type: 'json_schema', name: 'response', schema: { type: 'object' } } } },
    ],
    [
      'nothing is stored unless the client says so, and a limit is at least 16',
      { ...messages(user), max_tokens: 5 },
      { store: false, max_output_tokens: 16 },
    ],
    [
      'sampling, reasoning and the rest keep their values',
      {
        ...messages(user),
        temperature: 0.2,
        top_p: 0.9,
        reasoning_effort: 'high',
        max_completion_tokens: 100,
        logprobs: true,
        top_logprobs: 2,
        metadata: { a: 'b' },
        user: 'u',
        prompt_cache_key: 'k',
        service_tier: 'flex',
        store: true,
      },
      {
        temperature: 0.2,
        top_p: 0.9,
        reasoning: { effort: 'high' },
        max_output_tokens: 100,
        include: ['message.output_text.logprobs', 'reasoning.encrypted_content'],
        top_logprobs: 2,
        metadata: { a: 'b' },
        user: 'u',
        prompt_cache_key: 'k',
        service_tier: 'flex',
        store: true,
      },
    ],
    [
      'web_search_options is the web search tool',
      {
        ...messages(user),
        web_search_options: { user_location: { type: 'approximate', approximate: { city: 'Rome' } } },
      },
      { tools: [{ type: 'web_search', user_location: { type: 'approximate', city: 'Rome' } }] },
    ],
  ];
  test.each(rows)('%s', (_, body, expected) => {
    expect(toResponses(body)).toMatchObject({ model: 'owned', ...expected });
  });

  test('reasoning that a provider cannot read again is named as left out', () => {
    const told = { role: 'assistant', content: 'a', reasoning_content: 'hm' };
    const read = shapes.chat.readRequest({ model: 'm', messages: [user, told, user, told] });
    expect(shapes.responses.leftOut(read)).toEqual(['reasoning_content']);
  });

  test('seed, logit_bias and penalties are left out', () => {
    const sent = toResponses({ messages: [user], seed: 1, logit_bias: { 1: 2 }, presence_penalty: 1 });
    expect(Object.keys(Object(sent)).sort()).toEqual(['input', 'model', 'store', 'stream']);
  });

  test.each([
    ['n', { n: 2 }],
    ['modalities', { modalities: ['text', 'audio'] }],
    ['audio', { audio: { voice: 'v' } }],
    ['messages[0].audio', { messages: [{ role: 'assistant', audio: { id: 'a' } }] }],
  ])('%s is refused by its name, as it would change the answer', (param, body) => {
    const error = refusal(() => toResponses({ messages: [user], ...body }));
    expect(error).toMatchObject({ code: 'unsupported_parameter', status: 400, param });
  });

  test.each([
    ['messages', {}],
    ['messages[0].role', { messages: [{ role: 'wizard' }] }],
    ['messages[1].content', { messages: [user, { role: 'user', content: 5 }] }],
    ['messages[0].content[0].text', { messages: [{ role: 'user', content: [{ type: 'text' }] }] }],
    ['messages[0].content[0].type', { messages: [{ role: 'user', content: [{ type: 'smell' }] }] }],
    [
      'messages[0].content[0]',
      { messages: [{ role: 'user', content: [{ type: 'refusal', refusal: 'x' }] }] },
    ],
    ['tools[0].function.name', { messages: [user], tools: [{ type: 'function', function: {} }] }],
    ['temperature', { messages: [user], temperature: 'hot' }],
  ])('a fault at %s is named', (param, body) => {
    expect(refusal(() => toResponses(body))).toMatchObject({ code: 'bad_request', status: 400, param });
  });

  test('the message of a fault says what was expected', () => {
    const error = refusal(() => toResponses({ messages: [user, user, { role: 'user', content: 5 }] }));
    expect(error.message).toBe('messages[2].content: expected string or array');
  });
});
