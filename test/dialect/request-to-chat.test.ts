/** Requests of Responses clients for chat upstreams. */
import { describe, expect, test } from 'vitest';
import { chatTool, refusal, toChat, user, weather } from './requests.ts';

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

  test.each([
    [{ previous_response_id: 'resp_1' }, 'send the whole conversation as "input"'],
    [{ input: [{ type: 'item_reference', id: 'msg_1' }] }, 'send the item itself'],
  ])('what refers to a server’s memory is refused with what to send in its place: %o', (body, instead) => {
    expect(refusal(() => toChat({ input: 'Hi', ...body })).message).toContain(instead);
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
