import { expect, test } from 'vitest';
import { readText } from '../../src/lib/read-text.ts';

/** Tells whether it was read to its end or left. */
function body(chunks: readonly string[]) {
  const seen = { end: 'none' };
  async function* generate() {
    try {
      for (const chunk of chunks) yield Buffer.from(chunk);
      seen.end = 'read';
    } finally {
      if (seen.end === 'none') seen.end = 'left';
    }
  }
  return { seen, bytes: generate() };
}

test('a body of the limit is whole, also where a letter is cut between two chunks', async () => {
  const [first, second] = [Buffer.from('aé').subarray(0, 2), Buffer.from('aé').subarray(2)];
  async function* halves() {
    yield first;
    yield second;
  }
  expect(await readText(halves(), 3)).toEqual({ text: 'aé', isWhole: true });
});

test('a body of one byte more is not, and is left where it went over', async () => {
  const { seen, bytes } = body(['ab', 'cd', 'ef']);
  expect(await readText(bytes, 3)).toEqual({ text: 'abcd', isWhole: false });
  expect(seen.end).toBe('left');
});

test('what breaks the body breaks the reading', async () => {
  async function* broken() {
    yield Buffer.from('a');
    throw new Error('cut');
  }
  await expect(readText(broken(), 10)).rejects.toThrow('cut');
});
