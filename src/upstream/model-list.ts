/** What a server's list of models says, as cards: OpenAI's form, and what common servers add to it, or a dialect's own. Pure. */
import { z } from 'zod';
import { Card, ModelId } from '../core/card.ts';
import { ClawError } from '../core/errors.ts';
import { DISCOVERY_ROWS_MAX } from '../core/limits.ts';
import type { DiscoverySpec } from '../core/upstream-spec.ts';
import type { ModelListing } from '../dialect/shape.ts';
import { tolerantJson } from '../lib/json.ts';

export interface ModelList {
  /** In the order of their ids: some servers list theirs in another order each time. */
  readonly cards: readonly Card[];
  /** Ids that no model can have here, as they were written. */
  readonly refused: readonly string[];
  /** Rows that were not looked at. */
  readonly unread: number;
  /** Whom the server names as the owners of its models: some name themselves. */
  readonly owners: ReadonlySet<string>;
}

/** Who is asked: a server that somebody named, or whatever listens on a usual port. */
export type Asked = 'named' | 'usual';

/** An Ollama without any model says null. */
const rows = z
  .array(z.unknown())
  .nullable()
  .transform((data) => data ?? []);
const OpenAiForm = z.object({ object: z.literal('list'), data: rows }).transform(({ data }) => data);
/** Some providers leave `object` out, some (Together) answer with the bare rows. */
const LooseForm = z.union([z.object({ data: rows }).transform(({ data }) => data), z.array(z.unknown())]);

const Rows = z.array(z.unknown());

const tokens = Card.shape.contextWindow.catch(undefined);

const Row = z.object({
  id: z.string(),
  /** LM Studio, Together. */
  type: z.string().optional().catch(undefined),
  /** vLLM. */
  max_model_len: tokens,
  /** llama.cpp: what one request may use, and what the model was trained with. */
  meta: z.object({ n_ctx: tokens, n_ctx_train: tokens }).optional().catch(undefined),
  /** LM Studio. */
  loaded_context_length: tokens,
  max_context_length: tokens,
  /** OpenRouter. */
  context_length: tokens,
  /** Groq. */
  context_window: tokens,
});
type Row = z.infer<typeof Row>;

const Owned = z.object({ owned_by: z.string() });

/** A row of our own proxy, as http writes it. */
const NodeRow = z.object({ node_id: z.string(), reachable: z.boolean(), owned_by: z.string() });

/** Models that answer no call. */
const EMBEDDING_TYPES = new Set(['embedding', 'embeddings']);

/** Throws a `ClawError` where the text is no list of a model server. */
export function readModelList(
  text: string,
  { provider, dialect }: Pick<DiscoverySpec, 'provider' | 'dialect'>,
  asked: Asked,
  listing?: ModelListing,
): ModelList {
  const all = rowsOf(text, asked, listing);
  const read = all.slice(0, DISCOVERY_ROWS_MAX);
  if (read.some((row) => NodeRow.safeParse(row).success))
    throw new ClawError(
      'upstream_protocol',
      'that is the proxy of a ClawMatrix node, whose models it announces itself: name the node in "peers"',
    );
  const cards = new Map<string, Card>();
  const refused: string[] = [];
  for (const written of read) {
    const { data: row } = Row.safeParse(written);
    if (row === undefined) refused.push('a model without an id');
    else if (!ModelId.safeParse(row.id).success) refused.push(row.id);
    else if (!EMBEDDING_TYPES.has(row.type ?? '')) cards.set(row.id, cardOf(row, provider, dialect));
  }
  const sorted = [...cards.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return { cards: sorted, refused, unread: all.length - read.length, owners: ownersAmong(read) };
}

/** Whom a reply names as the owners of its models; nobody where it is no list. */
export function ownersIn(text: string): ReadonlySet<string> {
  const { data: all = [] } = LooseForm.safeParse(tolerantJson(text));
  return ownersAmong(all.slice(0, DISCOVERY_ROWS_MAX));
}

/** The ids in a list, as they are written; undefined where it is none, as where none of its rows has one. */
export function idsIn(text: string, listing: ModelListing | undefined): readonly string[] | undefined {
  const list = tolerantJson(text);
  const all = listing === undefined ? LooseForm.safeParse(list).data : listing.rows(list);
  const ids = all?.flatMap((row) => Row.safeParse(row).data?.id ?? []);
  return ids?.length === 0 && all?.length !== 0 ? undefined : ids;
}

function ownersAmong(read: readonly unknown[]): ReadonlySet<string> {
  return new Set(read.flatMap((row) => Owned.safeParse(row).data?.owned_by ?? []));
}

function rowsOf(text: string, asked: Asked, listing: ModelListing | undefined): readonly unknown[] {
  try {
    if (listing !== undefined) return Rows.parse(listing.rows(JSON.parse(text)));
    // On a usual port there may be anything: only what says in so many words that it is a list is taken for one.
    return (asked === 'usual' ? OpenAiForm : LooseForm).parse(JSON.parse(text));
  } catch (cause) {
    const message = 'it answered with something that is no list of models: check the baseUrl';
    throw new ClawError('upstream_protocol', message, { cause });
  }
}

function cardOf(row: Row, provider: string, dialect: Card['dialect']): Card {
  const contextWindow = contextWindowOf(row);
  return { id: row.id, provider, dialect, ...(contextWindow === undefined ? {} : { contextWindow }) };
}

/** What the server will take, before what the model could: too large a figure lets requests be cut in silence. */
function contextWindowOf(row: Row): number | undefined {
  return (
    row.max_model_len ??
    row.meta?.n_ctx ??
    row.loaded_context_length ??
    row.context_length ??
    row.context_window ??
    row.max_context_length ??
    row.meta?.n_ctx_train
  );
}
