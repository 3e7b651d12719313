/** A target as people see it: the row of `models` and `/v1/models`. */
import type { Target } from '../core/call.ts';
import { API_NAMES } from '../core/dialect.ts';
import type { ModelView } from '../core/views.ts';
import type { Catalog, CatalogNode } from './catalog.ts';
import type { ProxyModels } from './proxy-models.ts';

/** All targets of the mesh. */
export function viewsOf({ nodes, words }: Pick<Catalog, 'nodes' | 'words'>): readonly ModelView[] {
  return nodes.flatMap((node) => node.targets.map((target) => viewOf(target, node, words)));
}

/** With this node's own words for it. What is pinned to another node cannot be reached on this one. */
function viewOf(target: Target, node: CatalogNode, words: ProxyModels): ModelView {
  const { nodeName, place } = target;
  const card = words.described(target.card);
  return {
    id: card.id,
    node: nodeName,
    nodeId: node.id,
    provider: card.provider,
    api: API_NAMES[card.dialect],
    reachable: node.live && words.allows(card, node),
    contextWindow: card.contextWindow ?? null,
    local: place === 'local',
    card,
  };
}
