/** Reading of bytes into events, and writing. */
import { expect, test } from 'vitest';
import { SseReader, sseEvent } from '../../../src/dialect/framing/sse.ts';

function read(...chunks: (string | Uint8Array)[]): unknown[] {
  const reader = new SseReader();
  const events = chunks.flatMap((chunk) =>
    reader.read(typeof chunk === 'string' ? Buffer.from(chunk) : chunk),
  );
  return [...events, ...reader.end()].map(({ data, name }) => (name === undefined ? data : [name, data]));
}

test.each([
  ['line feeds', 'data: a\n\ndata: b\n\n'],
  ['line ends of Windows', 'data: a\r\n\r\ndata: b\r\n\r\n'],
  ['carriage returns', 'data: a\r\rdata: b\r\r'],
  ['no space behind the colon', 'data:a\n\ndata:b\n\n'],
  ['a byte order mark', '\uFEFFdata: a\n\ndata: b\n\n'],
  ['comments and unknown fields between', ': hi\n\ndata: a\n\n: there\nfoo: bar\n\ndata: b\n\n'],
  ['events without data between', 'data: a\n\ndata:\n\nevent: x\n\ndata: b\n\n'],
  ['no line end at the end', 'data: a\n\ndata: b'],
])('%s', (_, text) => {
  expect(read(text)).toEqual(['a', 'b']);
  const bytes = Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte));
  expect(read(...bytes)).toEqual(['a', 'b']);
});

test('names, several data lines and letters of many bytes', () => {
  const bytes = Buffer.from('event: error\ndata: ä\ndata: 👋\n\n');
  expect(read(bytes.subarray(0, 21), bytes.subarray(21, 27), bytes.subarray(27))).toEqual([
    ['error', 'ä\n👋'],
  ]);
});

test('an event at the limit passes, one beyond it is refused for good', () => {
  const data = (chars: number) => Buffer.from(`data: ${'x'.repeat(chars - 'data: '.length)}`);
  const reader = new SseReader(100);
  reader.read(data(100));
  expect(reader.end()).toHaveLength(1);

  const over = new SseReader(100);
  expect(() => over.read(data(101))).toThrow(expect.objectContaining({ code: 'stream_buffer_exceeded' }));
  expect(() => over.read(Buffer.from('\n\ndata: a\n\n'))).toThrow(
    expect.objectContaining({ code: 'stream_buffer_exceeded' }),
  );
});

test('an event is written with line feeds, its name only where it has one', () => {
  expect(sseEvent('{}', 'a')).toBe('event: a\ndata: {}\n\n');
  expect(sseEvent('{}')).toBe('data: {}\n\n');
});
