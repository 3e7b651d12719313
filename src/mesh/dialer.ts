/** Keeps one configured address dialled: dial, wait after a failure, stay quiet while its node is linked anyway. */
import type { NodeId } from '../core/ids.ts';
import { LINK_HEALTHY_MS, RECONNECT_MAX_MS, RECONNECT_MIN_MS, RECONNECT_VERSION_MS } from '../core/limits.ts';
import { nextDelayMs } from '../lib/backoff.ts';
import type { Cancel, Clock } from '../lib/clock.ts';
import { CLOSE } from '../protocol/frame.ts';
import type { Link } from './link.ts';
import type { LinkEnd } from './link-end.ts';

export interface DialerParts {
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly chance: () => number;
  /** Starts a link; its `ready` and `closed` are told to this dialer. */
  readonly dial: (address: PeerAddress) => Link;
  readonly isLinked: (id: NodeId) => boolean;
}

export interface PeerAddress {
  readonly url: string;
  /** The only node that will do there. */
  readonly id?: NodeId | undefined;
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'dialling'; readonly link: Link }
  | { readonly kind: 'linked'; readonly link: Link; readonly since: number }
  /** Another link to the same node stands; looked at again when that one ends. */
  | { readonly kind: 'covered' }
  | { readonly kind: 'waiting'; readonly cancel: Cancel }
  | { readonly kind: 'stopped' };

const POLICY = { minMs: RECONNECT_MIN_MS, maxMs: RECONNECT_MAX_MS };

export class Dialer {
  readonly address: PeerAddress;
  readonly #parts: DialerParts;
  #state: State = { kind: 'idle' };
  #delayMs: number | undefined;
  /** Who answered there: configured, or learned when it was first reached. */
  #node: NodeId | undefined;
  #reason: string | undefined;

  constructor(address: PeerAddress, parts: DialerParts) {
    this.address = address;
    this.#parts = parts;
    this.#node = address.id;
  }

  get node(): NodeId | undefined {
    return this.#node;
  }

  /** Why the last try failed. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Dials now, unless the node is linked already. */
  dial(): void {
    if (this.#state.kind === 'stopped' || this.#state.kind === 'dialling' || this.#state.kind === 'linked')
      return;
    if (this.#state.kind === 'waiting') this.#state.cancel();
    if (this.#node !== undefined && this.#parts.isLinked(this.#node)) {
      this.#state = { kind: 'covered' };
      this.#reason = undefined;
      return;
    }
    this.#state = { kind: 'dialling', link: this.#parts.dial(this.address) };
  }

  /** Whether this link was dialled here. */
  owns(link: Link): boolean {
    return (this.#state.kind === 'dialling' || this.#state.kind === 'linked') && this.#state.link === link;
  }

  ready(link: Link): void {
    this.#node = link.peer;
    this.#reason = undefined;
    this.#state = { kind: 'linked', link, since: this.#parts.clock.now() };
  }

  closed(end: LinkEnd): void {
    const { clock, chance } = this.#parts;
    if (this.#state.kind === 'stopped') return;
    if (this.#state.kind === 'linked' && this.#wasWell(this.#state.since, end)) this.#delayMs = undefined;
    this.#reason = end.reason;
    this.#delayMs = nextDelayMs(this.#delayMs, POLICY, chance);
    this.#state = {
      kind: 'waiting',
      cancel: clock.after(end.code === CLOSE.version ? RECONNECT_VERSION_MS : this.#delayMs, () => {
        this.#state = { kind: 'idle' };
        this.dial();
      }),
    };
  }

  /** A link that held, or whose node said that it stops: most who stop are started again at once. */
  #wasWell(since: number, { code }: LinkEnd): boolean {
    return code === CLOSE.goingAway || this.#parts.clock.now() - since >= LINK_HEALTHY_MS;
  }

  /** A node's last link is gone: it is dialled again if it was left alone because of that link. */
  uncovered(id: NodeId): void {
    if (this.#state.kind === 'covered' && this.#node === id) this.dial();
  }

  stop(): void {
    if (this.#state.kind === 'waiting') this.#state.cancel();
    this.#state = { kind: 'stopped' };
  }
}
