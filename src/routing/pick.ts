/** Which of several targets is asked first. Pure. */
import type { Target } from '../core/call.ts';

/** How the targets are doing. */
export interface Condition {
  /** Whether it has not failed lately. */
  readonly isFit: (target: Target) => boolean;
  /** The entry's own calls that it has. */
  readonly inFlight: (target: Target) => number;
}

/**
 * Fit before cooling, local before remote, then the fewest of this entry's own calls in flight; the order they came in
 * breaks a tie. One that is cooling is still asked where there is no other.
 */
export function pick(targets: readonly Target[], condition: Condition): Target | undefined {
  const [only] = targets;
  if (targets.length < 2) return only;
  let best: Target | undefined;
  for (const target of targets) {
    if (best === undefined || comesBefore(target, best, condition)) best = target;
  }
  return best;
}

function comesBefore(one: Target, other: Target, { isFit, inFlight }: Condition): boolean {
  const fit = isFit(one);
  if (fit !== isFit(other)) return fit;
  if (one.place !== other.place) return one.place === 'local';
  return inFlight(one) < inFlight(other);
}
