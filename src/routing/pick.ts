/** Which of several targets is asked first. Pure. */
import type { Target } from '../core/call.ts';

/** Local before remote, then the fewest of this entry's own calls in flight; the order they came in breaks a tie. */
export function pick(targets: readonly Target[], inFlight: (target: Target) => number): Target | undefined {
  let best: Target | undefined;
  for (const target of targets) {
    if (best === undefined || comesBefore(target, best, inFlight)) best = target;
  }
  return best;
}

function comesBefore(one: Target, other: Target, inFlight: (target: Target) => number): boolean {
  if (one.place !== other.place) return one.place === 'local';
  return inFlight(one) < inFlight(other);
}
