/** What clients send although no API says so: read as it was meant, or refused with its place. */
import { describe, expect, test } from 'vitest';
import {
  CHAT_CALL_ID_CHARS_MAX,
  INPUT_ITEMS_MAX,
  RESPONSES_CALL_ID_CHARS_MAX,
} from '../../src/core/limits.ts';
import { call, refusal, toChat, toResponses, user } from './requests.ts';

const image = 'data:image/png;base64,AA==';
const asked = (...content: unknown[]) => ({ input: [{ role: 'user', content }] });
const chatParts = (...content: unknown[]) => ({ messages: [{ role: 'user', content }] });
const inputParts = (...content: unknown[]) => ({ input: [{ type: 'message', role: 'user', content }] });

describe('a Responses client', () => {
  test.each<[string, object, object]>([
    ['a text of chat', asked({ type: 'text', text: 'Hi' }), { messages: [user] }],
    [
      'an image of chat',
      asked({ type: 'image_url', image_url: { url: image, detail: 'low' } }),
      chatParts({ type: 'image_url', image_url: { url: image, detail: 'low' } }),
    ],
    [
      'an image of chat that is a text',
      asked({ type: 'image_url', image_url: image }),
      chatParts({ type: 'image_url', image_url: { url: image } }),
    ],
    [
      'an image whose URL is an object',
      asked({ type: 'input_image', image_url: { url: image } }),
      chatParts({ type: 'image_url', image_url: { url: image } }),
    ],
    [
      'a file of chat',
      asked({ type: 'file', file: { file_data: 'AA==', filename: 'f' } }),
      chatParts({ type: 'file', file: { file_data: 'AA==', filename: 'f' } }),
    ],
    [
      'a sound',
      asked({ type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } }),
      chatParts({ type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } }),
    ],
    ['a part without a type', asked({ text: 'Hi' }), { messages: [user] }],
    ['a part that is a text', asked('Hi'), { messages: [user] }],
    ['an item that is a text', { input: ['Hi'] }, { messages: [user] }],
    ['an item with nothing but a text', { input: [{ text: 'Hi' }] }, { messages: [user] }],
    ['an item without a role', { input: [{ type: 'message', content: 'Hi' }] }, { messages: [user] }],
    ['an item without a role or a type', { input: [{ content: 'Hi' }] }, { messages: [user] }],
    ['an item whose role is null', { input: [{ role: null, content: 'Hi' }] }, { messages: [user] }],
    ['a part in place of an item', { input: [{ type: 'input_text', text: 'Hi' }] }, { messages: [user] }],
    [
      'an image in place of an item',
      { input: [{ type: 'input_image', image_url: image }] },
      chatParts({ type: 'image_url', image_url: { url: image } }),
    ],
    ['one item that is no list', { input: { role: 'user', content: 'Hi' } }, { messages: [user] }],
    ['no limit, written as -1', { input: 'Hi', max_output_tokens: -1 }, { messages: [user] }],
  ])('may send %s', (_, body, expected) => {
    expect(toChat(body)).toEqual({ model: 'owned', stream: false, ...expected });
  });

  test.each<[string, object[], object[]]>([
    [
      'a message with calls, and their results',
      [
        { role: 'assistant', content: null, tool_calls: [call, { ...call, id: 'd' }] },
        { role: 'tool', tool_call_id: call.id, content: 'one' },
        { type: 'message', role: 'tool', tool_call_id: 'd', content: [{ type: 'text', text: 'two' }] },
      ],
      [
        { role: 'assistant', content: null, tool_calls: [call, { ...call, id: 'd' }] },
        { role: 'tool', tool_call_id: call.id, content: 'one' },
        { role: 'tool', tool_call_id: 'd', content: 'two' },
      ],
    ],
    [
      'a call behind a text, with arguments that are an object and a result that is one',
      [
        {
          role: 'assistant',
          content: 'Look',
          tool_calls: [{ id: 'c', function: { name: 'f', arguments: { a: 1 } } }],
        },
        { role: 'tool', tool_call_id: 'c', content: { a: 1 } },
      ],
      [
        {
          role: 'assistant',
          content: 'Look',
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: '{"a":1}' },
      ],
    ],
    [
      'a call of the older form, with reasoning',
      [
        { role: 'assistant', reasoning_content: 'Hm', function_call: { name: 'f', arguments: '{}' } },
        { role: 'function', name: 'f', content: 'done' },
      ],
      [
        {
          role: 'assistant',
          content: null,
          reasoning_content: 'Hm',
          tool_calls: [{ id: 'call_0', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'call_0', content: 'done' },
      ],
    ],
    [
      'a result of chat for a call that is an item',
      [
        { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
        { role: 'tool', tool_call_id: 'c', content: 'done' },
      ],
      [
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: 'done' },
      ],
    ],
  ])('may send chat messages among its items: %s', (_, input, messages) => {
    expect(toChat({ input: [user, ...input] })).toMatchObject({ messages: [user, ...messages] });
  });

  test('is told the place of what is wrong in one', () => {
    const error = refusal(() => toChat({ input: [user, { role: 'assistant', tool_calls: [{ id: 'c' }] }] }));
    expect(error.param).toMatch(/^input\[1\]\.tool_calls\[0\]/);
  });

  test.each<[string, unknown, string]>([
    ['an object', { a: [1] }, '{"a":[1]}'],
    ['a number', 7, '7'],
    ['a list of anything', [{ a: 1 }, 2], '[{"a":1},2]'],
    ['parts of no known type', [{ type: 'resource', uri: 'x' }], '[{"type":"resource","uri":"x"}]'],
    ['null', null, ''],
    ['an empty list', [], ''],
  ])('may return %s from a tool', (_, output, content) => {
    const input = [{ type: 'function_call_output', call_id: 'c', output }];
    expect(toChat({ input })).toMatchObject({ messages: [{ role: 'tool', tool_call_id: 'c', content }] });
  });

  test('has no more items than can be read in time', () => {
    const items = (count: number) => ({ input: Array.from({ length: count }, () => user) });
    expect(toChat(items(INPUT_ITEMS_MAX))).toMatchObject({ model: 'owned' });
    const error = refusal(() => toChat(items(INPUT_ITEMS_MAX + 1)));
    expect(error).toMatchObject({ code: 'bad_request', status: 400, param: 'input' });
    expect(error.message).toContain(`${INPUT_ITEMS_MAX} items`);
  });
});

