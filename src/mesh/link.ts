/** One WebSocket to a neighbour: handshake, `ready`, then frames while the heartbeat goes. Never dials, never retries. */
import type { NodeId } from '../core/ids.ts';
import { CALLS_PER_PEER_MAX, HANDSHAKE_BYTES_MAX, HANDSHAKE_MS, STRIKES_MAX } from '../core/limits.ts';
import type { Cancel, Clock } from '../lib/clock.ts';
import type { Socket } from '../lib/socket.ts';
import { CLOSE, type CloseCode, type Frame, type ReadyHead } from '../protocol/frame.ts';
import { versionFault } from '../protocol/version.ts';
import type { Channel } from './channel.ts';
import { Handshake, type HandshakeOptions } from './handshake.ts';
import { Heartbeat } from './heartbeat.ts';
import { DEATHS, type LinkEnd, meaningOf, noConnection } from './link-end.ts';
import { REKEY_LIMITS, RecordPipe, type RekeyLimits } from './record-pipe.ts';

export interface LinkEvents {
  /** Both sides have proved themselves. */
  ready(link: Link): void;
  /** Every frame but those that keep the link itself going. */
  frame(link: Link, frame: Frame): void;
  /** Once, and the last that is heard of the link. */
  closed(link: Link, end: LinkEnd): void;
}

export interface LinkOptions {
  readonly socket: Socket;
  readonly clock: Clock;
  readonly handshake: HandshakeOptions;
  /** What this node says of itself. */
  readonly hello: ReadyHead;
  readonly events: LinkEvents;
  readonly rekey?: RekeyLimits;
}

interface Open {
  readonly peer: NodeId;
  readonly ready: ReadyHead;
  readonly pipe: RecordPipe;
  readonly heartbeat: Heartbeat;
}

type State =
  /** Dialled; the socket is not open yet. */
  | { readonly kind: 'opening'; readonly deadline: Cancel }
  | { readonly kind: 'shaking'; readonly deadline: Cancel; readonly handshake: Handshake; bytes: number }
  /** The keys are there; the peer's `ready`, which proves that it holds them, is not. */
  | { readonly kind: 'proving'; readonly deadline: Cancel; readonly peer: NodeId; readonly pipe: RecordPipe }
  | ({ readonly kind: 'open' } & Open)
  /** What was known of the peer stays readable for those who settle its calls. */
  | { readonly kind: 'closed'; readonly was: Open | undefined };

/** Pongs, acks and the like that wait for a peer to read: four times what all calls of a pair can ask for at once. */
const UNCREDITED_FRAMES_MAX = 16 * CALLS_PER_PEER_MAX;

