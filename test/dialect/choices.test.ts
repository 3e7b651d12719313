/** A chat stream of several choices ends with the last of them: a cut before that is a cut. */
import { expect, test } from 'vitest';
import { shapes } from '../../src/dialect/dialects.ts';

interface Said {
  readonly index?: number;
  readonly finish_reason: string | null;
}

const chunk = (...choices: Said[]) =>
  Buffer.from(
    `data: ${JSON.stringify({ choices: choices.map((one) => ({ delta: { content: 'a' }, ...one })) })}\n\n`,
  );
const says = (index: number) => chunk({ index, finish_reason: null });
const ends = (index: number, finish_reason = 'stop') => chunk({ index, finish_reason });
const DONE = Buffer.from('data: [DONE]\n\n');
const USAGE = Buffer.from('data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n');

/** The finish after each of these, `-` while there is none. */
function finishes(events: readonly Buffer[]): string {
  const watch = shapes.chat.watch();
  return events
    .map((one) => {
      watch.see(one);
      return watch.ending?.finish ?? '-';
    })
    .join(' ');
}

test.each<[string, readonly Buffer[], string]>([
  ['one choice', [says(0), ends(0), DONE], '- stop stop'],
  [
    'one choice without a number',
    [chunk({ finish_reason: null }), chunk({ finish_reason: 'stop' })],
    '- stop',
  ],
  ['two that take turns', [says(0), says(1), ends(0), says(1), ends(1), DONE], '- - - - stop stop'],
  ['two of which the second ends first', [says(0), says(1), ends(1, 'length'), ends(0)], '- - - stop'],
  ['two in one chunk', [Buffer.concat([says(0), says(1)]), ends(0), ends(1)], '- - stop'],
  [
    'two that end in one chunk',
    [says(0), says(1), chunk({ index: 0, finish_reason: 'stop' }, { index: 1, finish_reason: 'stop' })],
    '- - stop',
  ],
  [
    'three, one after the other',
    [says(0), ends(0), says(1), ends(1), says(2), ends(2)],
    '- stop - stop - stop',
  ],
  ['one of which never ends', [says(0), says(1), ends(0), says(1)], '- - - -'],
])('%s', (_, events, expected) => {
  expect(finishes(events)).toBe(expected);
});

test('calls with numbers of their own are no choices', () => {
  const call = (index: number) =>
    Buffer.from(
      `data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":${index}}]},"finish_reason":null}]}\n\n`,
    );
  expect(finishes([call(0), call(1), call(2), ends(0, 'tool_calls')])).toBe('- - - tool_calls');
});

test('the usage behind the last choice is kept', () => {
  const watch = shapes.chat.watch();
  for (const events of [says(0), says(1), ends(0), ends(1), USAGE, DONE]) watch.see(events);
  expect(watch.ending).toEqual({ finish: 'stop', usage: { inputTokens: 3, outputTokens: 4 } });
});
