/** This node's place among the others: listens, dials, settles double links, tells of itself. Wires, decides little. */
import type { Answer } from '../core/call.ts';
import type { Card } from '../core/card.ts';
import { ClawError } from '../core/errors.ts';
import type { NodeId } from '../core/ids.ts';
import { BUSY_RETRY_SECONDS } from '../core/limits.ts';
import type { PeerView } from '../core/views.ts';
import type { Budget } from '../lib/budget.ts';
import type { Log } from '../lib/log.ts';
import { type CallFrame, CLOSE, type Frame, type SignedFrame } from '../protocol/frame.ts';
import { Announcer } from './announcer.ts';
import { Dialer, type PeerAddress } from './dialer.ts';
import { stays } from './double-link.ts';
import type { Link } from './link.ts';
import type { LinkEnd } from './link-end.ts';
import { LinkMaker, type LinkMakerParts } from './link-maker.ts';
import { type Goaway, Peer } from './peer.ts';
import { viewOfAddress, viewOfPeer } from './peer-view.ts';

export interface MeshParts extends LinkMakerParts {
  readonly log: Log;
  /** From 0 up to 1. */
  readonly chance: () => number;
  /** This node's own upstreams. */
  readonly answer: Answer;
  readonly buffers: Budget;
  readonly slots: Budget;
  /** Something that `peers` or `remotes` shows has changed. */
  readonly onChange: () => void;
}

export interface MeshOptions {
  readonly name: string;
  /** Of the software. */
  readonly version: string;
  readonly bootEpoch: number;
  readonly listen: { readonly host: string; readonly port: number } | null;
  readonly peers: readonly PeerAddress[];
  /** What this node announces. */
  readonly cards: readonly Card[];
}

const GOAWAY: Frame = { type: 'goaway', head: { reason: 'stopping' } };

/** How often a node that stops looks whether its calls have ended. */
const DRAIN_LOOK_MS = 50;

export class Mesh {
  readonly #parts: MeshParts;
  readonly #options: MeshOptions;
  readonly #announcer: Announcer;
  readonly #maker: LinkMaker;
  readonly #dialers: readonly Dialer[];
  readonly #peers = new Map<NodeId, Peer>();
  #phase: 'running' | 'draining' = 'running';

