/** One other node, met at least once: its link or why there is none, what it told of itself, the calls with it. */
import type { Card } from '../core/card.ts';
import type { NodeId } from '../core/ids.ts';
import { CARDS_PER_NODE_MAX } from '../core/limits.ts';
import type { CallFrame, Frame, SignedFrame } from '../protocol/frame.ts';
import {
  type CardPage,
  CardPage as CardPageSchema,
  isNewer,
  NodeRecord,
  readSigned,
} from './announcement.ts';
import { Exchange, type ExchangeParts } from './exchange.ts';
import type { Link } from './link.ts';
import type { LinkEnd } from './link-end.ts';

export type PeerState =
  | { readonly kind: 'linked'; readonly link: Link }
  /** It has said that it stops: its calls may end, and it takes no more. */
  | { readonly kind: 'leaving'; readonly link: Link }
  | { readonly kind: 'down'; readonly reason: string };

export type Goaway = Extract<Frame, { type: 'goaway' }>;

/** Pages of cards that are still coming in. */
interface Incoming {
  readonly at: { readonly epoch: number; readonly seq: number; readonly pages: number };
  readonly pages: Map<number, readonly Card[]>;
}

export class Peer {
  readonly id: NodeId;
  readonly exchange: Exchange;
  #state: PeerState = { kind: 'down', reason: 'not linked yet' };
  #name: string;
  #version: string;
  #record: NodeRecord | undefined;
  #cardsAt: { readonly epoch: number; readonly seq: number } | undefined;
  #cards: readonly Card[] = [];
  #incoming: Incoming | undefined;

  constructor(link: Link, parts: Omit<ExchangeParts, 'peer' | 'peerName'>) {
    this.id = link.peer;
    this.#name = link.ready.name;
    this.#version = link.ready.version;
    this.exchange = new Exchange({ ...parts, peer: this.id, peerName: () => this.#name });
  }

  get state(): PeerState {
    return this.#state;
  }

  /** The link that carries its calls. */
  get link(): Link | undefined {
    return this.#state.kind === 'down' ? undefined : this.#state.link;
  }

  get name(): string {
    return this.#name;
  }

  get version(): string {
    return this.#version;
  }

  /** What the node announced; kept while it is down, so that people see what is missing. */
  get cards(): readonly Card[] {
    return this.#cards;
  }

  /** Takes calls: linked, and not about to stop. */
  get live(): boolean {
    return this.#state.kind === 'linked' && this.#record?.draining !== true;
  }

  linked(link: Link): void {
    this.#state = { kind: 'linked', link };
    this.#name = link.ready.name;
    this.#version = link.ready.version;
    this.#incoming = undefined;
    this.exchange.attach(link);
  }

  /** The link that is the current one has ended. */
  down(end: LinkEnd): void {
    this.#state = { kind: 'down', reason: end.reason };
    this.exchange.detach(end.reason);
  }

  /** A frame of this node that came over its current link; says whether anything that others see has changed. */
  frame(link: Link, frame: CallFrame | SignedFrame | Goaway): 'changed' | 'same' {
    if (frame.type === 'goaway') {
      this.#state = { kind: 'leaving', link };
      return 'changed';
    }
    if (frame.type !== 'node' && frame.type !== 'cards') {
      this.exchange.frame(frame);
      return 'same';
    }
    const changed = frame.type === 'node' ? this.#takeRecord(frame) : this.#takeCards(frame);
    if (typeof changed !== 'string') return changed ? 'changed' : 'same';
    link.strike(`${frame.type}: ${changed}`);
    return 'same';
  }

  /** Whether it was news, or the fault. */
  #takeRecord(frame: SignedFrame): boolean | string {
    const read = readSigned(frame, NodeRecord, this.id);
    if ('fault' in read) return read.fault;
    if (!isNewer(read.value, this.#record)) return false;
    this.#record = read.value;
    this.#name = read.value.name;
    this.#version = read.value.version;
    return true;
  }

  #takeCards(frame: SignedFrame): boolean | string {
    const read = readSigned(frame, CardPageSchema, this.id);
    if ('fault' in read) return read.fault;
    const page = read.value;
    if (page.page >= page.pages) return 'a page beyond the last';
    if (!isNewer(page, this.#cardsAt)) return false;
    const cards = this.#collect(page);
    if (typeof cards === 'string') return cards;
    if (cards === undefined) return false;
    this.#cards = cards;
    this.#cardsAt = { epoch: page.epoch, seq: page.seq };
    this.#incoming = undefined;
    return true;
  }

  /** All cards of the set, once its last page is there; or the fault. */
  #collect(page: CardPage): readonly Card[] | string | undefined {
    let pending = this.#incoming;
    if (pending !== undefined && isNewer(pending.at, page)) return undefined;
    if (pending === undefined || isNewer(page, pending.at) || pending.at.pages !== page.pages) {
      pending = { at: { epoch: page.epoch, seq: page.seq, pages: page.pages }, pages: new Map() };
      this.#incoming = pending;
    }
    const { pages } = pending;
    pages.set(page.page, page.cards);
    const cards = [...pages].sort(([a], [b]) => a - b).flatMap(([, some]) => some);
    // Counted page by page: waiting for the last one would hold as much as somebody sends.
    if (cards.length > CARDS_PER_NODE_MAX) {
      this.#incoming = undefined;
      return `more than ${CARDS_PER_NODE_MAX} cards`;
    }
    return pages.size < page.pages ? undefined : cards;
  }
}