describe('a chat client', () => {
  const text = { type: 'input_text', text: 'Hi' };
  const message = { type: 'message', role: 'user', content: [text] };
  test.each<[string, object, object]>([
    ['a text of Responses', chatParts(text), inputParts(text)],
    [
      'an image of Responses',
      chatParts({ type: 'input_image', image_url: image, detail: 'low' }),
      inputParts({ type: 'input_image', image_url: image, detail: 'low' }),
    ],
    [
      'a file of Responses',
      chatParts({ type: 'input_file', file_url: 'https://example.org/f', filename: 'f' }),
      inputParts({ type: 'input_file', file_url: 'https://example.org/f', filename: 'f' }),
    ],
    ['a message without a role', { messages: [{ content: 'Hi' }] }, { input: [message] }],
    ['no limit, written as -1', { messages: [user], max_tokens: -1 }, { input: [message] }],
    ['no limit, written as 0', { messages: [user], max_tokens: 0 }, { input: [message] }],
    [
      'calls without a type and results as objects',
      {
        messages: [
          {
            role: 'assistant',
            content: null,
            tool_calls: [{ id: 'c', function: { name: 'f', arguments: { a: 1 } } }],
          },
          { role: 'tool', tool_call_id: 'c', content: { ok: true } },
        ],
      },
      {
        input: [
          { type: 'function_call', call_id: 'c', name: 'f', arguments: '{"a":1}' },
          { type: 'function_call_output', call_id: 'c', output: '{"ok":true}' },
        ],
      },
    ],
    [
      'calls and results without ids',
      {
        messages: [
          { role: 'assistant', tool_calls: [{ function: { name: 'f' } }, { function: { name: 'g' } }] },
          { role: 'tool', content: 'of f' },
          { role: 'tool', content: 'of g' },
        ],
      },
      {
        input: [
          { type: 'function_call', call_id: 'call_0_0', name: 'f', arguments: '{}' },
          { type: 'function_call', call_id: 'call_0_1', name: 'g', arguments: '{}' },
          { type: 'function_call_output', call_id: 'call_0_0', output: 'of f' },
          { type: 'function_call_output', call_id: 'call_0_1', output: 'of g' },
        ],
      },
    ],
  ])('may send %s', (_, body, expected) => {
    expect(toResponses(body)).toEqual({ model: 'owned', stream: false, store: false, ...expected });
  });

  test('has no more messages than can be read in time', () => {
    const error = refusal(() =>
      toResponses({ messages: Array.from({ length: INPUT_ITEMS_MAX + 1 }, () => user) }),
    );
    expect(error).toMatchObject({ code: 'bad_request', status: 400, param: 'messages' });
  });
});

test('an id that is too long is the same short one for the call and its result', () => {
  const id = 'call_'.padEnd(200, 'x');
  const input = Object(
    toResponses({
      messages: [
        { role: 'assistant', tool_calls: [{ ...call, id }, call] },
        { role: 'tool', tool_call_id: id, content: 'a' },
      ],
    }),
  ).input;
  expect(input[0].call_id).toHaveLength(RESPONSES_CALL_ID_CHARS_MAX);
  expect(input[2].call_id).toBe(input[0].call_id);
  expect(input[1].call_id).toBe('call_1');

  const { messages } = Object(
    toChat({
      input: [
        { type: 'function_call', call_id: id, name: 'f', arguments: '{}' },
        { type: 'function_call_output', call_id: id, output: 'a' },
      ],
    }),
  );
  expect(messages[0].tool_calls[0].id).toHaveLength(CHAT_CALL_ID_CHARS_MAX);
  expect(messages[1].tool_call_id).toBe(messages[0].tool_calls[0].id);
});

test('what systems and developers say before all else is one message, what they say later stays there', () => {
  const body = {
    instructions: 'I',
    input: [
      { role: 'developer', content: 'D' },
      { role: 'system', content: 'S' },
      user,
      { role: 'developer', content: 'E' },
    ],
  };
  expect(toChat(body)).toMatchObject({
    messages: [{ role: 'system', content: 'I\n\nD\n\nS' }, user, { role: 'system', content: 'E' }],
  });
});
