/** What servers get wrong in a whole reply, row by row. */
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/call.ts';
import { shapes } from '../../src/dialect/dialects.ts';
import type { Mending } from '../../src/dialect/shape.ts';
import { chatBody, responsesBody } from '../support/openai-bodies.ts';
import { mendingOf } from './mending.ts';

const made = (dialect: Dialect, reply: unknown, more: Partial<Mending> = {}) =>
  shapes[dialect].mendReply?.(reply, mendingOf(more));

const HEAD = { id: 'c1', object: 'chat.completion', created: 5, model: 'm' };
const chat = (message: object, finish_reason: string | null = 'stop', more: object = {}) => ({
  ...HEAD,
  choices: [{ index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason }],
  ...more,
});
const call = (more: object = {}) => ({
  id: 'a',
  type: 'function',
  function: { name: 'look', arguments: '{}' },
  ...more,
});
const calls = (...tool_calls: object[]) => chat({ tool_calls }, 'tool_calls');

describe('chat', () => {
  test.each<[string, object]>([
    ['text', chat({ content: 'Hi', refusal: null })],
    ['no text', chat({ content: null })],
    ['parts', chat({ content: [{ type: 'text', text: 'Hi' }] })],
    ['calls', calls(call(), call({ id: 'b' }))],
    ['a custom call', calls({ id: 'a', type: 'custom', custom: { name: 'run', input: '' } })],
    ['a call of the old kind', chat({ function_call: { name: 'look', arguments: '{}' } }, 'function_call')],
    ['what nobody knows', chat({ content: 'Hi', x: 1 }, 'length', { y: 2, error: null })],
    ['all that our own tests send', Object(chatBody({ text: ['Hi'] }))],
    ['no choice at all', { choices: [] }],
    ['no reply at all', { detail: 'x' }],
  ])('%s: the very same object', (_what, reply) => {
    expect(made('chat', reply)).toEqual({ kind: 'reply', reply });
    expect(Object(made('chat', reply)).reply).toBe(reply);
  });

  test.each<[string, object, object]>([
    [
      'its head',
      { choices: [{ message: { content: 'Hi' } }] },
      { ...chat({ content: 'Hi' }), id: 'chatcmpl-1', created: 99, model: 'own-m' },
    ],
    ['its kind', chat({ content: 'Hi' }, 'stop', { object: '' }), chat({ content: 'Hi' })],
    ['its role', chat({ role: undefined, content: 'Hi' }), chat({ content: 'Hi' })],
    ['content', chat({ content: undefined }), chat({})],
    [
      'its message, and has a delta in its place',
      {
        ...HEAD,
        object: 'chat.completion.chunk',
        choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: 'stop' }],
      },
      chat({ content: 'Hi' }),
    ],
    ['its finish', chat({ content: 'Hi' }, null), chat({ content: 'Hi' })],
    ['an empty finish', chat({ content: 'Hi' }, ''), chat({ content: 'Hi' })],
    ['a finish that is known', chat({ content: 'Hi' }, 'eos'), chat({ content: 'Hi' })],
    [
      'the finish of calls',
      { ...calls(call()), choices: [{ ...calls(call()).choices[0], finish_reason: 'stop' }] },
      calls(call()),
    ],
    [
      'ids and types of calls',
      calls({ function: { name: 'look', arguments: '{}' } }, call({ id: '' })),
      calls(call({ id: 'call_1' }), call({ id: 'call_2' })),
    ],
    ['an id for each call', calls(call(), call()), calls(call(), call({ id: 'call_1' }))],
    [
      'arguments that are a text',
      calls(call({ function: { name: 'look', arguments: { at: 1 } } })),
      calls(call({ function: { name: 'look', arguments: '{"at":1}' } })),
    ],
    [
      'any arguments',
      calls(
        call({ function: { name: 'look', arguments: '' } }),
        call({ id: 'b', function: { name: 'look' } }),
        call({ id: 'c', function: { name: 'look', arguments: null } }),
      ),
      calls(call(), call({ id: 'b' }), call({ id: 'c' })),
    ],
  ])('%s', (_what, reply, out) => {
    const mended = made('chat', JSON.parse(JSON.stringify(reply)));
    expect(mended).toEqual({ kind: 'reply', reply: out });
    expect(made('chat', Object(mended).reply)).toEqual(mended);
    expect(Object(made('chat', reply, { repair: false })).reply).toBe(reply);
  });

  test('usage inside of the choice is told of the whole, too', () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2 };
    const choices = [{ ...chat({ content: 'Hi' }).choices[0], usage }];
    expect(made('chat', { ...HEAD, choices })).toEqual({ kind: 'reply', reply: { ...HEAD, choices, usage } });
  });

  test.each<[string, object, object]>([
    [
      'an error beside its choices',
      chat({ content: '' }, 'error', { error: { message: 'no memory', code: 502 } }),
      { message: 'no memory', code: '502' },
    ],
    [
      'an error in its choice',
      {
        ...HEAD,
        choices: [{ index: 0, message: {}, finish_reason: 'error', error: { message: 'no memory' } }],
      },
      { message: 'no memory' },
    ],
    [
      'a finish that is an error',
      chat({ content: 'x' }, 'network_error'),
      { message: 'the upstream ended the answer with an error' },
    ],
  ])('%s is a failure', (_what, reply, failure) => {
    expect(made('chat', reply)).toMatchObject({ kind: 'failed', failure });
  });
});

describe('responses', () => {
  const response = (...output: object[]) => ({
    id: 'resp_1',
    object: 'response',
    status: 'completed',
    output,
  });
  const message = (more: object = {}) => ({
    id: 'msg_1',
    type: 'message',
    content: [{ type: 'output_text', text: 'Hi', annotations: [] }],
    ...more,
  });
  const fn = (more: object = {}) => ({
    id: 'fc_1',
    type: 'function_call',
    call_id: 'c',
    name: 'look',
    arguments: '{}',
    ...more,
  });

  test.each<[string, object]>([
    ['text and calls', response(message(), fn())],
    ['what nobody knows', response({ id: 'x', type: 'dance_call', steps: [] })],
    ['a call that was cut', response(fn({ arguments: '{"a', status: 'incomplete' }))],
    ['all that our own tests send', Object(responsesBody({ text: ['Hi'] }))],
    ['no reply at all', { output: 'x' }],
  ])('%s: the very same object', (_what, reply) => {
    expect(Object(made('responses', reply)).reply).toBe(reply);
  });

  test.each<[string, object, object]>([
    ['ids', response(message({ id: undefined }), fn({ id: '' })), response(message(), fn({ id: 'fc_2' }))],
    ['content that is a list', response(message({ content: 'Hi' })), response(message())],
    ['content', response(message({ content: null })), response(message({ content: [] }))],
    [
      'a summary',
      response({ id: 'r', type: 'reasoning' }),
      response({ id: 'r', type: 'reasoning', summary: [] }),
    ],
    [
      'arguments that are a text',
      response(fn({ arguments: { at: 1 } })),
      response(fn({ arguments: '{"at":1}' })),
    ],
    ['any arguments', response(fn({ arguments: '' })), response(fn())],
    ['output', { ...response(), output: null }, response()],
    ['a kind', { ...response(message()), object: undefined }, response(message())],
  ])('%s', (_what, reply, out) => {
    const mended = made('responses', JSON.parse(JSON.stringify(reply)));
    expect(mended).toEqual({ kind: 'reply', reply: out });
    expect(made('responses', Object(mended).reply)).toEqual(mended);
    expect(Object(made('responses', reply, { repair: false })).reply).toBe(reply);
  });
});
