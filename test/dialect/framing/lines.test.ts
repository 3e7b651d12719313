/** Lines of JSON: cut at their ends and read, whatever the sizes of the chunks. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineFramer, LineReader } from '../../../src/dialect/framing/lines.ts';

const text = '{"a":"é𝄞"}\n\n{"b":2}\r\n{"c":"x\\n"}\n';

/** The bytes in chunks that end at these places. */
function chunks(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set([0, ...cuts.map((cut) => cut % bytes.length), bytes.length])].sort((a, b) => a - b);
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

const cuts = fc.array(fc.nat(1_000), { maxLength: 12 });

describe('the framer', () => {
  test('hands on whole lines alone, and changes no byte', () => {
    fc.assert(
      fc.property(cuts, (places) => {
        const framer = new LineFramer(100);
        const out = chunks(Buffer.from(text), places).map((chunk) => Buffer.from(framer.push(chunk)));
        for (const part of out) expect(part.length === 0 || part.at(-1) === 0x0a).toBe(true);
        expect(Buffer.concat([...out, framer.finish()]).toString()).toBe(text);
      }),
    );
  });

  test.each([
    ['a whole one gets its end', '{"a":1}', '{"a":1}\n'],
    ['half of one is dropped', '{"a":', ''],
    ['nothing is nothing', '', ''],
  ])('of a last line without its end, %s', (_, rest, expected) => {
    const framer = new LineFramer(100);
    framer.push(Buffer.from(`{}\n${rest}`));
    expect(Buffer.from(framer.finish()).toString()).toBe(expected);
  });

  test.each([
    ['in one chunk', [`${'x'.repeat(101)}`]],
    ['in several', ['x'.repeat(60), 'x'.repeat(60)]],
    ['behind others', [`{}\n${'x'.repeat(101)}`]],
  ])('a line over the limit breaks the stream: %s', (_, pieces) => {
    const framer = new LineFramer(100);
    expect(() => pieces.forEach((piece) => framer.push(Buffer.from(piece)))).toThrow('100 bytes');
  });

  test('many short lines in one chunk are no long one', () => {
    const many = '{"a":1}\n'.repeat(100);
    expect(Buffer.from(new LineFramer(100).push(Buffer.from(many))).toString()).toBe(many);
  });
});

test('the reader gives each line once, without its end and without empty ones', () => {
  fc.assert(
    fc.property(cuts, (places) => {
      const reader = new LineReader(100);
      const read = chunks(Buffer.from(text), places).flatMap((chunk) => reader.read(chunk));
      expect([...read, ...reader.end()].map(({ data }) => data)).toEqual([
        '{"a":"é𝄞"}',
        '{"b":2}',
        '{"c":"x\\n"}',
      ]);
    }),
  );
});

test('a line over the limit breaks what is read', () => {
  expect(() => new LineReader(100).read(Buffer.from('x'.repeat(101)))).toThrow('100 bytes');
});
