/** Every target this node knows, its own and the others', as their nodes last told. Knows names; makes no choice. */
import type { Answer, Target } from '../core/call.ts';
import type { Card } from '../core/card.ts';
import type { NodeId } from '../core/ids.ts';
import { ProxyModels } from './proxy-models.ts';

/** One node's targets. A node that is down keeps its cards here: people see what is missing. */
export interface CatalogNode {
  readonly id: NodeId;
  readonly name: string;
  readonly live: boolean;
  readonly targets: readonly Target[];
}

/** A node with the targets that its cards make; `answerOf` says who answers for one of them. */
export function catalogNode(
  { place, ...node }: Omit<CatalogNode, 'targets'> & Pick<Target, 'place'>,
  cards: readonly Card[],
  answerOf: (card: Card) => Answer,
): CatalogNode {
  const at = { node: node.id, nodeName: node.name, place };
  return { ...node, targets: cards.map((card) => ({ ...at, card, answer: answerOf(card) })) };
}

export class Catalog {
  /** What this node says of models, whoever has them. */
  readonly words: ProxyModels;
  #nodes: readonly CatalogNode[] = [];
  #callable: readonly CatalogNode[] = [];
  /** Targets of live nodes by model id: what nearly every call asks for, found without a walk over all cards. */
  #live: ReadonlyMap<string, readonly Target[]> = new Map();

  constructor(words: ProxyModels = new ProxyModels([])) {
    this.words = words;
  }

  get nodes(): readonly CatalogNode[] {
    return this.#nodes;
  }

  /** The same without what is pinned to another node. */
  get callable(): readonly CatalogNode[] {
    return this.#callable;
  }

  /** The targets that can be reached of exactly this id; undefined where there is none. */
  live(id: string): readonly Target[] | undefined {
    return this.#live.get(id);
  }

  /** Replaces all that was known. */
  replace(nodes: readonly CatalogNode[]): void {
    const live = new Map<string, Target[]>();
    const callable = this.words.hasPins ? nodes.map((node) => this.#unpinned(node)) : nodes;
    for (const target of callable.flatMap((node) => (node.live ? node.targets : []))) {
      const same = live.get(target.card.id);
      if (same === undefined) live.set(target.card.id, [target]);
      else same.push(target);
    }
    this.#nodes = nodes;
    this.#callable = callable;
    this.#live = live;
  }

  #unpinned(node: CatalogNode): CatalogNode {
    return { ...node, targets: node.targets.filter(({ card }) => this.words.allows(card, node)) };
  }
}
