/** The rows of `/v1/models`: one for each model id, however many nodes own it. */
import { ClawError } from '../core/errors.ts';
import type { ModelView } from '../core/views.ts';
import { nearestFew } from '../lib/nearest.ts';

export interface ModelRow {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
  readonly description: string | null;
  readonly context_window: number | null;
  readonly max_tokens: number | null;
  readonly reasoning: boolean;
  readonly input: readonly string[];
  readonly api: ModelView['api'];
  readonly cost: { input: number; output: number; cacheRead: number; cacheWrite: number };
  readonly compat: Readonly<Record<string, boolean>>;
  readonly node_id: string;
  readonly reachable: boolean;
}

export function modelRows(models: readonly ModelView[], all: boolean): readonly ModelRow[] {
  const best = new Map<string, ModelView>();
  for (const model of models) {
    if (!all && !model.reachable) continue;
    const other = best.get(model.id);
    if (other === undefined || isBetter(model, other)) best.set(model.id, model);
  }
  return [...best.values()].map(rowOf).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** By exact id, else `node/id` with the node's name or id, else `provider/id`. Throws `model_not_found`. */
export function modelRow(models: readonly ModelView[], name: string): ModelRow {
  const found =
    bestOf(models.filter(({ id }) => id === name)) ??
    bestOf(models.filter(({ id, node, nodeId }) => name === `${node}/${id}` || name === `${nodeId}/${id}`)) ??
    bestOf(models.filter(({ id, provider }) => name === `${provider}/${id}`));
  if (found !== undefined) return rowOf(found);
  const near = nearestFew(
    name,
    models.map(({ id }) => id),
  );
  const hint = near.length === 0 ? 'see /v1/models' : `the nearest: ${near.join(', ')}`;
  throw new ClawError('model_not_found', `there is no model "${name.slice(0, 256)}"; ${hint}`, {
    param: 'model',
  });
}

function bestOf(models: readonly ModelView[]): ModelView | undefined {
  return models.reduce<ModelView | undefined>(
    (best, model) => (best === undefined || isBetter(model, best) ? model : best),
    undefined,
  );
}

/** The owner that a call would most likely go to. */
function isBetter(one: ModelView, other: ModelView): boolean {
  if (one.reachable !== other.reachable) return one.reachable;
  if (one.local !== other.local) return one.local;
  return one.node < other.node;
}

function rowOf({ id, nodeId, provider, api, reachable, contextWindow, card }: ModelView): ModelRow {
  const { input = 0, output = 0, cacheRead = 0, cacheWrite = 0 } = card.cost ?? {};
  return {
    id,
    object: 'model',
    // No owner tells when its model was made; clients want a number.
    created: 0,
    owned_by: provider,
    description: card.description ?? null,
    context_window: contextWindow,
    max_tokens: card.maxTokens ?? null,
    reasoning: card.reasoning ?? false,
    input: card.input ?? ['text'],
    api,
    cost: { input, output, cacheRead, cacheWrite },
    // What a server cannot do is mended here, so there is nothing that a client has to avoid.
    compat: {},
    node_id: nodeId,
    reachable,
  };
}
