/** Two links to one node: which of them stays. Pure; both ends come to the same answer. */
import type { NodeId } from '../core/ids.ts';

/** What of a link counts here. */
export interface Rival {
  /** The node that dialled. */
  readonly initiator: NodeId;
  /** What the other node said of itself. */
  readonly ready: { readonly epoch: number };
}

/** Whether the link that stands is kept, and the next one closed. */
export function stays(current: Rival, next: Rival): boolean {
  if (next.ready.epoch !== current.ready.epoch) return next.ready.epoch < current.ready.epoch;
  // A second one by the same node: it has lost the first, whether or not this end knows already.
  if (next.initiator === current.initiator) return false;
  return current.initiator < next.initiator;
}
