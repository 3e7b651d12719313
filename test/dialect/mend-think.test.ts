/** `<think>` at the beginning of an answer, as reasoning: where it is asked for. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mendChatReply } from '../../src/dialect/chat/mend/reply.ts';
import { wholeEvents } from '../../src/dialect/framing/sse.ts';
import { bytesText, mended, mendingOf } from './mending.ts';

const HEAD = { id: 'c1', object: 'chat.completion.chunk', created: 5, model: 'm' };
const DONE = 'data: [DONE]\n\n';
const chunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ ...HEAD, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const ROLE = chunk({ role: 'assistant', content: '' });
const END = chunk({}, 'stop') + DONE;
const streamOf = (pieces: readonly string[]) =>
  ROLE + pieces.map((content) => chunk({ content })).join('') + END;

function told(stream: string, more: object = {}) {
  const { text } = mended('chat', bytesText(stream).split(/(?<=\n\n)/), { thinkTags: true, ...more });
  let [thought, answer] = ['', ''];
  const order: string[] = [];
  for (const { data } of wholeEvents(Buffer.from(text, 'latin1'))) {
    if (data === '[DONE]') continue;
    const { delta } = JSON.parse(data).choices[0];
    if (delta.reasoning_content) order.push('thought');
    if (delta.content) order.push('answer');
    thought += delta.reasoning_content ?? '';
    answer += delta.content ?? '';
  }
  return { thought, answer, order: [...new Set(order)], text };
}

describe('a stream', () => {
  test.each<[string, readonly string[], string, string]>([
    ['with a thought', ['<think>', 'hm', '</think>', 'Hi'], 'hm', 'Hi'],
    ['with a thought in one piece', ['<think>hm</think>Hi'], 'hm', 'Hi'],
    [
      'with white space around all of it',
      ['\n ', '<think>', '\n', 'hm\n', '</think>', '\n\n', 'Hi '],
      'hm\n',
      'Hi ',
    ],
    ['with tags that are split', ['<', 'thi', 'nk>h', 'm</', 'think', '>', 'Hi'], 'hm', 'Hi'],
    [
      'with what only begins like the closing tag',
      ['<think>a </thin b', '</', 'b</think>c'],
      'a </thin b</b',
      'c',
    ],
    ['with what only begins like the opening tag', ['<', 'b>x</b>'], '', '<b>x</b>'],
    ['with the closing tag alone, in its first text', ['hm</think>Hi'], 'hm', 'Hi'],
    ['with the closing tag alone, and later', ['hm', '</think>Hi'], '', 'hm</think>Hi'],
    ['with tags in the middle', ['Use ', '<think>x</think>'], '', 'Use <think>x</think>'],
    ['with a second thought', ['<think>a</think>b<think>c</think>'], 'a', 'b<think>c</think>'],
    ['with an empty thought', ['<think>\n\n</think>\n\nHi'], '', 'Hi'],
    ['that ends inside of the thought', ['<think>hm</thi'], 'hm</thi', ''],
    ['that ends inside of the opening tag', ['<thin'], '', '<thin'],
    ['without any', ['Hel', 'lo'], '', 'Hello'],
  ])('%s', (_what, pieces, thought, answer) => {
    expect(told(streamOf(pieces))).toMatchObject({ thought, answer });
    const withoutEnd = streamOf(pieces).replace(END, DONE);
    expect(told(withoutEnd, { repair: false })).toMatchObject({ thought, answer });
    expect(told(streamOf(pieces), { repair: false })).toMatchObject({ thought, answer });
  });

  test('passes untouched where that is not asked for', () => {
    const stream = streamOf(['<think>hm</think>Hi']);
    expect(mended('chat', [stream]).text).toBe(stream);
  });

  test('is held back only while it may be a tag', () => {
    const pieces = [ROLE, chunk({ content: 'H' }), chunk({ content: '<' })];
    expect(mended('chat', pieces, { thinkTags: true }).untouched).toEqual([true, true, true]);
  });

  test('tells the thought before the answer, and the role first', () => {
    const { text, order } = told(chunk({ role: 'assistant', content: '<think>hm</think>Hi' }) + END);
    expect(order).toEqual(['thought', 'answer']);
    expect(text).toBe(chunk({ role: 'assistant', reasoning_content: 'hm' }) + chunk({ content: 'Hi' }) + END);
  });

  test('tells what it holds before the calls and the end', () => {
    const call = chunk(
      { tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] },
      'tool_calls',
    );
    const { text } = told(ROLE + chunk({ content: '<think>hm</' }) + call + DONE);
    expect(text).toBe(
      ROLE + chunk({ reasoning_content: 'hm' }) + chunk({ reasoning_content: '</' }) + call + DONE,
    );
  });

  test('of several choices keeps their thoughts apart', () => {
    const both = (one: string, other: string) =>
      `data: ${JSON.stringify({ ...HEAD, choices: [one, other].map((content, index) => ({ index, delta: { role: 'assistant', content }, finish_reason: null })) })}\n\n`;
    const { text } = mended('chat', [both('<think>a', 'b') + both('</think>c', 'd')], { thinkTags: true });
    expect(text).toContain('"reasoning_content":"a"');
    expect(text).toContain('"content":"c"');
    expect(text).toContain('"content":"d"');
  });

  test('cut anywhere tells the same', () => {
    const parts = fc.array(fc.constantFrom('<think>', '</think>', '<', 'a', ' ', '\n', '</', 'think>', 'é'), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(parts, fc.array(fc.nat(), { maxLength: 8 }), (words, cuts) => {
        // The closing tag alone counts in the first text only, which is what a cut changes.
        const whole = `<think>${words.join('')}`;
        const at = [...new Set(cuts.map((cut) => cut % whole.length))].sort((a, b) => a - b);
        const pieces = [...at, whole.length]
          .map((to, i) => whole.slice(at[i - 1] ?? 0, to))
          .filter((piece) => piece !== '');
        const { thought, answer } = told(streamOf([whole]));
        expect(told(streamOf(pieces))).toMatchObject({ thought, answer });
        const [inside, ...behind] = whole.slice('<think>'.length).split('</think>');
        expect(thought).toBe(inside?.trimStart());
        expect(answer).toBe(behind.join('</think>').trimStart());
      }),
    );
  });
});

describe('a whole reply', () => {
  const reply = (message: object) => ({
    ...HEAD,
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop' }],
  });
  const made = (message: object, more: object = {}) =>
    mendChatReply(reply(message), mendingOf({ thinkTags: true, ...more }));

  test.each<[string, object, object]>([
    ['with a thought', { content: '<think>hm</think>\n\nHi' }, { content: 'Hi', reasoning_content: 'hm' }],
    ['with the closing tag alone', { content: 'hm</think>Hi' }, { content: 'Hi', reasoning_content: 'hm' }],
    [
      'with reasoning of its own',
      { content: '<think>a', reasoning_content: 'b' },
      { content: '<think>a', reasoning_content: 'b' },
    ],
  ])('%s', (_what, message, out) => {
    expect(made(message)).toEqual({ kind: 'reply', reply: reply(out) });
    expect(made(message, { repair: false })).toEqual({ kind: 'reply', reply: reply(out) });
  });

  test('without one is the very same', () => {
    const whole = reply({ content: 'Hi' });
    expect(mendChatReply(whole, mendingOf({ thinkTags: true }))).toEqual({ kind: 'reply', reply: whole });
    expect(Object(mendChatReply(whole, mendingOf({ thinkTags: true }))).reply).toBe(whole);
  });
});
