import { beforeEach, expect, test } from 'vitest';
import { CALL_ID_MEMORY_MS, CALL_IDS_REMEMBERED_MAX } from '../../src/core/limits.ts';
import { SeenCalls } from '../../src/mesh/seen-calls.ts';
import { FakeClock } from '../support/fake-clock.ts';

let clock: FakeClock;
let seen: SeenCalls;

beforeEach(() => {
  clock = new FakeClock();
  seen = new SeenCalls(clock);
});

test.each([0, 1, CALL_ID_MEMORY_MS / 2, CALL_ID_MEMORY_MS])(
  'an id that came after %i ms is remembered for 10 minutes',
  (ms) => {
    clock.advance(ms);
    expect(seen.add('a')).toBe('new');
    for (let waited = 0; waited < CALL_ID_MEMORY_MS; waited += CALL_ID_MEMORY_MS / 10) {
      expect(seen.add('a')).toBe('seen');
      seen.add(`other ${waited}`);
      clock.advance(CALL_ID_MEMORY_MS / 10 - 1);
    }
  },
);

test('and forgotten in the end', () => {
  seen.add('a');
  for (let minute = 0; minute < 21; minute++) {
    clock.advance(60_000);
    seen.add(`other ${minute}`);
  }
  expect(seen.add('a')).toBe('new');
});

test('half of as many as are remembered push no id out', () => {
  seen.add('a');
  for (let index = 0; index < CALL_IDS_REMEMBERED_MAX / 2; index++) seen.add(`other ${index}`);
  expect(seen.add('a')).toBe('seen');
});