  constructor(parts: MeshParts, options: MeshOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#announcer = new Announcer(
      parts.identity,
      { ...options, listens: options.listen !== null },
      options.cards,
    );
    this.#maker = new LinkMaker(parts, this.#announcer.hello, {
      ready: (link) => this.#ready(link),
      frame: (link, frame) => this.#frame(link, frame),
      closed: (link, end) => this.#closed(link, end),
    });
    const dialing = {
      clock: parts.clock,
      chance: parts.chance,
      dial: (address: PeerAddress) => this.#maker.dial(address),
      isLinked: (id: NodeId) => this.#peers.get(id)?.link !== undefined,
    };
    this.#dialers = options.peers.map((address) => new Dialer(address, dialing));
  }

  /** The mesh port, once it listens. */
  get port(): number | undefined {
    return this.#maker.port;
  }

  /** Every node met so far, the ones that are down included. */
  get remotes(): readonly Peer[] {
    return [...this.#peers.values()];
  }

  get openCalls(): { readonly entry: number; readonly owner: number } {
    let entry = 0;
    let owner = 0;
    for (const { exchange } of this.remotes) {
      entry += exchange.openCalls.entry;
      owner += exchange.openCalls.owner;
    }
    return { entry, owner };
  }

  async start(): Promise<void> {
    const { listen } = this.#options;
    if (listen !== null) await this.#maker.listen(listen);
    for (const dialer of this.#dialers) dialer.dial();
  }

  /** Takes no more calls, and lets those that this node answers for the others end, for so long at most. */
  async drain(ms: number): Promise<void> {
    this.#phase = 'draining';
    for (const link of this.#links) link.send(GOAWAY);
    this.#tellNeighbours();
    const { clock } = this.#parts;
    const deadline = clock.now() + ms;
    while (this.openCalls.owner > 0 && clock.now() < deadline)
      await new Promise<void>((resolve) => clock.after(DRAIN_LOOK_MS, resolve));
  }

  /** From now on these are the models that the others are told of. */
  announce(cards: readonly Card[]): void {
    this.#announcer.replaceCards(cards);
    for (const link of this.#links) for (const page of this.#announcer.cards) link.send(page);
  }

  /** Ends every call and link. The reason is told to no one but the log. */
  async close(): Promise<void> {
    for (const dialer of this.#dialers) dialer.stop();
    await this.#maker.close();
  }

  views(): readonly PeerView[] {
    const self = this.#options.name;
    const met = this.remotes.map((peer) => {
      const dialer = this.#dialers.find(({ node }) => node === peer.id);
      return viewOfPeer(peer, self, dialer);
    });
    const unmet = this.#dialers.filter(({ node }) => node === undefined || !this.#peers.has(node));
    return [...met, ...unmet.map(viewOfAddress)];
  }

  #meet(link: Link): Peer {
    const closedFor = () => (this.#phase === 'draining' ? this.#stopping() : undefined);
    return new Peer(link, { ...this.#parts, self: this.#parts.identity.id, closedFor });
  }

  #stopping(): ClawError {
    const message = `node ${this.#options.name} is stopping`;
    return new ClawError('draining', message, { retryAfterSeconds: BUSY_RETRY_SECONDS });
  }

  #ready(link: Link): void {
    this.#dialers.find((dialer) => dialer.owns(link))?.ready(link);
    const known = this.#peers.get(link.peer);
    const current = known?.link;
    if (current !== undefined && stays(current, link))
      return link.close(CLOSE.replaced, 'another link stays');
    const peer = known ?? this.#meet(link);
    this.#peers.set(link.peer, peer);
    peer.linked(link);
    current?.close(CLOSE.replaced, 'replaced by a newer link');
    this.#parts.log.info({ peer: peer.id, name: peer.name, at: link.remote }, 'peer linked');
    for (const page of this.#announcer.cards) link.send(page);
    if (this.#phase === 'draining') link.send(GOAWAY);
    this.#tellNeighbours();
    this.#parts.onChange();
  }

  #frame(link: Link, frame: Frame): void {
    const peer = this.#peers.get(link.peer);
    if (peer?.link !== link || !isForPeer(frame)) return;
    if (peer.frame(link, frame) === 'changed') this.#parts.onChange();
  }

  #closed(link: Link, end: LinkEnd): void {
    const peer = this.remotes.find((one) => one.link === link);
    const dialer = this.#dialers.find((one) => one.owns(link));
    this.#logEnd(link, end, peer, dialer);
    peer?.down(end);
    dialer?.closed(end);
    if (peer === undefined && dialer === undefined) return;
    if (peer !== undefined) {
      for (const other of this.#dialers) other.uncovered(peer.id);
      this.#tellNeighbours();
    }
    this.#parts.onChange();
  }

  /** One line for each change of state, not one for each try. */
  #logEnd(link: Link, end: LinkEnd, peer: Peer | undefined, dialer: Dialer | undefined): void {
    const { log } = this.#parts;
    if (peer !== undefined) log.info({ peer: peer.id, name: peer.name, ...end }, 'peer lost');
    else if (link.met) log.debug({ at: link.remote, ...end }, 'second link closed');
    else if (dialer === undefined) log.info({ at: link.remote, ...end }, 'link refused');
    else if (dialer.reason !== end.reason) log.warn({ url: dialer.address.url, ...end }, 'peer not reached');
  }

  /** The neighbours have changed: each of them gets this node's new record. */
  #tellNeighbours(): void {
    const neighbours = this.#links.map(({ peer }) => peer);
    const record = this.#announcer.record(neighbours, this.#phase === 'draining');
    for (const link of this.#links) link.send(record);
  }

  get #links(): readonly Link[] {
    return this.remotes.flatMap(({ link }) => link ?? []);
  }
}

const FOR_PEER: ReadonlySet<Frame['type']> = new Set(['node', 'cards', 'goaway']);

function isForPeer(frame: Frame): frame is CallFrame | SignedFrame | Goaway {
  return 'number' in frame || FOR_PEER.has(frame.type);
}
