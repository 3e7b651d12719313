/** The order checker itself: it lets a good stream through, and every breach of a rule is found. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkResponsesStream, RuleBreach } from '../support/responses-rules.ts';
import { responsesEvents } from '../support/sse-text.ts';

interface Event {
  type: string;
  sequence_number: number;
  [field: string]: unknown;
}

function golden(name: string): Event[] {
  const url = new URL(`../../fixtures/dialect/chat-upstream/${name}.client.sse`, import.meta.url);
  return responsesEvents(readFileSync(url, 'utf8')).map((event) => Object(event));
}

function numbered(events: Event[]): Event[] {
  return events.map((event, index) => ({ ...event, sequence_number: index }));
}

const good = golden('parallel-calls-interleaved');
const text = golden('text');

test('a good stream breaks no rule', () => {
  checkResponsesStream(good);
  checkResponsesStream(text);
});

test.each(text.map((event, index) => [index, event.type] as const))(
  'event %i, %s, cannot be missing',
  (index, type) => {
    const without = numbered(text.filter((_, at) => at !== index));
    // Each of two deltas can be told by the sum that follows; in_progress alone is not asked for.
    if (type === 'response.in_progress') return checkResponsesStream(without);
    expect(() => checkResponsesStream(without)).toThrow(RuleBreach);
  },
);

test.each(good.map((event, index) => [index, event.type] as const).slice(2, -1))(
  'event %i, %s, cannot come later',
  (index) => {
    const [one, two] = [good[index], good[index + 1]];
    if (one === undefined || two === undefined || one.type === two.type) return;
    const swapped = numbered([...good.slice(0, index), two, one, ...good.slice(index + 2)]);
    expect(() => checkResponsesStream(swapped)).toThrow(RuleBreach);
  },
);

test.each([
  ['a number twice', text.map((event, index) => ({ ...event, sequence_number: Math.max(0, index - 1) }))],
  ['something behind the end', numbered([...text, { type: 'keepalive', sequence_number: 0 }])],
  ['a keepalive first', numbered([{ type: 'keepalive', sequence_number: 0 }, ...text])],
  [
    'an event that nobody knows',
    numbered([...text.slice(0, 2), { type: 'response.magic', sequence_number: 0 }, ...text.slice(2)]),
  ],
  ['no events', []],
])('%s is a breach', (_, events) => {
  expect(() => checkResponsesStream(events)).toThrow(RuleBreach);
});
