/** Sockets without a network: two ends and a lane each way, on a clock that a test moves, with the faults of real ones. */
import type { Cancel, Clock } from '../../src/lib/clock.ts';
import type { Socket, SocketCaps, SocketEvents } from '../../src/lib/socket.ts';

type Item =
  /** A dial arrives, and what it is told. */
  | { readonly kind: 'knock' }
  | { readonly kind: 'opened' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'message'; readonly bytes: Buffer }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }
  | { readonly kind: 'cut' };

/** One direction of a wire. Its fields are the faults: set them at any time, they hold for what is sent from then on. */
export class Lane {
  /** From leaving to arriving; order is kept whatever it is set to. */
  delayMs = 0;
  /** All that leaves vanishes, and nobody is told: with both lanes lost the wire is half-open. */
  lost = false;
  /** Nothing leaves: bytes stay unsent with their sender until `release`. */
  stuck = false;
  /** What arrives in place of each message: another one, none, several. */
  tamper: (message: Buffer) => readonly Buffer[] = (message) => [message];

  readonly #clock: Clock;
  readonly #arrived: (item: Item) => void;
  readonly #left: () => void;
  #unsent: Item[] = [];
  #unsentBytes = 0;
  #leaving: Cancel | undefined;
  #flight: { readonly item: Item; readonly dueAt: number }[] = [];
  #arriving: Cancel | undefined;

  constructor(clock: Clock, on: { arrived(item: Item): void; left(): void }) {
    this.#clock = clock;
    this.#arrived = on.arrived;
    this.#left = on.left;
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  push(item: Item): void {
    this.#unsent.push(item);
    if (item.kind === 'message') this.#unsentBytes += item.bytes.length;
    this.#schedule();
  }

  /** Lets one message of a stuck lane go, or all there are and the lane with them. */
  release(how: 'one' | 'all'): void {
    if (how === 'all') this.stuck = false;
    if (how === 'all') this.#schedule();
    else this.#leave(1);
  }

  /** What waits and what is under way is gone. */
  clear(): void {
    this.#leaving?.();
    this.#arriving?.();
    this.#leaving = undefined;
    this.#arriving = undefined;
    this.#unsent = [];
    this.#unsentBytes = 0;
    this.#flight = [];
  }

  /** What has not left is gone; what is under way still arrives. */
  drop(): void {
    this.#unsent = [];
    this.#unsentBytes = 0;
  }

  #schedule(): void {
    if (this.stuck || this.#leaving !== undefined) return;
    this.#leaving = this.#clock.soon(() => {
      this.#leaving = undefined;
      if (!this.stuck) this.#leave(this.#unsent.length);
    });
  }

  #leave(most: number): void {
    const items = this.#unsent.splice(0, most);
    let bytes = 0;
    for (const item of items) {
      if (item.kind !== 'message') this.#fly(item);
      else {
        bytes += item.bytes.length;
        for (const altered of this.tamper(item.bytes)) this.#fly({ kind: 'message', bytes: altered });
      }
    }
    this.#unsentBytes -= bytes;
    if (bytes > 0) this.#left();
  }

  #fly(item: Item): void {
    if (this.lost) return;
    const last = this.#flight.at(-1)?.dueAt ?? 0;
    this.#flight.push({ item, dueAt: Math.max(last, this.#clock.now() + this.delayMs) });
    this.#wait();
  }

  #wait(): void {
    const [next] = this.#flight;
    if (next === undefined || this.#arriving !== undefined) return;
    const ms = next.dueAt - this.#clock.now();
    const arrive = () => this.#arrive();
    this.#arriving = ms > 0 ? this.#clock.after(ms, arrive) : this.#clock.soon(arrive);
  }

  /** All that is due comes in one turn, as from a real socket. */
  #arrive(): void {
    this.#arriving = undefined;
    for (;;) {
      const [next] = this.#flight;
      if (next === undefined || next.dueAt > this.#clock.now()) break;
      this.#flight.shift();
      this.#arrived(next.item);
    }
    this.#wait();
  }
}

