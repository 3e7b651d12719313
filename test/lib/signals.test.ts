import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { onAbort, Stop } from '../../src/lib/signals.ts';

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

test('onAbort runs once when the signal aborts, at once if it has, and never after the unlinking', () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const seen: unknown[] = [];
  onAbort(one.signal, (reason) => seen.push(reason));
  const unlink = onAbort(other.signal, (reason) => seen.push(reason));
  one.abort('first');
  onAbort(one.signal, (reason) => seen.push(`${String(reason)} again`))();
  unlink();
  other.abort('never');
  expect(seen).toEqual(['first', 'first again']);
  expect(listeners(other.signal)).toBe(0);
});

test('a stop aborts once, with its first reason, and runs each listener that is still there once', () => {
  const stop = new Stop();
  const seen: string[] = [];
  const unlink = onAbort(stop, () => seen.push('taken off'));
  onAbort(stop, (reason) => seen.push(`one ${String(reason)}`));
  onAbort(stop, (reason) => seen.push(`other ${String(reason)}`));
  unlink();
  unlink();
  expect([stop.aborted, stop.reason]).toEqual([false, undefined]);
  stop.abort('first');
  stop.abort('second');
  expect([stop.aborted, stop.reason]).toEqual([true, 'first']);
  onAbort(stop, (reason) => seen.push(`late ${String(reason)}`));
  expect(seen).toEqual(['one first', 'other first', 'late first']);
});

test('a listener of a stop may take off others: they do not run', () => {
  const stop = new Stop();
  const seen: string[] = [];
  const unlinks = [0, 1, 2].map((index) =>
    onAbort(stop, () => {
      seen.push(String(index));
      for (const unlink of unlinks) unlink();
    }),
  );
  stop.abort('now');
  expect(seen).toEqual(['0']);
});
