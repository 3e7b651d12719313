/** Delays between tries. Pure: chance is handed in. */

export interface BackoffPolicy {
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * Decorrelated jitter: the next delay is uniform between the minimum and three times the previous one, so that
 * many nodes that lost the same hub do not come back in step.
 */
export function nextDelayMs(
  previousMs: number | undefined,
  policy: BackoffPolicy,
  random: () => number,
): number {
  const from = policy.minMs;
  const to = Math.max(from, 3 * (previousMs ?? policy.minMs));
  return Math.min(policy.maxMs, from + random() * (to - from));
}