type State =
  | { readonly kind: 'opening'; readonly deadline: Cancel }
  | { readonly kind: 'open' }
  | { readonly kind: 'closing'; readonly deadline: Cancel }
  | { readonly kind: 'closed' };

export interface EndParts {
  readonly clock: Clock;
  readonly caps: SocketCaps;
  readonly remote: string;
  /** Where this end's messages go. */
  readonly out: () => Lane;
  /** A dialled end: how long it waits to be let in. */
  readonly openMs?: number;
}

/** One end of a wire; what a `Link` is handed. */
export class MemorySocket implements Socket {
  readonly #parts: EndParts;
  readonly remote: string;
  #events: SocketEvents | undefined;
  #state: State;

  constructor(parts: EndParts) {
    this.#parts = parts;
    this.remote = parts.remote;
    const { openMs, clock } = parts;
    this.#state =
      openMs === undefined
        ? { kind: 'open' }
        : {
            kind: 'opening',
            deadline: clock.after(openMs, () => this.#end(1006, 'Opening handshake has timed out')),
          };
  }

  get unsentBytes(): number {
    return this.#parts.out().unsentBytes;
  }

  attach(events: SocketEvents): void {
    this.#events = events;
  }

  send(bytes: Uint8Array): void {
    if (this.#state.kind === 'open') this.#parts.out().push({ kind: 'message', bytes: Buffer.from(bytes) });
  }

  close(code: number, reason: string): void {
    if (this.#state.kind === 'opening') return this.destroy();
    if (this.#state.kind !== 'open') return;
    const { clock, caps, out } = this.#parts;
    this.#state = { kind: 'closing', deadline: clock.after(caps.closeMs, () => this.#giveUp()) };
    out().push({ kind: 'close', code, reason });
  }

  destroy(): void {
    const { kind } = this.#state;
    if (kind === 'closed') return;
    this.#sendCut();
    // Never in the caller's own turn: a real socket tells of its end later.
    const reason = kind === 'opening' ? 'closed before it was open' : '';
    this.#parts.clock.soon(() => this.#end(1006, reason));
  }

  #giveUp(): void {
    this.#sendCut();
    this.#end(1006, '');
  }

  #sendCut(): void {
    this.#parts.out().drop();
    this.#parts.out().push({ kind: 'cut' });
  }

  /** The connection is gone, without a word from the other side. */
  cut(): void {
    this.#parts.out().clear();
    this.#end(1006, '');
  }

  left(): void {
    if (this.#state.kind !== 'closed') this.#events?.drained();
  }

  arrived(item: Item): void {
    const { kind } = this.#state;
    if (kind === 'closed') return;
    if (item.kind === 'cut') this.#end(1006, '');
    else if (item.kind === 'refused') this.#end(1006, item.reason);
    else if (item.kind === 'close') this.#closedBy(item.code, item.reason);
    else if (item.kind === 'message') this.#received(item.bytes);
    else if (this.#state.kind === 'opening') {
      this.#state.deadline();
      this.#state = { kind: 'open' };
      this.#events?.open();
    }
  }

  #received(bytes: Buffer): void {
    if (bytes.length <= this.#parts.caps.messageBytesMax) return this.#events?.message(bytes);
    this.#parts.out().push({ kind: 'close', code: 1009, reason: '' });
    this.#end(1006, 'Max payload size exceeded');
  }

  #closedBy(code: number, reason: string): void {
    if (this.#state.kind === 'open') this.#parts.out().push({ kind: 'close', code, reason });
    this.#end(code, reason);
  }

  #end(code: number, reason: string): void {
    const state = this.#state;
    if (state.kind === 'closed') return;
    if (state.kind !== 'open') state.deadline();
    this.#state = { kind: 'closed' };
    this.#events?.closed(code, reason);
  }
}
