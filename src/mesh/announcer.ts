/** What this node tells the others of itself, ready to send. Counts its versions; keeps no list of who knows what. */
import type { Card } from '../core/card.ts';
import type { NodeId } from '../core/ids.ts';
import { FIRST_WINDOW_BYTES, NEIGHBOURS_PER_NODE_MAX } from '../core/limits.ts';
import {
  FEATURE,
  type ReadyHead,
  type SignedFrame,
  WIRE_VERSION_MAX,
  WIRE_VERSION_MIN,
} from '../protocol/frame.ts';
import { cardFrames, nodeFrame } from './announcement.ts';
import type { Identity } from './identity.ts';

export interface AnnouncerOptions {
  readonly name: string;
  /** Of the software. */
  readonly version: string;
  readonly bootEpoch: number;
  readonly listens: boolean;
}

export class Announcer {
  readonly #identity: Identity;
  readonly #options: AnnouncerOptions;
  #cards: readonly SignedFrame[] = [];
  #cardsSeq = 0;
  #seq = 0;

  constructor(identity: Identity, options: AnnouncerOptions, cards: readonly Card[]) {
    this.#identity = identity;
    this.#options = options;
    this.replaceCards(cards);
  }

  /** Signed once for all that they are sent to. */
  get cards(): readonly SignedFrame[] {
    return this.#cards;
  }

  replaceCards(cards: readonly Card[]): void {
    const at = { epoch: this.#options.bootEpoch, seq: ++this.#cardsSeq };
    this.#cards = cardFrames(this.#identity, at, cards);
  }

  /** The first that a peer hears. */
  get hello(): ReadyHead {
    const { name, version, bootEpoch } = this.#options;
    return {
      min: WIRE_VERSION_MIN,
      max: WIRE_VERSION_MAX,
      name,
      version,
      epoch: bootEpoch,
      features: Object.values(FEATURE),
      window: FIRST_WINDOW_BYTES,
      certificate: '',
    };
  }

  /** A new version of this node's record. */
  record(neighbours: readonly NodeId[], draining: boolean): SignedFrame {
    const { name, version, bootEpoch, listens } = this.#options;
    return nodeFrame(this.#identity, {
      epoch: bootEpoch,
      seq: ++this.#seq,
      name,
      version,
      addresses: [],
      listens,
      relays: false,
      neighbours: neighbours.slice(0, NEIGHBOURS_PER_NODE_MAX).map((id) => ({ id, rtt: 0 })),
      draining,
    });
  }
}
