/** Whether the other end still lives. Sees a clock and three callbacks; never a socket. */
import { HEARTBEAT_MS, LINK_DEAD_MS, SLEPT_MS, SOCKET_STALL_MS } from '../core/limits.ts';
import type { Cancel, Clock } from '../lib/clock.ts';

export interface HeartbeatPort {
  ping(token: Uint8Array): void;
  unsentBytes(): number;
  /** Told once; the heartbeat has then stopped. */
  dead(why: 'silent' | 'stalled'): void;
}

/** Looked at this often, silence of 15 s is noticed within 16 s. */
const TICK_MS = 1_000;

export class Heartbeat {
  readonly #clock: Clock;
  readonly #port: HeartbeatPort;
  readonly #stop: Cancel;
  #heardAt: number;
  #movedAt: number;
  #tickedAt: number;
  #ping: { readonly token: Buffer; readonly at: number } | undefined;
  #pings = 0;
  #rttMs: number | undefined;
  #lagMs = 0;

  constructor(clock: Clock, port: HeartbeatPort) {
    this.#clock = clock;
    this.#port = port;
    const now = clock.now();
    this.#heardAt = now;
    this.#movedAt = now;
    this.#tickedAt = now;
    this.#stop = clock.every(TICK_MS, () => this.#tick());
    this.#sendPing(now);
  }

  /** Of the last ping that was answered. */
  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  /** How late this process's own timer was when it last fired: what a pong tells the other side. */
  get lagMs(): number {
    return this.#lagMs;
  }

  /** Something came: any byte is life. */
  heard(): void {
    this.#heardAt = this.#clock.now();
  }

  /** The socket took bytes. */
  moved(): void {
    this.#movedAt = this.#clock.now();
  }

  pong(token: Uint8Array): void {
    if (this.#ping === undefined || !this.#ping.token.equals(token)) return;
    this.#rttMs = this.#clock.now() - this.#ping.at;
    this.#ping = undefined;
  }

  close(): void {
    this.#stop();
  }

  #tick(): void {
    const now = this.#clock.now();
    const late = now - this.#tickedAt - TICK_MS;
    this.#tickedAt = now;
    this.#lagMs = Math.max(0, late);
    if (late > SLEPT_MS) {
      // This machine slept: the silence was its own. The other side gets a whole span to answer.
      this.#heardAt = now;
      this.#movedAt = now;
      this.#sendPing(now);
      return;
    }
    if (this.#port.unsentBytes() === 0) this.#movedAt = now;
    if (now - this.#heardAt >= LINK_DEAD_MS) this.#die('silent');
    else if (now - this.#movedAt >= SOCKET_STALL_MS) this.#die('stalled');
    else if (now - Math.max(this.#heardAt, this.#ping?.at ?? 0) >= HEARTBEAT_MS) this.#sendPing(now);
  }

  #sendPing(now: number): void {
    const token = Buffer.alloc(8);
    token.writeUInt32BE(++this.#pings, 4);
    this.#ping = { token, at: now };
    this.#port.ping(token);
  }

  #die(why: 'silent' | 'stalled'): void {
    this.close();
    this.#port.dead(why);
  }
}
