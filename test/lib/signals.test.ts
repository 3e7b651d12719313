import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { onAbort } from '../../src/lib/signals.ts';

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
