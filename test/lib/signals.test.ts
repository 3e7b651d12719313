import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { linkSignals, onAbort } from '../../src/lib/signals.ts';

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

test('a linked signal aborts with the reason of the first parent that does, and takes its listeners off all', () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const linked = linkSignals(one.signal, other.signal);
  other.abort('second');
  one.abort('first');
  expect(linked.signal.reason).toBe('second');
  expect([listeners(one.signal), listeners(other.signal)]).toEqual([0, 0]);
});

test('a parent that has aborted already aborts the linked signal at once and leaves no listener', () => {
  const [open, gone] = [new AbortController(), new AbortController()];
  gone.abort('before');
  const linked = linkSignals(open.signal, gone.signal);
  expect(linked.signal.reason).toBe('before');
  expect(listeners(open.signal)).toBe(0);
});

test('done takes the listeners off, and a parent that aborts later changes nothing', () => {
  const parent = new AbortController();
  const linked = linkSignals(parent.signal);
  expect(listeners(parent.signal)).toBe(1);
  linked.done();
  linked.done();
  parent.abort();
  expect(listeners(parent.signal)).toBe(0);
  expect(linked.signal.aborted).toBe(false);
});

test('aborting a linked signal touches no parent', () => {
  const parent = new AbortController();
  const linked = linkSignals(parent.signal);
  linked.abort('own');
  expect(linked.signal.reason).toBe('own');
  expect([parent.signal.aborted, listeners(parent.signal)]).toEqual([false, 0]);
});

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