export class Link implements Channel {
  readonly #options: LinkOptions;
  #state: State;
  #strikes = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    const deadline = options.clock.after(HANDSHAKE_MS, () =>
      this.#end(CLOSE.refused, 'the handshake took too long'),
    );
    this.#state =
      options.handshake.role === 'initiator'
        ? { kind: 'opening', deadline }
        : { kind: 'shaking', deadline, handshake: new Handshake(options.handshake), bytes: 0 };
    options.socket.attach({
      open: () => this.#opened(),
      message: (bytes) => this.#received(bytes),
      drained: () => this.#drained(),
      closed: (code, reason) => this.#gone(code, reason),
    });
  }

  get peer(): NodeId {
    return this.#known().peer;
  }

  get ready(): ReadyHead {
    return this.#known().ready;
  }

  get features(): readonly string[] {
    return this.#known().ready.features;
  }

  get window(): number {
    return this.#known().ready.window;
  }

  get rttMs(): number | undefined {
    return this.#state.kind === 'open' ? this.#state.heartbeat.rttMs : undefined;
  }

  /** The node that dialled. */
  get initiator(): NodeId {
    const { role, identity } = this.#options.handshake;
    return role === 'initiator' ? identity.id : this.peer;
  }

  /** Whether the peer ever proved itself. */
  get met(): boolean {
    return this.#state.kind === 'open' || (this.#state.kind === 'closed' && this.#state.was !== undefined);
  }

  get remote(): string {
    return this.#options.socket.remote;
  }

  send(frame: Frame): void {
    if (this.#state.kind === 'open') this.#state.pipe.send(frame);
  }

  forget(number: number): void {
    if (this.#state.kind === 'open') this.#state.pipe.forget(number);
  }

  strike(reason: string): void {
    if (++this.#strikes >= STRIKES_MAX) this.#end(CLOSE.strikes, `third breach: ${reason}`);
  }

  breach(reason: string): void {
    this.#end(CLOSE.protocol, reason);
  }

  /** Sends what waits, as far as the socket takes it, and closes. */
  close(code: CloseCode, reason: string): void {
    if (this.#state.kind === 'open') this.#state.pipe.flush();
    this.#end(code, reason);
  }

  #known(): Open {
    const open = this.#state.kind === 'closed' ? this.#state.was : this.#state;
    if (open === undefined || !('ready' in open)) throw new Error('the link has not met its peer');
    return open;
  }

  #opened(): void {
    if (this.#state.kind !== 'opening') return;
    const handshake = new Handshake(this.#options.handshake);
    this.#state = { kind: 'shaking', deadline: this.#state.deadline, handshake, bytes: 0 };
    this.#options.socket.send(handshake.first());
  }

  #received(bytes: Uint8Array): void {
    const state = this.#state;
    switch (state.kind) {
      case 'opening':
      case 'closed':
        return;
      case 'shaking':
        return this.#shake(state, bytes);
      case 'open':
        state.heartbeat.heard();
        return this.#read(state.pipe, bytes);
      case 'proving':
        return this.#read(state.pipe, bytes);
    }
  }

  #shake(state: Extract<State, { kind: 'shaking' }>, bytes: Uint8Array): void {
    state.bytes += bytes.length;
    if (state.bytes > HANDSHAKE_BYTES_MAX) {
      return this.#end(CLOSE.refused, 'too many bytes before the handshake was over');
    }
    try {
      const { send, session } = state.handshake.receive(bytes);
      const { clock, hello, socket, rekey = REKEY_LIMITS } = this.#options;
      if (send !== undefined) socket.send(send);
      if (session === undefined) return;
      const pipe = new RecordPipe(session, socket, clock, rekey);
      this.#state = { kind: 'proving', deadline: state.deadline, peer: session.peer, pipe };
      pipe.send({ type: 'ready', head: hello });
      pipe.flush();
    } catch (error) {
      this.#end(CLOSE.refused, error instanceof Error ? error.message : 'handshake');
    }
  }

  #read(pipe: RecordPipe, sealed: Uint8Array): void {
    const fault = pipe.read(sealed, (frame) => this.#frame(frame));
    const early = this.#state.kind === 'proving';
    if (fault !== undefined) return this.#end(early ? CLOSE.refused : fault.closeCode, fault.reason);
    if (pipe.uncredited > UNCREDITED_FRAMES_MAX)
      this.#end(CLOSE.stalled, 'asks faster than it reads the answers');
  }

  #frame(frame: Frame): 'go on' | 'stop' {
    if (this.#state.kind === 'proving') this.#prove(this.#state, frame);
    else if (this.#state.kind === 'open') this.#take(this.#state, frame);
    return this.#state.kind === 'closed' ? 'stop' : 'go on';
  }

  #prove({ deadline, peer, pipe }: Extract<State, { kind: 'proving' }>, frame: Frame): void {
    if (frame.type !== 'ready') return this.#end(CLOSE.refused, `${frame.type} before ready`);
    const fault = versionFault(frame.head);
    if (fault !== undefined) return this.#end(fault.closeCode, fault.reason);
    deadline();
    const heartbeat = new Heartbeat(this.#options.clock, {
      ping: (token) => pipe.send({ type: 'ping', token }),
      unsentBytes: () => this.#options.socket.unsentBytes,
      dead: (why) => this.#end(DEATHS[why].code, DEATHS[why].reason),
    });
    this.#state = { kind: 'open', peer, ready: frame.head, pipe, heartbeat };
    this.#options.events.ready(this);
  }

  #take(open: Open, frame: Frame): void {
    switch (frame.type) {
      case 'ready':
        return this.breach('a second ready');
      case 'ping':
        return open.pipe.send({ type: 'pong', token: frame.token, lagMs: open.heartbeat.lagMs });
      case 'pong':
        return open.heartbeat.pong(frame.token);
      case 'rekey':
        return;
      default:
        this.#options.events.frame(this, frame);
    }
  }

  #drained(): void {
    if (this.#state.kind !== 'open') return;
    this.#state.heartbeat.moved();
    this.#state.pipe.drained();
  }

  #gone(code: number, reason: string): void {
    if (this.#state.kind === 'closed') return;
    const why = this.#state.kind === 'opening' ? noConnection(reason) : meaningOf(code, reason);
    this.#settle({ code, reason: why });
  }

  #end(code: CloseCode, reason: string): void {
    if (this.#state.kind === 'closed') return;
    const { socket } = this.#options;
    const connected = this.#state.kind !== 'opening';
    this.#settle({ code, reason });
    // A peer that is dead answers no close: its socket is cut at once.
    if (!connected || code === CLOSE.silent || code === CLOSE.stalled) socket.destroy();
    else socket.close(code, '');
  }

  #settle(end: LinkEnd): void {
    const state = this.#state;
    if (state.kind === 'closed') return;
    this.#state = { kind: 'closed', was: state.kind === 'open' ? state : undefined };
    if (state.kind === 'open') state.heartbeat.close();
    else state.deadline();
    if (state.kind === 'open' || state.kind === 'proving') state.pipe.close();
    this.#options.events.closed(this, end);
  }
}
