/** From the name that a client wrote to the targets it means. Pure. */
import type { Target } from '../core/call.ts';
import { nearestFew } from '../lib/nearest.ts';
import type { CatalogNode } from './catalog.ts';

export type Resolution =
  | { readonly kind: 'found'; readonly targets: readonly Target[] }
  /** The model is known, but no node that has it can be reached. */
  | { readonly kind: 'offline'; readonly nodes: readonly string[] }
  /** The name means several things; each spelling in the list means one. */
  | { readonly kind: 'ambiguous'; readonly names: readonly string[] }
  /** `known`: how many models there are at all. */
  | { readonly kind: 'unknown'; readonly nearest: readonly string[]; readonly known: number };

interface Place {
  readonly node: CatalogNode;
  readonly target: Target;
}

/**
 * In this order: the exact id; `node/id` with the node's name or id; `provider/id`; an id's last part that only one
 * model has. Ids hold slashes themselves (`Qwen/Qwen3-8B`), so every rule is tried on the whole text.
 */
export function resolve(text: string, nodes: readonly CatalogNode[]): Resolution {
  const places = nodes.flatMap((node) => node.targets.map((target) => ({ node, target })));
  const exact = places.filter(({ target }) => target.card.id === text);
  if (exact.length > 0) return settle(exact);
  const slash = text.indexOf('/');
  if (slash > 0) {
    const [head, rest] = [text.slice(0, slash), text.slice(slash + 1)];
    const named = ofNode(head, rest, nodes, places);
    if (named !== undefined) return named;
    const provided = places.filter(({ target: { card } }) => card.provider === head && card.id === rest);
    if (provided.length > 0) return settle(provided);
  }
  const ending = places.filter(({ target }) => target.card.id.endsWith(`/${text}`));
  const ids = [...new Set(ending.map(({ target }) => target.card.id))];
  if (ids.length > 1) return { kind: 'ambiguous', names: ids };
  if (ids.length === 1) return settle(ending);
  const all = places.map(({ target }) => target.card.id);
  return { kind: 'unknown', nearest: nearestFew(text, all), known: all.length };
}

/** What `head/rest` means where `head` is a node, or undefined where it is none or has no such model. */
function ofNode(
  head: string,
  rest: string,
  nodes: readonly CatalogNode[],
  places: readonly Place[],
): Resolution | undefined {
  const named = nodes.filter((node) => node.name === head || node.id === head);
  const live = named.filter((node) => node.live);
  const meant = live.length > 0 ? live : named;
  const found = places.filter(
    ({ node, target: { card } }) =>
      meant.includes(node) && (card.id === rest || `${card.provider}/${card.id}` === rest),
  );
  if (found.length === 0) return undefined;
  const owners = [...new Set(found.map(({ node }) => node))];
  if (owners.length > 1) return { kind: 'ambiguous', names: owners.map(({ id }) => `${id}/${rest}`) };
  return settle(found);
}

function settle(places: readonly Place[]): Resolution {
  const live = places.filter(({ node }) => node.live);
  if (live.length > 0) return { kind: 'found', targets: live.map(({ target }) => target) };
  return { kind: 'offline', nodes: [...new Set(places.map(({ node }) => node.name))] };
}
