import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClawError } from '../../../src/core/errors.ts';
import { EventFramer } from '../../../src/dialect/framing/event-framer.ts';

const LIMIT = 1024;

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

function text(chunk: Uint8Array): string {
  return Buffer.from(chunk).toString('latin1');
}

/** What the framer makes of the pieces, and of the end. */
function run(pieces: readonly string[], limit = LIMIT): string[] {
  const framer = new EventFramer(limit);
  const out = pieces.map((piece) => text(framer.push(Buffer.from(piece, 'latin1'))));
  return [...out, text(framer.finish())];
}

describe('borders', () => {
  test.each([
    ['LF', 'data: 1\n\n'],
    ['CRLF', 'data: 1\r\n\r\n'],
    ['CR', 'data: 1\r\r'],
    ['LF then CRLF', 'data: 1\n\r\n'],
    ['CR then LF line', 'data: 1\r\r\n'],
    ['CRLF then LF', 'data: 1\r\n\n'],
  ])('%s lines end an event', (_name, event) => {
    const framer = new EventFramer(LIMIT);
    expect(text(framer.push(Buffer.from(`${event}data: 2`)))).toBe(event);
  });

  test('one line end of two bytes is no empty line', () => {
    expect(run(['data: 1\r\ndata: 2\r\n', '\r\n'])).toEqual(['', 'data: 1\r\ndata: 2\r\n\r\n', '']);
  });

  test('a border that is split over chunks is found', () => {
    expect(run(['data: 1\r', '\n', '\r', '\n'])).toEqual(['', '', 'data: 1\r\n\r', '\n', '']);
  });

  test('all but the last, unfinished event are handed on in one piece', () => {
    expect(run(['data: 1\n\ndata: 2\n\ndata: 3', '\n\n'])).toEqual([
      'data: 1\n\ndata: 2\n\n',
      'data: 3\n\n',
      '',
    ]);
  });

  test('a chunk that ends at a border is handed on without a copy', () => {
    const chunk = bytes('data: 1\n\ndata: 2\n\n');
    const whole = new EventFramer(LIMIT).push(chunk);
    expect(whole.buffer).toBe(chunk.buffer);
    expect(whole.byteOffset).toBe(chunk.byteOffset);
    expect(whole.length).toBe(chunk.length);
  });

  test('any split gives the same bytes, each piece ends at a border, and none is held that is whole', () => {
    const line = fc.constantFrom('data: x', ': ping', 'event: a', 'data: {"a":"\u00e9\u00ff"}', 'id', '');
    const end = fc.constantFrom('\n', '\r\n', '\r');
    const stream = fc.array(fc.tuple(line, end), { maxLength: 30 }).map((lines) => lines.flat().join(''));
    fc.assert(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 12 }), (whole, cuts) => {
        const places = [...new Set(cuts.map((cut) => cut % (whole.length + 1)))].sort((a, b) => a - b);
        const pieces = [...places, whole.length].map((to, index) => whole.slice(places[index - 1] ?? 0, to));
        const out = run(pieces, 1 << 20);
        const before = out.slice(0, -1).join('');
        // What is left at the end gets what it lacks, and nothing else is added.
        expect(`${before}${out.at(-1) ?? ''}`.startsWith(whole) || whole.startsWith(before)).toBe(true);
        let at = 0;
        for (const piece of out.slice(0, -1)) {
          at += piece.length;
          if (piece !== '') expect(isBorder(whole, at)).toBe(true);
        }
        for (let later = at + 1; later <= whole.length; later++) expect(isBorder(whole, later)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

/** The plain definition: an empty line ends here. */
function isBorder(whole: string, at: number): boolean {
  return (
    at > 0 && /(^|\r|\n)(\r\n|\n|\r)$/.test(whole.slice(0, at)) && !endsInsideCrlfOnly(whole.slice(0, at))
  );
}

/** `x\r\n` is one line end, not a line end and an empty line. */
function endsInsideCrlfOnly(head: string): boolean {
  return head.endsWith('\r\n') && head.length > 2 && !/[\r\n]\r\n$/.test(head);
}

describe('the limit', () => {
  const event = (size: number) => `data: ${'x'.repeat(size - 8)}\n\n`;

  test('an event of exactly the limit passes', () => {
    expect(run([event(LIMIT)])).toEqual([event(LIMIT), '']);
    expect(run([event(LIMIT).slice(0, 700), event(LIMIT).slice(700)])[1]).toBe(event(LIMIT));
  });

  test.each([
    ['in one chunk', [event(LIMIT + 1)]],
    ['over two chunks', [event(LIMIT + 1).slice(0, 600), event(LIMIT + 1).slice(600)]],
    ['behind others in a chunk', [event(500) + event(500) + event(LIMIT + 1) + event(10)]],
    ['before others in a chunk', [event(LIMIT + 1) + event(10) + event(10)]],
    ['without an end', ['data: '.padEnd(LIMIT, 'x'), 'x', 'x']],
  ])('an event of one byte more ends the stream, %s', (_where, pieces) => {
    const framer = new EventFramer(LIMIT);
    const all = () => pieces.map((piece) => framer.push(bytes(piece)));
    expect(all).toThrow(ClawError);
    expect(all).toThrow(expect.objectContaining({ code: 'stream_buffer_exceeded' }));
    expect(all).toThrow(String(LIMIT));
  });

  test('many small events in a chunk that is larger than the limit pass', () => {
    const many = event(300).repeat(50);
    expect(run([many])).toEqual([many, '']);
  });
});

describe('the end of the stream', () => {
  test.each([
    ['data: [DONE]\n', 'data: [DONE]\n\n'],
    ['data: 1\r\n', 'data: 1\r\n\n'],
    ['data: 1\r', 'data: 1\r\n\n'],
    ['data: words\r', 'data: words\r\n\n'],
    ['data: [DONE]', 'data: [DONE]\n\n'],
    ['data: {"a":1}', 'data: {"a":1}\n\n'],
  ])('%j lacks only its end and is completed', (rest, completed) => {
    expect(run([rest])).toEqual(['', completed]);
    expect(run(['data: 0\n\n', rest])).toEqual(['data: 0\n\n', '', completed]);
  });

  test.each(['data: {"choices":[{"del', 'dat', ': pi', 'event: x'])(
    '%j is half an event and dropped',
    (rest) => {
      expect(run([`data: 0\n\n${rest}`])).toEqual(['data: 0\n\n', '']);
    },
  );
});
