/** What is remembered is bounded: in bytes, in number, in time. */
import { expect, test } from 'vitest';
import { Kept } from '../../src/history/kept.ts';
import { ResponseStore } from '../../src/history/response-store.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { json, MINUTE, response, said } from './world.ts';

interface Stored {
  readonly store: ResponseStore;
  readonly clock: FakeClock;
  readonly removed: string[];
}

function stored(bytesMax = 1 << 20, keepMs = 10 * MINUTE): Stored {
  const clock = new FakeClock();
  const removed: string[] = [];
  const events = { added: () => {}, used: () => {}, removed: ({ id }: Kept) => void removed.push(id) };
  return { clock, removed, store: new ResponseStore(clock, { keepMs, bytesMax }, events) };
}

function kept(id: string, bytes = 0): Kept {
  const request = json({ model: 'm', input: 'x'.repeat(bytes) });
  const answer = json(response({ id, output: [said(id, `msg_${id}`)] }));
  return new Kept({ id, home: undefined, upstreamId: undefined, stored: true, request, answer, keptAt: 0 });
}

test('the least lately used goes first, and no sooner than there is no room', () => {
  const { store, removed } = stored(4 * kept('a', 1_000).bytes);
  for (const id of ['a', 'b', 'c', 'd']) store.add(kept(id, 1_000));
  expect(removed).toEqual([]);
  store.get('a');
  store.withItem('msg_b');
  store.add(kept('e', 1_000));
  expect(removed).toEqual(['c']);
  store.add(kept('f', 3_500));
  expect(removed).toEqual(['c', 'd', 'a', 'b']);
});

test('one that is larger than all there may be is not kept, and takes no room from others', () => {
  const { store } = stored(4_000);
  store.add(kept('a', 1_000));
  store.add(kept('b', 5_000));
  expect(store.get('b')).toBeUndefined();
  expect(store.get('a')?.id).toBe('a');
});

test('what nobody uses is forgotten after its time, and its timer ends with the last', () => {
  const { store, clock, removed } = stored();
  store.add(kept('a'));
  clock.advance(6 * MINUTE);
  store.add(kept('b'));
  store.get('a');
  clock.advance(9 * MINUTE);
  expect(store.get('a')?.id).toBe('a');
  expect(store.get('b')?.id).toBe('b');
  clock.advance(12 * MINUTE);
  expect(removed.toSorted()).toEqual(['a', 'b']);
  expect(clock.pending).toBe(0);
});

test('what has expired is not there, whether or not it was looked for', () => {
  const { store, clock } = stored(1 << 20, 1_500);
  store.add(kept('a'));
  clock.advance(1_500);
  expect(store.get('a')).toBeUndefined();
  expect(store.withItem('msg_a')).toBeUndefined();
});

test('an item is found as long as its response is there', () => {
  const { store } = stored();
  for (const id of ['a', 'b', 'c']) store.add(kept(id));
  expect(store.withItem('msg_b')?.id).toBe('b');
  store.delete('b');
  store.delete('a');
  expect(store.withItem('msg_b')).toBeUndefined();
  expect(store.withItem('msg_a')).toBeUndefined();
  expect(store.withItem('msg_c')?.id).toBe('c');
});

test('a response that is told again takes the place of the one before', () => {
  const { store } = stored(2 * kept('a', 1_000).bytes);
  for (let turn = 0; turn < 5; turn++) store.add(kept('a', 1_000));
  store.add(kept('b', 1_000));
  expect(store.get('a')?.id).toBe('a');
});

test('closed, it has no timer', () => {
  const { store, clock } = stored();
  store.add(kept('a'));
  expect(clock.pending).toBe(1);
  store.close();
  expect(clock.pending).toBe(0);
});
