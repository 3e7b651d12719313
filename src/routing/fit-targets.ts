/** Of the targets that a name means, those that can answer this very call. Pure. */
import type { Call, Target, TargetKey } from '../core/call.ts';
import { API_NAMES } from '../core/dialect.ts';
import { ClawError } from '../core/errors.ts';
import type { Catalog } from './catalog.ts';

/** The one that keeps what the call refers to. Throws `no_owner`. */
export function homeTarget(home: TargetKey, catalog: Catalog): readonly Target[] {
  const { node, provider, id } = home;
  const live = catalog
    .live(id)
    ?.filter((target) => target.node === node && target.card.provider === provider);
  if (live !== undefined && live.length > 0) return live;
  const name = catalog.nodes.find((known) => known.id === node)?.name ?? node;
  const text = `what this call refers to is kept by provider ${provider} of node ${name}, which does not take calls for model ${id} at present`;
  throw new ClawError('no_owner', text);
}

/** All, for a call; for an operation those that speak its dialect. Throws `unsupported_operation`. */
export function fitTargets(
  targets: readonly Target[],
  { operation, dialect, model }: Call,
): readonly Target[] {
  if (operation === undefined) return targets;
  const fit = targets.filter(({ card }) => card.dialect === dialect && card.agent !== true);
  if (fit.length > 0) return fit;
  const apis = [...new Set(targets.map(({ card }) => API_NAMES[card.dialect]))].join(', ');
  const text = `the server of model ${model.id} has no "${operation.kind}": its API is ${apis}, and this is of ${API_NAMES[dialect]}; call a model of such a server`;
  throw new ClawError('unsupported_operation', text, { param: 'model' });
}
