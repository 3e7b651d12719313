/** A JSON object that is changed in its bytes: what is not meant stays, digit for digit. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonMembers } from '../../../src/dialect/json/json-members.ts';

const members = (text: string) => new JsonMembers(Buffer.from(text));
const textOf = (changed: JsonMembers) => Buffer.from(changed.body).toString();

/** What a double cannot hold, and spellings that a serialiser would not keep. */
const AROUND = '"seed": 9007199254740993, "a":1.0e+2,"text":"\\u00e9 é \\ud83d"';

test('an object of which nothing is changed is the very same bytes', () => {
  const body = Buffer.from(`{ ${AROUND} }`);
  expect(new JsonMembers(body).body).toBe(body);
});

describe('each change leaves the other members as they were written', () => {
  test.each<[string, string, (one: JsonMembers) => void, string]>([
    ['removed', '"x" : [1,{"y":2}],', (one) => one.remove('x'), ''],
    ['removed, though it is there twice', '"x":1,"x":2,', (one) => one.remove('x'), ''],
    ['removed where it is not', '', (one) => one.remove('x'), ''],
    ['replaced', '"x":{"y":[]},', (one) => one.set('x', [null]), '"x":[null],'],
    ['replaced: of two the last stays', '"x":1,"x":2,', (one) => one.set('x', 3), '"x":3,'],
    ['renamed, its value as it was', '"x":1.50,', (one) => one.rename('x', 'z'), '"z":1.50,'],
    ['renamed: the one with that name stays', '"x":1,"z":2,', (one) => one.rename('x', 'z'), '"z":2,'],
    ['written with an escape', '"\\u0078":1,', (one) => one.remove('x'), ''],
  ])('one %s', (_, before, change, after) => {
    const changed = members(`{${before}${AROUND}}`);
    change(changed);
    const kept = textOf(changed);
    // Between members there is one comma, and no space.
    expect(kept.replaceAll(', ', ',')).toBe(`{${after}${AROUND.replace(', ', ',')}}`);
    expect(JSON.parse(kept)).toEqual(JSON.parse(`{${after}${AROUND}}`));
  });

  test('one that is new stands behind all others, and alone in an empty object', () => {
    const changed = members(`{${AROUND}}`);
    changed.set('x', { y: 'é' });
    expect(textOf(changed)).toBe(`{${AROUND.replace(', ', ',')},"x":{"y":"é"}}`);
    const empty = members('{}');
    empty.set('x', 1);
    expect(textOf(empty)).toBe('{"x":1}');
  });
});

test('a value is read where it is asked for, and the last of two', () => {
  const one = members('{"x":1,"x":[2], "broken":[1,]}');
  expect([one.has('x'), one.value('x'), one.text('x')?.toString()]).toEqual([true, [2], '[2]']);
  expect(one.value('broken')).toBeUndefined();
  expect([one.has('z'), one.value('z'), one.text('z')]).toEqual([false, undefined, undefined]);
});

test.each([
  ['no object', '[1]', 'bad_request'],
  ['a string that does not end', '{"a":"b', 'invalid_json'],
])('%s is refused', (_, text, code) => {
  expect(() => members(text)).toThrow(expect.objectContaining({ code }));
});

test('any object keeps what is not removed, and has what is set', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.string(),
      fc.jsonValue(),
      (object, name, value) => {
        const text = JSON.stringify(object);
        const changed = members(text);
        changed.set(name, value);
        expect(JSON.parse(textOf(changed))).toEqual(JSON.parse(JSON.stringify({ ...object, [name]: value })));
        changed.remove(name);
        const { [name]: _gone, ...rest } = JSON.parse(text);
        expect(JSON.parse(textOf(changed))).toEqual(rest);
      },
    ),
  );
});
