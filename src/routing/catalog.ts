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
  /** Targets of live nodes by model id: what nearly every call asks for, found without a walk over all cards. */
  #live: ReadonlyMap<string, readonly Target[]> = new Map();

  get nodes(): readonly CatalogNode[] {
    return this.#nodes;
  }

  /** The targets that can be reached of exactly this id; undefined where there is none. */
  live(id: string): readonly Target[] | undefined {
    return this.#live.get(id);
  }

  /** Replaces all that was known. */
  replace(nodes: readonly CatalogNode[]): void {
    const live = new Map<string, Target[]>();
    for (const target of nodes.flatMap((node) => (node.live ? node.targets : []))) {
      const same = live.get(target.card.id);
      if (same === undefined) live.set(target.card.id, [target]);
      else same.push(target);
    }
    this.#nodes = nodes;
    this.#live = live;
  }
}
