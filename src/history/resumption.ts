/** How one request goes on from what is kept: at the upstream that keeps it, or written out for whoever can answer. */
import type { Call, Target, TargetKey } from '../core/call.ts';
import { changed } from '../lib/changed.ts';
import type { JsonObject } from '../lib/json.ts';
import { isSummary, opened } from './compaction.ts';
import { asBody, Conversation, isSame, type Recall } from './conversation.ts';
import { itemsOf, previousOf, referredTo } from './input.ts';
import type { Kept } from './kept.ts';

export interface Knowledge extends Recall {
  /** The upstream that keeps a response which is no longer known otherwise. */
  upstreamOf(id: string): { readonly target: TargetKey; readonly id: string } | undefined;
  /** The live targets that a model's name means; none for a name that means nothing. */
  targets(model: string): readonly Pick<Target, 'node' | 'card'>[];
}

/** What a request refers to, as far as it is known here. */
interface References {
  readonly previous: string | undefined;
  readonly kept: readonly Kept[];
  /** How many of them are not known. */
  readonly unknown: number;
}

export function resumed(call: Call, body: JsonObject, know: Knowledge): Call {
  const items = itemsOf(body.input);
  const references = referencesOf(body, items, know);
  const { previous } = references;
  const hasSummary = items.some(isSummary);
  if (previous === undefined && references.kept.length + references.unknown === 0)
    return hasSummary ? changed(call, { body: asBody(body, items.map(opened)) }) : call;
  const targets = know.targets(call.model.id);
  // Whoever cannot be asked cannot answer either: the router says why.
  if (targets.length === 0) return call;
  const named = previous === undefined ? call : changed(call, { continues: previous });
  const own = targets.filter(({ card }) => card.dialect === 'responses').map(keyOf);
  if (references.kept.length === 0 && !hasSummary) {
    const passed = passedOn(named, references, own, know);
    if (passed !== undefined) return passed;
  }
  const write = () => changed(named, { body: writtenOut(body, previous, own, know) });
  const home = homeOf(references, own, know);
  if (home === undefined) return write();
  const at = changed(named, { home: home.target, writtenOut: write });
  if (home.id === previous && !hasSummary) return at;
  const sent = home.id === undefined ? body : { ...body, previous_response_id: home.id };
  return changed(at, { body: jsonOf(hasSummary ? { ...sent, input: items.map(opened) } : sent) });
}

/** Nothing of what it refers to is known here: whoever may know it judges. Undefined where nobody may. */
function passedOn(
  call: Call,
  { previous }: References,
  own: readonly TargetKey[],
  know: Knowledge,
): Call | undefined {
  const elsewhere = previous === undefined ? undefined : know.upstreamOf(previous);
  const home = own.find((one) => isSame(one, elsewhere?.target));
  if (home !== undefined) return changed(call, { home });
  const [first] = own;
  // The others of the model's owners could only refuse it.
  return first === undefined ? undefined : changed(call, own.length === 1 ? { home: first } : {});
}

function writtenOut(
  body: JsonObject,
  previous: string | undefined,
  own: readonly TargetKey[],
  know: Knowledge,
): Uint8Array {
  const write = (request: JsonObject) =>
    new Conversation(know, { own, mayKnow: own.length > 0 }).items(request);
  if (previous === undefined || know.response(previous) !== undefined || own.length === 0)
    return asBody(body, write(body));
  // Only its upstream may know the response: that stays in the request.
  const { previous_response_id: _previous, ...rest } = body;
  return jsonOf({ ...body, input: write(rest) });
}

function referencesOf(body: JsonObject, items: readonly unknown[], know: Knowledge): References {
  const previous = previousOf(body);
  const ids = items.map(referredTo).filter((id) => id !== undefined);
  const found = [
    ...(previous === undefined ? [] : [know.response(previous)]),
    ...ids.map((id) => know.withItem(id)),
  ];
  const kept = found.filter((one) => one !== undefined);
  return { previous, kept: [...new Set(kept)], unknown: found.length - kept.length };
}

/** The one live target that keeps all that is referred to, and what it calls the response that is gone on from. */
function homeOf(
  { previous, kept }: References,
  own: readonly TargetKey[],
  know: Knowledge,
): { readonly target: TargetKey; readonly id: string | undefined } | undefined {
  const elsewhere = previous === undefined ? undefined : know.upstreamOf(previous);
  const keepers = kept.map((one) => one.upstream());
  const first = elsewhere?.target ?? keepers[0];
  if (first === undefined || !keepers.every((keeper) => keeper !== undefined && isSame(keeper, first)))
    return undefined;
  const target = own.find((one) => isSame(one, first));
  if (target === undefined) return undefined;
  return { target, id: previous === undefined ? undefined : (elsewhere?.id ?? previous) };
}

function keyOf({ node, card }: Pick<Target, 'node' | 'card'>): TargetKey {
  return { node, provider: card.provider, id: card.id };
}

function jsonOf(value: JsonObject): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
