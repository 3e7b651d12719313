import fc from 'fast-check';
import JSON5 from 'json5';
import { expect, test } from 'vitest';
import { findPlaces } from '../../src/config/places.ts';

test('lines are counted through comments, strings, escapes and every line break', () => {
  const text = [
    '// a: 1',
    '{ /* two',
    'lines */ "a\\"b": "x\\',
    'y", bare: [1,',
    "  { 'c': +Infinity }, 'it\\'s', 0x1F, // ]",
    '], \\u0064: null, }',
  ].join('\r\n');
  expect(JSON5.parse(text)).toEqual({ 'a"b': 'xy', bare: [1, { c: Infinity }, "it's", 31], d: null });
  const places = findPlaces(text);
  const lines = [['a"b'], ['bare'], ['bare', 1], ['bare', 1, 'c'], ['bare', 3], ['d']].map(places.lineOf);
  expect(lines).toEqual([3, 4, 5, 5, 5, 6]);
  expect(places.lineOf([])).toBe(2);
});

test('a path that is not written has the line of what is around it', () => {
  expect(findPlaces('{\n"a": {\n} }').lineOf(['a', 'b', 0])).toBe(2);
});

test('a key that is written twice is found, in the object where it is and in no other', () => {
  expect(findPlaces('{ a: { x: 1 }, b: { x: 1, "x": 2 } }').twice).toEqual([['b', 'x']]);
});

test('whatever JSON it is given, it ends and knows every key', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const places = findPlaces(JSON.stringify(value, null, 1));
      expect(places.twice).toEqual([]);
      expect(places.tooDeep).toBeUndefined();
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
      const own = Object.keys(value).map((key) => places.lineOf([key]) ?? 0);
      expect(own.every((line) => line > 1)).toBe(true);
    }),
  );
});
