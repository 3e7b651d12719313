import { expect, test } from 'vitest';
import { nextDelayMs } from '../../src/lib/backoff.ts';

const POLICY = { minMs: 500, maxMs: 30_000 };

test.each([
  ['the first delay, at the lowest', undefined, 0, 500],
  ['the first delay, at the highest', undefined, 1, 1_500],
  ['after 1 s', 1_000, 1, 3_000],
  ['after 1 s, in the middle', 1_000, 0.5, 1_750],
  ['after 20 s, capped', 20_000, 1, 30_000],
  ['after the longest, at the lowest', 30_000, 0, 500],
  ['after less than the minimum', 10, 1, 500],
])('%s', (_what, previous, random, delay) => {
  expect(nextDelayMs(previous, POLICY, () => random)).toBe(delay);
});

test('whatever chance says, every delay of a long row is within the policy', () => {
  let delay: number | undefined;
  for (let step = 0; step < 1_000; step++) {
    delay = nextDelayMs(delay, POLICY, () => (step * 0.618_033_988_7) % 1);
    expect(delay).toBeGreaterThanOrEqual(POLICY.minMs);
    expect(delay).toBeLessThanOrEqual(POLICY.maxMs);
  }
});
