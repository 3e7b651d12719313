/** A stream whose owner asked for usage and whose client did not: the client sees what it would have seen without. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withoutUsage } from '../../../src/upstream/compat/without-usage.ts';

const head = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm' };
const delta = { choices: [{ index: 0, delta: { content: 'é' }, finish_reason: null }] };
const finish = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
const event = (...members: readonly object[]) =>
  `data: ${JSON.stringify(Object.assign({}, head, ...members))}\n\n`;
const DONE = 'data: [DONE]\n\n';

const trimmed = (text: string) => Buffer.from(withoutUsage(Buffer.from(text))).toString();

test.each([
  ['text', event(delta)],
  ['a finish that has the usage itself', event(finish, { usage })],
  ['usage of a server that counts as it goes', event(delta, { usage })],
  ['a first chunk without choices', event({ choices: [], prompt_filter_results: [] })],
  ['words about it', event({ choices: [{ delta: { content: '"usage":null {"choices":[],"usage":{}}' } }] })],
  ['a comment and what is no JSON', ': "usage": {\n\ndata: {"choices":[],"usage":{\n\n'],
  ['the end', DONE],
])('%s passes as the very same bytes', (_, text) => {
  const bytes = Buffer.from(text);
  expect(withoutUsage(bytes)).toBe(bytes);
});

test.each([
  ['the chunk of the usage alone', event({ choices: [], usage }), ''],
  ['the chunk between others', event(finish) + event({ choices: [], usage }) + DONE, event(finish) + DONE],
  [
    'it with other line ends',
    'data: {"choices":[], "usage": {"a":1} }\r\n\r\ndata: [DONE]\r\n\r\n',
    'data: [DONE]\r\n\r\n',
  ],
  [
    'null in each chunk, as OpenAI has it',
    event(delta, { usage: null }) + event(finish, { usage: null }),
    event(delta) + event(finish),
  ],
  ['null as the first member', 'data: {"usage":null,"choices":[]}\n\n', 'data: {"choices":[]}\n\n'],
  ['null as the only member', 'data: {"usage":null}\n\n', 'data: {}\n\n'],
  ['null and the chunk', event(finish, { usage: null }) + event({ choices: [], usage }), event(finish)],
])('%s is taken out, and nothing else', (_, text, kept) => {
  expect(trimmed(text)).toBe(kept);
});

test('events that cannot be told apart are kept', () => {
  const text = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\r\ndata: {"choices":[],"usage":{}}\n\r\n';
  expect(trimmed(text)).toBe(text);
});

test('whatever events come, those with choices stay as they are', () => {
  const some = fc.constantFrom(event(delta), event(finish, { usage }), DONE, ': ping\n\n');
  const gone = event({ choices: [], usage });
  fc.assert(
    fc.property(fc.array(fc.oneof(some, fc.constant(gone))), (events) => {
      expect(trimmed(events.join(''))).toBe(events.filter((one) => one !== gone).join(''));
    }),
  );
});
