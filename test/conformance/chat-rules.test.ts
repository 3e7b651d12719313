/** The checker of chat streams itself: it lets good ones through, and finds every breach. */
import { describe, expect, test } from 'vitest';
import { checkChatStream } from '../support/chat-rules.ts';
import { checkStream } from '../support/checked-streams.ts';
import { RuleBreach } from '../support/responses-rules.ts';

const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' };

function chunk(delta: object, finish_reason: string | null = null, more: object = {}): object {
  return { ...head, choices: [{ index: 0, delta, finish_reason }], ...more };
}

function call(index: number, rest: object): object {
  return chunk({ tool_calls: [{ index, ...rest }] });
}

const role = chunk({ role: 'assistant', content: '' });
const begun = call(0, { id: 'call_a', type: 'function', function: { name: 'f', arguments: '' } });
const usage = { ...head, choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } };
const error = { error: { message: 'm', type: null, param: null, code: null } };

test.each<[string, readonly unknown[]]>([
  ['a text with usage', [role, chunk({ content: 'a' }), chunk({}, 'stop'), usage, '[DONE]']],
  ['a call', [role, begun, call(0, { function: { arguments: '{}' } }), chunk({}, 'tool_calls'), '[DONE]']],
  ['a call that was cut', [role, begun, chunk({}, 'length'), '[DONE]']],
  ['an error', [role, chunk({ content: 'a' }), error]],
  ['an error, and [DONE] behind it', [role, error, '[DONE]']],
  ['a sign of life before its beginning', [chunk({}), role, chunk({}, 'stop'), '[DONE]']],
  ['an end without [DONE] is left to the reader', [role, chunk({}, 'stop'), '[DONE]']],
])('a good stream breaks no rule: %s', (_, events) => {
  checkChatStream(events);
});

test.each<[string, readonly unknown[]]>([
  ['no end', [role, chunk({ content: 'a' })]],
  ['[DONE] without a finish', [role, chunk({ content: 'a' }), '[DONE]']],
  ['no role', [chunk({ content: 'a' }), chunk({}, 'stop'), '[DONE]']],
  ['two finishes', [role, chunk({}, 'stop'), chunk({}, 'stop'), '[DONE]']],
  ['text behind the finish', [role, chunk({}, 'stop'), chunk({ content: 'a' }), '[DONE]']],
  ['something behind [DONE]', [role, chunk({}, 'stop'), '[DONE]', role]],
  ['a finish that nobody knows', [role, chunk({}, 'eos'), '[DONE]']],
  ['another id', [role, { ...chunk({}, 'stop'), id: 'chatcmpl-2' }, '[DONE]']],
  ['a chunk of nothing', [role, { ...head, choices: [] }, chunk({}, 'stop'), '[DONE]']],
  ['usage before the finish', [role, usage, chunk({}, 'stop'), '[DONE]']],
  [
    'stop behind a call',
    [role, begun, call(0, { function: { arguments: '{}' } }), chunk({}, 'stop'), '[DONE]'],
  ],
  ['tool_calls without a call', [role, chunk({}, 'tool_calls'), '[DONE]']],
  ['empty arguments', [role, begun, chunk({}, 'tool_calls'), '[DONE]']],
  ['a call without an id', [role, call(0, { type: 'function', function: { name: 'f' } })]],
  ['a call without a name', [role, call(0, { id: 'a', type: 'function', function: { arguments: '{}' } })]],
  ['a call out of order', [role, call(1, { id: 'a', type: 'function', function: { name: 'f' } })]],
  ['an id told twice', [role, begun, call(0, { id: 'call_a', function: { arguments: '{}' } })]],
  [
    'arguments as an object',
    [role, call(0, { id: 'a', type: 'function', function: { name: 'f', arguments: {} } })],
  ],
  ['an error with choices', [role, { ...chunk({}), ...error }]],
  ['an error that is a text', [role, { error: 'm' }]],
  ['an error behind the finish', [role, chunk({}, 'stop'), error]],
  ['more behind an error', [role, error, role]],
])('%s is a breach', (_, events) => {
  expect(() => checkChatStream(events)).toThrow(RuleBreach);
});

describe('what a test reads', () => {
  const text = (...events: readonly unknown[]) =>
    events.map((event) => `data: ${event === '[DONE]' ? event : JSON.stringify(event)}\n\n`).join('');

  test('is judged by the rules of its API, comments aside', () => {
    checkStream(`: ping\n\n${text(role, chunk({}, 'stop'), '[DONE]')}`, true);
    expect(() => checkStream(text(role), true)).toThrow(RuleBreach);
    expect(() => checkStream(text({ type: 'response.created' }), true)).toThrow();
  });

  test('may have any end where it was cut', () => {
    checkStream(`${text(role)}data: {"cho`, false);
  });

  test('is no stream of any API where that is not said', () => {
    expect(() => checkStream(text({ hello: 1 }), true)).toThrow(/uncheckedStreams/);
  });
});
