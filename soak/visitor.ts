/** One who knocks at a daemon's mesh port with the network key in hand, and tells the truth or not. */
import { randomBytes } from 'node:crypto';
import {
  HANDSHAKE_MS,
  RECORD_PLAIN_BYTES_MAX,
  RECORD_TAG_BYTES,
  SOCKET_CLOSE_MS,
} from '../src/core/limits.ts';
import { dialSocket, type Socket } from '../src/lib/socket.ts';
import { GATE_HEADER, Gate } from '../src/mesh/gate.ts';
import { Handshake, newStaticKey, type Session } from '../src/mesh/handshake.ts';
import { joinFrames, pack, packedBytes, readFrames } from '../src/protocol/codec.ts';
import { CLOSE, type Frame, SUBPROTOCOL } from '../src/protocol/frame.ts';
import { first } from '../test/support/identities.ts';

export interface Door {
  readonly url: string;
  readonly networkKey: Buffer;
}

/** What is said in place of an honest message of the handshake; undefined: the honest one. */
export type Lie = (message: Buffer, index: number) => Buffer | undefined;

export const honest: Lie = () => undefined;

const HELLO = {
  min: 1,
  max: 1,
  name: 'visitor',
  version: '0',
  features: [],
  window: 65_536,
  certificate: '',
};
const STATIC = newStaticKey();
const TOKEN = Buffer.from('soaksoak');
let epoch = 0;

type End = { readonly kind: 'ready' } | { readonly kind: 'closed'; readonly code: number };

export class Visitor {
  readonly #socket: Socket;
  readonly #handshake: Handshake;
  readonly #lie: Lie;
  #session: Session | undefined;
  #said = 0;
  #openedAt = 0;
  #pong: (pong: boolean) => void = () => {};
  #end: (end: End) => void = () => {};
  closed = false;
  /** From the open socket to `ready` or to the close. */
  shookMs = 0;
  /** Settles once: with the daemon's `ready`, or with its close. */
  readonly met: Promise<End>;

  constructor({ url, networkKey }: Door, lie = honest) {
    const pass = new Gate(networkKey).pass(randomBytes);
    this.#lie = lie;
    const { prologue } = pass;
    this.#handshake = new Handshake({
      role: 'initiator',
      identity: first,
      static: STATIC,
      networkKey,
      prologue,
    });
    this.met = new Promise((resolve) => {
      this.#end = (end) => {
        this.shookMs = performance.now() - this.#openedAt;
        this.#end = () => {};
        resolve(end);
      };
    });
    this.#socket = dialSocket(url, {
      subprotocol: SUBPROTOCOL,
      headers: { [GATE_HEADER]: pass.header },
      openMs: HANDSHAKE_MS,
      messageBytesMax: RECORD_PLAIN_BYTES_MAX + RECORD_TAG_BYTES,
      fragmentsMax: 16,
      chunksMax: 1_024,
      closeMs: SOCKET_CLOSE_MS,
    });
    this.#socket.attach({
      open: () => {
        this.#openedAt = performance.now();
        this.#shake(this.#handshake.first());
      },
      message: (bytes) => this.#received(bytes),
      drained: () => {},
      closed: (code) => {
        this.closed = true;
        this.#end({ kind: 'closed', code });
        this.#pong(false);
      },
    });
  }

  /** Whatever bytes in one record, sealed as they should be. */
  say(plain: Uint8Array): void {
    if (this.#session !== undefined && !this.closed) this.#socket.send(this.#session.send.seal(plain));
  }

  /** Whether the daemon still answers here: false when it closes instead. */
  answers(): Promise<boolean> {
    if (this.closed) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#pong = resolve;
      this.say(plainOf([{ type: 'ping', token: TOKEN }]));
    });
  }

  leave(): void {
    this.#socket.close(CLOSE.goingAway, '');
  }

  #shake(message: Buffer): void {
    this.#socket.send(this.#lie(message, this.#said++) ?? message);
  }

  #received(bytes: Uint8Array): void {
    if (this.#session === undefined) {
      const { send, session } = this.#handshake.receive(bytes);
      if (send !== undefined) this.#shake(send);
      this.#session = session;
      epoch++;
      return this.say(plainOf([{ type: 'ready', head: { ...HELLO, epoch } }]));
    }
    const { receive } = this.#session;
    readFrames(receive.open(bytes), (frame) => {
      if (frame.type === 'ready') this.#end({ kind: 'ready' });
      if (frame.type === 'pong' && Buffer.from(frame.token).equals(TOKEN)) this.#pong(true);
      if (frame.type === 'rekey') receive.rekey();
      return 'go on';
    });
  }
}

export function plainOf(frames: readonly Frame[]): Buffer {
  const packed = frames.map(pack);
  return joinFrames(
    packed,
    packed.reduce((sum, frame) => sum + packedBytes(frame), 0),
  );
}
