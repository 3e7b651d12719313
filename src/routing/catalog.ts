/** Every target this node knows, its own and the others', as their nodes last told. Knows names; makes no choice. */
import type { Target } from '../core/call.ts';
import type { NodeId } from '../core/ids.ts';

/** One node's targets. A node that is down keeps its cards here: people see what is missing. */
export interface CatalogNode {
  readonly id: NodeId;
  readonly name: string;
  readonly live: boolean;
  readonly targets: readonly Target[];
}

export class Catalog {
  #nodes: readonly CatalogNode[] = [];

  get nodes(): readonly CatalogNode[] {
    return this.#nodes;
  }

  /** Replaces all that was known. */
  replace(nodes: readonly CatalogNode[]): void {
    this.#nodes = nodes;
  }
}
