import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JSON_DEPTH_MAX } from '../../../src/core/limits.ts';
import { replaceModel } from '../../../src/dialect/json/model-field.ts';

function replace(body: string, model = 'new'): string {
  return Buffer.from(replaceModel(Buffer.from(body), model)).toString();
}

function fault(body: string | Uint8Array): unknown {
  try {
    replaceModel(Buffer.from(body), 'new');
    return undefined;
  } catch (error) {
    return error;
  }
}

const noModel = { code: 'bad_request', param: 'model' };

describe('the value is replaced and nothing else', () => {
  test.each([
    ['{"model":"old"}', '{"model":"new"}'],
    [
      ' {\n "a" : 1 , "model" :\t"old" ,"b":[{"model":"x"}] } \n',
      ' {\n "a" : 1 , "model" :\t"new" ,"b":[{"model":"x"}] } \n',
    ],
    ['{"n":9007199254740993,"model":"old","e":1.0e+05}', '{"n":9007199254740993,"model":"new","e":1.0e+05}'],
    ['{"z":"\\"model\\":\\"x\\"","model":"o\\"l\\\\d"}', '{"z":"\\"model\\":\\"x\\"","model":"new"}'],
    ['{"é":"模型 model","model":"vieux 模"}', '{"é":"模型 model","model":"new"}'],
    ['{"\\u006d":1,"models":2,"model":"old","Model":3}', '{"\\u006d":1,"models":2,"model":"new","Model":3}'],
    ['{"a":{"b":["}",{"c":"]"}]},"model":"old"}', '{"a":{"b":["}",{"c":"]"}]},"model":"new"}'],
  ])('%s', (body, expected) => {
    expect(replace(body)).toBe(expected);
  });

  test('the very same array comes back where the model already has that text', () => {
    const body = Buffer.from('{"model":"new","x":1}');
    expect(replaceModel(body, 'new')).toBe(body);
  });

  test('a model with quotes, slashes and letters of all kinds is written as JSON', () => {
    const model = 'Qwen/Qwen3-8B "模" \\';
    expect(JSON.parse(replace('{"model":"old"}', model))).toEqual({ model });
  });

  test('any JSON object with one model keeps every other byte', () => {
    const key = fc
      .string({ unit: 'binary', maxLength: 40 })
      .filter((name) => name !== 'model' && name !== '__proto__');
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.jsonValue({ maxDepth: 5 })),
        fc.string(),
        fc.nat(),
        (rest, old, seed) => {
          const entries = Object.entries(rest).map(
            ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
          );
          entries.splice(seed % (entries.length + 1), 0, `"model":${JSON.stringify(old)}`);
          const body = `{${entries.join(', ')}}`;
          const { model, ...others } = JSON.parse(replace(body, 'brand new'));
          expect(model).toBe('brand new');
          expect(others).toEqual(JSON.parse(JSON.stringify(rest)));
          expect(replace(body, old)).toBe(body);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('megabytes of base64 cost no more than a search', () => {
    const body = Buffer.from(`{"image":"${'A'.repeat(16 << 20)}","model":"old"}`);
    const startedAt = performance.now();
    replaceModel(body, 'new');
    // A loop in JavaScript over so many bytes takes 20 ms and more, the search and the copy 5.
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(replace('{"s":"'.concat('\\\\'.repeat(5000), '\\"","model":"old"}'))).toContain('"model":"new"');
  });
});

describe('a body that could name two models, or none, is refused', () => {
  test.each([
    '{}',
    '{"messages":[{"model":"x"}]}',
    '{"model":"a","model":"b"}',
    '{"model":"a","mod\\u0065l":"b"}',
    '{"\\u006dodel":"b"}',
    '{"\\u006d\\u006F\\u0064\\u0065\\u006C":"b","model":"a"}',
    '{"model":1}',
    '{"model":null}',
    '{"model":["a"]}',
    '{"model":{"a":1}}',
  ])('%s', (body) => {
    expect(fault(body)).toMatchObject(noModel);
  });

  test.each(['[]', '"model"', '1', 'null'])('%s is no object', (body) => {
    expect(fault(body)).toMatchObject({ code: 'bad_request' });
  });
});

describe('what is no JSON is refused as such', () => {
  test.each([
    '',
    '   ',
    '{',
    '{"model":"a"',
    '{"model":"a',
    '{"model":"a\\"}',
    '{"model":"a"}}',
    '{"model":"a"} {"model":"b"}',
    '{"model":"a",}',
    '{"model" "a"}',
    '{model:"a"}',
    '{\'model\':"a"}',
    '{"model":"a"/*,"model":"b"*/}',
    '{"x":/*"*/1,"model":"a"}',
    '{"x":[1,2},"model":"a"}',
    '{"x":[1,2,"model":"a"}',
    '{"x":[//\n1],"model":"a"}',
    '{"x":1 2,"model":"a"}',
    '{"x":,"model":"a"}',
    '{"x":1 "model":"a"}',
    '\ufeff{"model":"a"}',
  ])('%j', (body) => {
    expect(fault(body)).toMatchObject({ code: 'invalid_json' });
  });

  test('every part of a body that is cut short is invalid', () => {
    const body = '{"a":[{"b":"c\\"d"},1.5e3,true],"model":"old","z":{"y":null}}';
    for (let length = 0; length < body.length; length++) {
      expect(fault(body.slice(0, length))).toMatchObject({ code: 'invalid_json' });
    }
    expect(fault(body)).toBeUndefined();
  });
});

describe('nesting', () => {
  const nested = (depth: number) => `{"x":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)},"model":"old"}`;

  test('at the limit passes, one deeper is refused', () => {
    expect(fault(nested(JSON_DEPTH_MAX))).toBeUndefined();
    expect(fault(nested(JSON_DEPTH_MAX + 1))).toMatchObject({ code: 'bad_request' });
    expect(fault(nested(200_000))).toMatchObject({ code: 'bad_request' });
  });
});
