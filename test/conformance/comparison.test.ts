/** What judges the cases: names for generated values, short forms, and whole or part of a JSON value. */
import { describe, expect, test } from 'vitest';
import { Comparison } from '../../conformance/difference.ts';
import { Placeholders } from '../../conformance/placeholders.ts';
import { expectedResponse } from '../../conformance/response-object.ts';
import { UPSTREAM, wholeEvents } from '../../conformance/short-forms.ts';

const names = () => new Placeholders({ model: 'alias', up: 'owned' });

function whole(actual: unknown, expected: unknown, placeholders = names()): readonly string[] {
  return new Comparison(placeholders, 'whole').differences(actual, expected, 'it');
}

describe('a whole value', () => {
  test.each<[string, unknown, unknown]>([
    ['a member more', { a: 1, b: 2 }, { a: 1 }],
    ['a member less', { a: 1 }, { a: 1, b: 2 }],
    ['an element more', [1, 2], [1]],
    ['an element less', [1], [1, 2]],
    ['another order', [2, 1], [1, 2]],
    ['null for nothing', { a: null }, {}],
    ['nothing for null', {}, { a: null }],
    ['a text for a number', { a: '1' }, { a: 1 }],
    ['an object for a list', { 0: 'a' }, ['a']],
  ])('differs by %s', (_, actual, expected) => {
    expect(whole(actual, expected)).not.toEqual([]);
  });

  test('is told by the path of what differs', () => {
    expect(whole({ a: [{ b: 1 }] }, { a: [{ b: 2 }] })).toEqual(['it.a[0].b: 1 in place of 2']);
  });
});

describe('a part', () => {
  const part = (actual: unknown, expected: unknown) =>
    new Comparison(names(), 'part').differences(actual, expected, 'it');

  test('may have more members, but no other elements', () => {
    expect(part({ a: [{ b: 1, c: 2 }], d: 3 }, { a: [{ b: 1 }] })).toEqual([]);
    expect(part({ a: [{ b: 1 }, { b: 2 }] }, { a: [{ b: 1 }] })).toHaveLength(1);
    expect(part({}, { a: 1 })).toHaveLength(1);
  });
});

describe('a name for a generated value', () => {
  test('is the same value wherever it stands', () => {
    expect(whole(['msg_a', 'msg_a'], ['<msg_1>', '<msg_1>'])).toEqual([]);
    expect(whole(['msg_a', 'msg_b'], ['<msg_1>', '<msg_1>'])).toHaveLength(1);
  });

  test('is no value that has another name', () => {
    expect(whole(['msg_a', 'msg_a'], ['<msg_1>', '<msg_2>'])).toHaveLength(1);
  });

  test('begins as it says', () => {
    expect(whole('resp_a', '<msg_1>')).toHaveLength(1);
  });

  test.each<[string, unknown, boolean]>([
    ['<int>', 7, true],
    ['<int>', 7.5, false],
    ['<any>', null, true],
    ['<any>', undefined, false],
    ['<has:memory>', 'out of memory', true],
    ['<has:memory>', 'out of time', false],
    ['<model>', 'alias', true],
    ['<model>', 'owned', false],
    ['<up>', 'owned', true],
    ['<think>', '<think>', true],
    ['<think>', 'anything', false],
  ])('%s for %j: %s', (name, value, fits) => {
    expect(whole(value, name)).toHaveLength(fits ? 0 : 1);
  });

  test('without a number it is free again with the next call, with one it is not', () => {
    const placeholders = names();
    whole(['resp_a', 'resp_b'], ['<resp>', '<resp_1>'], placeholders);
    placeholders.nextCall();
    expect(whole(['resp_c', 'resp_b'], ['<resp>', '<resp_1>'], placeholders)).toEqual([]);
    expect(placeholders.filled({ id: '<resp_1>', model: 'is <model>' })).toEqual({
      id: 'resp_b',
      model: 'is alias',
    });
  });
});

describe('the short forms', () => {
  test('a chunk of ours says null of the usage where it was asked for', () => {
    const request = { stream_options: { include_usage: true } };
    const [chunk] = wholeEvents([{ delta: {} }], 'chat', { who: 'ours', request });
    expect(chunk).toMatchObject({ choices: [{ index: 0, delta: {}, finish_reason: null }], usage: null });
    const [plain] = wholeEvents([{ delta: {} }], 'chat', { who: 'ours', request: {} });
    expect(plain).not.toHaveProperty('usage');
  });

  test('events of Responses are numbered, and the last has the items that were done', () => {
    const item = { id: 'm' };
    const events = wholeEvents(
      [
        { type: 'response.created' },
        { type: 'response.output_item.done', item },
        { type: 'response.completed' },
      ],
      'responses',
      UPSTREAM,
    );
    expect(events.map((event) => Object(event).sequence_number)).toEqual([0, 1, 2]);
    expect(events[2]).toMatchObject({ response: { status: 'completed', output: [item] } });
  });

  test('a response of ours repeats its request, with defaults that are numbers', () => {
    const response = expectedResponse({ temperature: 0.5, tools: [{ type: 'web_search' }] }, {});
    expect(response).toMatchObject({ temperature: 0.5, top_p: 1, tools: [], store: true });
  });
});
