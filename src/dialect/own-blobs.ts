/** Blobs are for who made them: those of other providers stay here, as they would be refused or betray what they hold. */
import type { Card } from '../core/card.ts';
import type { HubRequest, HubTurn } from './hub.ts';
import type { HubItem } from './hub-item.ts';

type Maker = Pick<Card, 'dialect' | 'provider'>;

/** The request with the blobs that this provider made, and no others. */
export function withOwnBlobs(request: HubRequest, maker: Maker): HubRequest {
  return { ...request, turns: request.turns.map((turn) => ownTurn(turn, maker)) };
}

function ownTurn(turn: HubTurn, maker: Maker): HubTurn {
  if (turn.role !== 'assistant' || !turn.items.some((item) => isForeign(item, maker))) return turn;
  return { role: 'assistant', items: turn.items.map((item) => ownItem(item, maker)) };
}

/** What of the reasoning can be read is kept. */
function ownItem(item: HubItem, maker: Maker): HubItem {
  if (item.kind !== 'reasoning' || !isForeign(item, maker)) return item;
  const { blob: _, ...rest } = item;
  return rest;
}

function isForeign(item: HubItem, { dialect, provider }: Maker): boolean {
  if (item.kind !== 'reasoning' || item.blob === undefined) return false;
  return item.blob.dialect !== dialect || item.blob.provider !== provider;
}
