import { expect, test } from 'vitest';
import { AgingMap } from '../../src/lib/aging-map.ts';

function mapOf(...keys: readonly string[]): AgingMap<string, string> {
  const map = new AgingMap<string, string>();
  for (const key of keys) map.put(key, key.toUpperCase());
  return map;
}

test('the one that was put in longest ago is taken first, and each once', () => {
  const map = mapOf('a', 'b', 'c');
  expect([map.takeOldest(), map.takeOldest(), map.takeOldest(), map.takeOldest()]).toEqual([
    'A',
    'B',
    'C',
    undefined,
  ]);
  expect(map.size).toBe(0);
});

test('what is put in again is the newest, and what is deleted is passed over', () => {
  const map = mapOf('a', 'b', 'c', 'd');
  map.put('a', 'again');
  map.delete('b');
  expect(map.values()).toEqual(['C', 'D', 'again']);
  expect([map.takeOldest(), map.takeOldest(), map.takeOldest()]).toEqual(['C', 'D', 'again']);
});

test('an empty one takes what comes later', () => {
  const map = mapOf();
  expect(map.takeOldest()).toBeUndefined();
  map.put('a', 'A');
  expect(map.takeOldest()).toBe('A');
  map.put('b', 'B');
  map.put('b', 'B2');
  expect(map.get('b')).toBe('B2');
  expect(map.takeOldest()).toBe('B2');
});

test('turns over for as long as it likes, in its order', () => {
  const map = new AgingMap<number, number>();
  for (let key = 0; key < 10_000; key++) {
    map.put(key, key);
    if (key >= 100) expect(map.takeOldest()).toBe(key - 100);
  }
  expect(map.size).toBe(100);
});
