/** What `/status`, `/v1/models` and the command line show; made by the daemon, printed by the others. */
import type { Card } from './card.ts';
import type { API_NAMES, Dialect } from './dialect.ts';
import type { NodeId } from './ids.ts';

export interface PeerView {
  readonly id: NodeId | null;
  /** Null until the peer has been met once. */
  readonly name: string | null;
  readonly status: 'direct' | 'relay' | 'down';
  readonly rttMs: number | null;
  /** Names of the nodes on the way, this one first. Empty when down. */
  readonly path: readonly string[];
  readonly models: readonly string[];
  readonly version: string | null;
  /** The configured address, for a peer that this node dials. */
  readonly url: string | null;
  /** Why it is down, where that is known. */
  readonly reason: string | null;
}

export interface ModelView {
  readonly id: string;
  /** The owner's name. */
  readonly node: string;
  readonly nodeId: NodeId;
  readonly provider: string;
  readonly api: (typeof API_NAMES)[Dialect];
  readonly reachable: boolean;
  readonly contextWindow: number | null;
  readonly local: boolean;
  /** The whole card, for `/v1/models`. */
  readonly card: Card;
}

export interface StatusView {
  readonly id: NodeId;
  readonly name: string;
  readonly version: string;
  readonly pid: number;
  /** The number of this start: it tells one start from the next in the same process. */
  readonly bootEpoch: number;
  readonly uptimeSeconds: number;
  readonly proxy: string;
  /** The mesh listener's address, null when this node only dials. */
  readonly listen: string | null;
  readonly peers: { readonly direct: number; readonly down: number };
  readonly models: { readonly local: number; readonly remote: number };
  /** Calls that came in at this proxy and are running, and those that other nodes run here. */
  readonly calls: { readonly entry: number; readonly owner: number };
  readonly warnings: readonly string[];
}
