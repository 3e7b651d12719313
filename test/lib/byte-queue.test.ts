import { describe, expect, test } from 'vitest';
import { ByteQueue } from '../../src/lib/byte-queue.ts';

function make() {
  const told: string[] = [];
  const queue = new ByteQueue({
    onTaken: (bytes) => void told.push(`taken ${bytes}`),
    onLeft: () => void told.push('left'),
  });
  return { queue, told };
}

const bytes = (text: string) => Buffer.from(text);

async function next(queue: ByteQueue): Promise<string | undefined> {
  const { value } = await queue.next();
  return value === undefined ? undefined : Buffer.from(value).toString();
}

describe('a byte queue', () => {
  test('hands over all that waits in one piece, and tells the producer', async () => {
    const { queue, told } = make();
    queue.push(bytes('a'));
    queue.push(bytes('bc'));
    expect(queue.queuedBytes).toBe(3);
    expect(await next(queue)).toBe('abc');
    expect(queue.queuedBytes).toBe(0);
    expect(told).toEqual(['taken 3']);
  });

  test('one chunk is handed over without a copy', async () => {
    const { queue } = make();
    const chunk = bytes('a');
    queue.push(chunk);
    expect((await queue.next()).value).toBe(chunk);
  });

  test('wakes a consumer that waits', async () => {
    const { queue } = make();
    const waiting = next(queue);
    queue.push(bytes('a'));
    expect(await waiting).toBe('a');
  });

  test('ends behind what was pushed before', async () => {
    const { queue } = make();
    queue.push(bytes('a'));
    queue.end();
    queue.push(bytes('late'));
    expect(await next(queue)).toBe('a');
    expect(await queue.next()).toEqual({ done: true, value: undefined });
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });

  test('fails behind what was pushed before, once', async () => {
    const { queue } = make();
    queue.push(bytes('a'));
    queue.fail(new Error('cut'));
    expect(await next(queue)).toBe('a');
    await expect(queue.next()).rejects.toThrow('cut');
    expect((await queue.next()).done).toBe(true);
  });

  test('tells the producer when the consumer leaves before the end, and drops the rest', async () => {
    const { queue, told } = make();
    queue.push(bytes('a'));
    for await (const _chunk of queue) break;
    queue.push(bytes('b'));
    expect(told).toEqual(['taken 1', 'left']);
    expect(queue.queuedBytes).toBe(0);
    expect((await queue.next()).done).toBe(true);
  });

  test('leaving twice, or behind the end, tells nobody', async () => {
    const { queue, told } = make();
    queue.end();
    await queue.return();
    await queue.return();
    expect(told).toEqual([]);
  });

  test('a producer may push again from within `onTaken`', async () => {
    const queue: ByteQueue = new ByteQueue({ onTaken: () => queue.push(bytes('more')), onLeft: () => {} });
    queue.push(bytes('a'));
    expect(await next(queue)).toBe('a');
    expect(await next(queue)).toBe('more');
  });
});
