/**
 * The reasoning of a chat server: the names that it goes by, and what such a server wants back of it with the next turn.
 * That travels as the blob of the reasoning, so that only who told it gets it in its own words.
 */
import { z } from 'zod';
import { Card } from '../../core/card.ts';
import { REASONING_BLOB_CHARS_MAX } from '../../core/limits.ts';
import { type JsonObject, tolerantJson } from '../../lib/json.ts';
import { AnyObject, maybe } from '../door.ts';
import type { HubBlob, HubReasoning } from '../hub-item.ts';
import { present } from '../present.ts';

const Field = z.enum(['reasoning_content', 'reasoning', 'reasoning_text', 'thinking']);
type Field = z.infer<typeof Field>;

/** Members of a message's or delta's schema. */
export const REASONING_WIRE = {
  reasoning_content: maybe(z.string()),
  reasoning: maybe(z.string()).catch(undefined),
  reasoning_text: maybe(z.string()).catch(undefined),
  reasoning_details: maybe(z.array(AnyObject)).catch(undefined),
};

/** Where reasoning may stand; `thinking` is what stands in parts of the content. */
export interface Reasoned {
  readonly reasoning_content?: string | undefined;
  readonly reasoning?: string | undefined;
  readonly reasoning_text?: string | undefined;
  readonly reasoning_details?: readonly JsonObject[] | undefined;
  readonly thinking: string;
}

const DetailText = z.object({ text: maybe(z.string()), summary: maybe(z.string()) });

/** Whether any of the names is there at all: most chunks of a stream have none. */
export function hasReasoning(said: Omit<Reasoned, 'thinking'>): boolean {
  const named = said.reasoning_content ?? said.reasoning ?? said.reasoning_text;
  return named !== undefined || said.reasoning_details !== undefined;
}

/** The first that says something: servers repeat it under several names. */
export function reasoningOf(said: Reasoned): string {
  const field = fieldOf(said);
  if (field !== undefined) return said[field] ?? '';
  const details = said.reasoning_details ?? [];
  return details
    .map((detail) => DetailText.safeParse(detail).data)
    .map((told) => told?.text ?? told?.summary ?? '')
    .join('');
}

function fieldOf(said: Reasoned): Field | undefined {
  return Field.options.find((field) => Boolean(said[field]));
}

/** What a chat server's blob holds: where its reasoning stood, and OpenRouter's list, which it wants back unchanged. */
const Kept = z.object({ field: maybe(Field), details: maybe(z.array(AnyObject)) });

/** Gathers that from a message, or from the deltas of a stream. */
export class ReasoningTrace {
  #field: Field | undefined;
  readonly #details: JsonObject[] = [];
  #chars = 0;

  get isEmpty(): boolean {
    return this.#field === undefined && this.#details.length === 0;
  }

  add(said: Reasoned): void {
    this.#field ??= fieldOf(said);
    for (const detail of said.reasoning_details ?? []) this.#detail(detail);
  }

  /** Undefined where the server said nothing of it, or too much to be carried to and fro. */
  get blob(): HubBlob | undefined {
    if (this.isEmpty || this.#chars > REASONING_BLOB_CHARS_MAX) return undefined;
    const details = this.#details.length === 0 ? undefined : this.#details;
    return { dialect: 'chat', data: JSON.stringify({ field: this.#field, details }) };
  }

  /** In a stream a detail comes in pieces, all of one type and number. */
  #detail(piece: JsonObject): void {
    for (const name of GROWING) if (typeof piece[name] === 'string') this.#chars += piece[name].length;
    if (this.#chars > REASONING_BLOB_CHARS_MAX) return;
    const last = this.#details.at(-1);
    const isNext = last !== undefined && last.type === piece.type && last.index === piece.index;
    if (!isNext || isOther(last, piece)) this.#details.push(piece);
    else this.#details[this.#details.length - 1] = joined(last, piece);
  }
}

const GROWING = ['text', 'summary', 'data'] as const;

/** Two ids, or two whole blobs, are two details: some servers give no numbers. */
function isOther(last: JsonObject, piece: JsonObject): boolean {
  const hasOtherId = Boolean(last.id) && Boolean(piece.id) && last.id !== piece.id;
  return hasOtherId || (piece.data !== undefined && last.data !== undefined);
}

function joined(last: JsonObject, piece: JsonObject): JsonObject {
  const all = { ...last, ...present(piece) };
  const grown = GROWING.flatMap((name) => {
    const [before, now] = [last[name], piece[name]];
    return typeof before === 'string' && typeof now === 'string' ? [[name, before + now] as const] : [];
  });
  return { ...all, ...Object.fromEntries(grown) };
}

export interface WrittenReasoning {
  /** Of the assistant's message. */
  readonly members: JsonObject;
  /** Before what else the content says. */
  readonly parts: readonly JsonObject[];
}

/** As the server told it, where that is known; else under the name that most servers read. */
export function writeReasoning(items: readonly HubReasoning[]): WrittenReasoning {
  const kept = items.flatMap(({ blob }) => {
    if (blob?.dialect !== 'chat') return [];
    const read = Kept.safeParse(tolerantJson(blob.data));
    return read.success ? [read.data] : [];
  });
  const details = kept.flatMap((one) => one.details ?? []);
  if (details.length > 0) return { members: { reasoning_details: details }, parts: [] };
  const texts = items.map((item) => item.text || item.summary.join('\n\n')).filter((text) => text !== '');
  if (texts.length === 0) return { members: {}, parts: [] };
  const text = texts.join('\n\n');
  const field = kept.find((one) => one.field !== undefined)?.field ?? 'reasoning_content';
  if (field !== 'thinking') return { members: { [field]: text }, parts: [] };
  return { members: {}, parts: [{ type: 'thinking', thinking: [{ type: 'text', text }] }] };
}

/** How the blob of a server of another dialect stands in a chat message: clients that know OpenRouter give it back. */
const FORMAT = /^clawmatrix:(\w+):(.+)$/;
/** To be searched for in a request: where it is not, there is none. */
export const FOREIGN_BLOB_BEGINS = Buffer.from('"clawmatrix:');

export function writeForeignBlob(
  blob: HubBlob | undefined,
  provider: string,
  index: number,
): JsonObject | undefined {
  if (blob === undefined || blob.dialect === 'chat') return undefined;
  return {
    type: 'reasoning.encrypted',
    data: blob.data,
    format: `clawmatrix:${blob.dialect}:${provider}`,
    // Clients put the pieces of one number together.
    index,
  };
}

const ForeignBlob = z.object({ data: z.string(), format: z.string().regex(FORMAT) });

/** Whether a server of another dialect made it, whoever that was: to one of this dialect it says nothing. */
export function isForeignBlob(detail: unknown): boolean {
  return ForeignBlob.safeParse(detail).success;
}

/** The blobs among a message's details that came from servers of other dialects. */
export function readForeignBlobs(details: readonly JsonObject[]): readonly HubBlob[] {
  return details.flatMap((detail) => {
    const read = ForeignBlob.safeParse(detail);
    const [, dialect, provider] = read.success ? (FORMAT.exec(read.data.format) ?? []) : [];
    const known = Card.shape.dialect.safeParse(dialect);
    if (!read.success || !known.success || provider === undefined) return [];
    return [{ dialect: known.data, provider, data: read.data.data }];
  });
}
