/** Requests, from each dialect into the other. */
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import { shapes } from '../../src/dialect/dialects.ts';

function translated(from: Dialect, to: Dialect, body: object): unknown {
  return shapes[to].writeRequest(shapes[from].readRequest({ model: 'm', ...body }), 'owned');
}

function toChat(body: object): unknown {
  return translated('responses', 'chat', body);
}

function toResponses(body: object): unknown {
  return translated('chat', 'responses', body);
}

function refusal(run: () => unknown): ClawError {
  try {
    run();
  } catch (error) {
    if (error instanceof ClawError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const weather = {
  name: 'weather',
  description: 'of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
};
const user = { role: 'user', content: 'Hi' };
const chatTool = { type: 'function', function: weather };
const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } };

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
        include: ['message.output_text.logprobs'],
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

  test('seed, logit_bias and penalties are left out', () => {
    const sent = toResponses({ messages: [user], seed: 1, logit_bias: { 1: 2 }, presence_penalty: 1 });
    expect(Object.keys(Object(sent)).sort()).toEqual(['input', 'model', 'store', 'stream']);
  });

  test.each([
    ['n', { n: 2 }],
    ['stop', { stop: ['x'] }],
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

describe('Responses into chat', () => {
  const fc = { type: 'function_call', call_id: 'c1', name: 'weather', arguments: '{"city":"Rome"}' };
  const rows: [string, object, object][] = [
    [
      'instructions come first, developers are systems, a plain input is the user',
      { instructions: 'I', input: 'Hi' },
      { messages: [{ role: 'system', content: 'I' }, user] },
    ],
    [
      'an item without a type is a message, null content is empty',
      {
        input: [
          { role: 'developer', content: 'D' },
          { role: 'user', content: null },
        ],
      },
      {
        messages: [
          { role: 'system', content: 'D' },
          { role: 'user', content: '' },
        ],
      },
    ],
    [
      'images and files become parts',
      {
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_text', text: 'Look' },
              { type: 'input_image', image_url: 'https://example.org/a.png', detail: 'low' },
              { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' },
            ],
          },
        ],
      },
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Look' },
              { type: 'image_url', image_url: { url: 'https://example.org/a.png', detail: 'low' } },
              { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' } },
            ],
          },
        ],
      },
    ],
    [
      'reasoning, text and calls in a row are one assistant message, results follow it',
      {
        input: [
          { role: 'user', content: 'Hi' },
          {
            type: 'reasoning',
            id: 'rs_1',
            summary: [{ type: 'summary_text', text: 'hm' }],
            encrypted_content: null,
          },
          { role: 'assistant', content: [{ type: 'output_text', text: 'Wait' }] },
          fc,
          { ...fc, call_id: 'c2', arguments: '' },
          { type: 'web_search_call', id: 'ws_1', status: 'completed' },
          { type: 'function_call_output', call_id: 'c1', output: 'sun' },
          { type: 'function_call_output', call_id: 'c2', output: [{ type: 'input_text', text: 'rain' }] },
        ],
      },
      {
        messages: [
          user,
          {
            role: 'assistant',
            content: 'Wait',
            reasoning_content: 'hm',
            tool_calls: [
              { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
              { id: 'c2', type: 'function', function: { name: 'weather', arguments: '{}' } },
            ],
          },
          { role: 'tool', tool_call_id: 'c1', content: 'sun' },
          { role: 'tool', tool_call_id: 'c2', content: 'rain' },
        ],
      },
    ],
    [
      'an image that a tool returned comes behind the last result, from the user',
      {
        input: [
          fc,
          { ...fc, call_id: 'c2' },
          {
            type: 'function_call_output',
            call_id: 'c1',
            output: [
              { type: 'input_text', text: 'seen' },
              { type: 'input_image', image_url: 'data:image/png;base64,AA==' },
            ],
          },
          { type: 'function_call_output', call_id: 'c2', output: 'b' },
          { role: 'user', content: 'Well?' },
        ],
      },
      {
        messages: [
          { role: 'assistant', content: null },
          { role: 'tool', tool_call_id: 'c1', content: 'seen\n[image: in the next user message]' },
          { role: 'tool', tool_call_id: 'c2', content: 'b' },
          {
            role: 'user',
            content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }],
          },
          { role: 'user', content: 'Well?' },
        ],
      },
    ],
    [
      'tools lose the hosted ones, and a choice among those is auto',
      {
        input: 'Hi',
        tools: [{ type: 'function', ...weather, strict: null }, { type: 'web_search' }],
        tool_choice: { type: 'web_search' },
        parallel_tool_calls: true,
      },
      { tools: [chatTool], tool_choice: 'auto', parallel_tool_calls: true },
    ],
    [
      'allowed tools are a shorter list',
      {
        input: 'Hi',
        tools: [
          { type: 'function', ...weather },
          { type: 'function', ...weather, name: 'other' },
        ],
        tool_choice: {
          type: 'allowed_tools',
          mode: 'required',
          tools: [{ type: 'function', name: 'weather' }],
        },
      },
      { tools: [chatTool], tool_choice: 'required' },
    ],
    [
      'text.format is response_format; limits, effort and sampling keep their values',
      {
        input: 'Hi',
        text: { format: { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true } },
        max_output_tokens: 99,
        reasoning: { effort: 'low', summary: 'auto' },
        temperature: 0.1,
        top_p: 0.5,
        include: ['message.output_text.logprobs'],
        top_logprobs: 3,
      },
      {
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'n', schema: { type: 'object' }, strict: true },
        },
        max_tokens: 99,
        reasoning_effort: 'low',
        temperature: 0.1,
        top_p: 0.5,
        logprobs: true,
        top_logprobs: 3,
      },
    ],
    [
      'a stream asks for the usage that its last event needs',
      { input: 'Hi', stream: true },
      { stream: true, stream_options: { include_usage: true } },
    ],
  ];
  test.each(rows)('%s', (_, body, expected) => {
    expect(toChat(body)).toMatchObject({ model: 'owned', ...expected });
  });

  test('parallel_tool_calls and the choice go with the tools', () => {
    const sent = toChat({
      input: 'Hi',
      tools: [{ type: 'web_search' }],
      tool_choice: 'auto',
      parallel_tool_calls: true,
    });
    expect(Object.keys(Object(sent)).sort()).toEqual(['messages', 'model', 'stream']);
  });

  test.each([
    ['previous_response_id', { previous_response_id: 'resp_1' }],
    ['conversation', { conversation: 'conv_1' }],
    ['prompt', { prompt: { id: 'p' } }],
    ['background', { background: true }],
    ['input[0].id', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    ['input[0]', { input: [{ type: 'compaction', encrypted_content: 'x' }] }],
    [
      'input[0].content[0].file_url',
      { input: [{ role: 'user', content: [{ type: 'input_file', file_url: 'https://x' }] }] },
    ],
    [
      'input[0].content[0].file_id',
      { input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'f' }] }] },
    ],
  ])('%s is refused by its name', (param, body) => {
    const error = refusal(() => toChat({ input: 'Hi', ...body }));
    expect(error).toMatchObject({ code: 'unsupported_parameter', status: 400, param });
  });

  test('parameters that only steer, and null for all others, are no fault', () => {
    const body = {
      input: [
        { type: 'item_reference', id: 'rs_1' },
        { role: 'user', content: 'Hi' },
      ],
      previous_response_id: null,
      conversation: null,
      prompt: null,
      background: false,
      include: ['reasoning.encrypted_content'],
      truncation: 'auto',
      client_metadata: { a: 1 },
      context_management: [],
    };
    expect(toChat(body)).toEqual({ model: 'owned', stream: false, messages: [user] });
  });

  test.each([
    ['input', { input: 5 }],
    ['input[0]', { input: [{}] }],
    ['input[1].call_id', { input: [user, { type: 'function_call', name: 'x' }] }],
    ['input[0].content[0].type', { input: [{ role: 'user', content: [{ type: 'smell' }] }] }],
    ['tools[0].name', { input: 'Hi', tools: [{ type: 'function' }] }],
  ])('a fault at %s is named', (param, body) => {
    expect(refusal(() => toChat(body))).toMatchObject({ code: 'bad_request', param });
  });
});
