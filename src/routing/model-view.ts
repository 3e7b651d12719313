/** A target as people see it: the row of `models` and `/v1/models`. */
import type { Target } from '../core/call.ts';
import { API_NAMES, type ModelView } from '../core/views.ts';
import type { CatalogNode } from './catalog.ts';

export function viewOfTarget({ card, nodeName, place }: Target, node: CatalogNode): ModelView {
  return {
    id: card.id,
    node: nodeName,
    nodeId: node.id,
    provider: card.provider,
    api: API_NAMES[card.dialect],
    reachable: node.live,
    contextWindow: card.contextWindow ?? null,
    local: place === 'local',
    card,
  };
}
