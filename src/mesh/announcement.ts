/** What nodes tell of themselves, signed: the node's record and its cards. Making, checking, nothing kept. */
import { z } from 'zod';
import { Card } from '../core/card.ts';
import { DIALECTS } from '../core/dialect.ts';
import { type NodeId, WrittenNodeId } from '../core/ids.ts';
import {
  ADDRESSES_PER_NODE_MAX,
  CARDS_PER_NODE_MAX,
  CARDS_PER_PAGE_MAX,
  FRAME_PAYLOAD_BYTES_MAX,
  NEIGHBOURS_PER_NODE_MAX,
} from '../core/limits.ts';
import { NodeName, type SignedFrame, SoftwareVersion } from '../protocol/frame.ts';
import { type Identity, isSignedByNode, SIGNATURE_BYTES } from './identity.ts';

const counter = z.int().nonnegative();

/** The newest (epoch, seq) of a node counts; wall clocks are never compared. */
const version = { id: WrittenNodeId, epoch: counter, seq: counter };

export const NodeRecord = z.object({
  ...version,
  name: NodeName,
  version: SoftwareVersion,
  addresses: z.array(z.string().max(256)).max(ADDRESSES_PER_NODE_MAX),
  listens: z.boolean(),
  relays: z.boolean(),
  neighbours: z
    .array(z.object({ id: WrittenNodeId, rtt: z.int().min(0).max(3) }))
    .max(NEIGHBOURS_PER_NODE_MAX),
  draining: z.boolean(),
});

/** A newer node may have models in dialects that are not known here: those are passed over, and nothing else of it is. */
const ForeignCard = z.object({
  dialect: z.string().refine((name) => !DIALECTS.some((known) => known === name)),
});

const cards = z
  .array(z.unknown())
  .max(CARDS_PER_PAGE_MAX)
  .transform((told) => told.filter((card) => !ForeignCard.safeParse(card).success))
  .pipe(z.array(Card));

export const CardPage = z.object({
  ...version,
  page: counter.max(CARDS_PER_NODE_MAX),
  pages: counter.min(1).max(CARDS_PER_NODE_MAX),
  cards,
});

export type NodeRecord = z.infer<typeof NodeRecord>;
export type CardPage = z.infer<typeof CardPage>;

/** What is signed fits one frame, with room for the rest of the page's JSON. */
const PAGE_BYTES_MAX = FRAME_PAYLOAD_BYTES_MAX - SIGNATURE_BYTES - 512;

export function nodeFrame(identity: Identity, record: Omit<NodeRecord, 'id'>): SignedFrame {
  return sealed(identity, 'node', { id: identity.id, ...record });
}

/** All cards in as few pages as they fit; one empty page where there are none. */
export function cardFrames(
  identity: Identity,
  at: { epoch: number; seq: number },
  cards: readonly Card[],
): SignedFrame[] {
  const pages = pagesOf(cards.slice(0, CARDS_PER_NODE_MAX));
  return pages.map((page, index) =>
    sealed(identity, 'cards', { id: identity.id, ...at, page: index, pages: pages.length, cards: page }),
  );
}

/** The record inside, or why there is none. It must be the neighbour's own: nobody speaks for another yet. */
export function readSigned<T extends { id: NodeId }>(
  frame: SignedFrame,
  schema: z.ZodType<T>,
  neighbour: NodeId,
): { readonly value: T } | { readonly fault: string } {
  if (!isSignedByNode(neighbour, frame.type, frame.json, frame.signature))
    return { fault: 'not signed by this neighbour' };
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(frame.json).toString('utf8'));
  } catch {
    return { fault: 'not JSON' };
  }
  const checked = schema.safeParse(parsed);
  if (!checked.success) return { fault: checked.error.issues[0]?.message ?? 'not a record' };
  return checked.data.id === neighbour ? { value: checked.data } : { fault: 'about another node' };
}

/** Whether `next` is newer than `known`. */
export function isNewer(
  next: { readonly epoch: number; readonly seq: number },
  known: { readonly epoch: number; readonly seq: number } | undefined,
): boolean {
  if (known === undefined || next.epoch !== known.epoch) return next.epoch > (known?.epoch ?? -1);
  return next.seq > known.seq;
}

function sealed(identity: Identity, type: 'node' | 'cards', value: unknown): SignedFrame {
  const json = Buffer.from(JSON.stringify(value), 'utf8');
  return { type, signature: identity.sign(type, json), json };
}

function pagesOf(cards: readonly Card[]): Card[][] {
  const pages: Card[][] = [];
  let page: Card[] = [];
  let bytes = 0;
  for (const card of cards) {
    const size = Buffer.byteLength(JSON.stringify(card)) + 1;
    if (page.length > 0 && (page.length === CARDS_PER_PAGE_MAX || bytes + size > PAGE_BYTES_MAX)) {
      pages.push(page);
      page = [];
      bytes = 0;
    }
    page.push(card);
    bytes += size;
  }
  return [...pages, page];
}
