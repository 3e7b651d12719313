/** A node that knows the handshake and keeps no other rule: it says what a test tells it, and answers nothing by itself. */

import type { Socket } from '../../src/lib/socket.ts';
import { Handshake, type HandshakeOptions, type Session } from '../../src/mesh/handshake.ts';
import { joinFrames, pack, packedBytes, readFrames } from '../../src/protocol/codec.ts';
import type { Frame, RequestHead } from '../../src/protocol/frame.ts';

export class RudePeer {
  readonly socket: Socket;
  readonly #handshake: Handshake;
  #session: Session | undefined;
  /** All that came after the handshake. */
  readonly frames: Frame[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  /** Where set, handshake messages are not answered. */
  mute = false;

  constructor(socket: Socket, options: HandshakeOptions) {
    this.socket = socket;
    this.#handshake = new Handshake(options);
    socket.attach({
      open: () => {
        if (!this.mute) socket.send(this.#handshake.first());
      },
      message: (bytes) => this.#received(bytes),
      drained: () => {},
      closed: (code, reason) => {
        this.closed = { code, reason };
      },
    });
  }

  get shaken(): boolean {
    return this.#session !== undefined;
  }

  /** The frames in one record. */
  say(...frames: readonly Frame[]): void {
    const packed = frames.map(pack);
    this.sayPlain(
      joinFrames(
        packed,
        packed.reduce((sum, frame) => sum + packedBytes(frame), 0),
      ),
    );
  }

  /** Whatever bytes in one record, sealed as they should be. */
  sayPlain(plain: Uint8Array): void {
    if (this.#session === undefined) throw new Error('no session yet');
    this.socket.send(this.#session.send.seal(plain));
  }

  /** Changes the key of this direction, as behind a `rekey` frame. */
  rekey(): void {
    this.#session?.send.rekey();
  }

  of<T extends Frame['type']>(type: T): Extract<Frame, { type: T }>[] {
    return this.frames.filter((frame): frame is Extract<Frame, { type: T }> => frame.type === type);
  }

  #received(bytes: Uint8Array): void {
    if (this.mute) return;
    if (this.#session === undefined) {
      const { send, session } = this.#handshake.receive(bytes);
      this.#session = session;
      if (send !== undefined) this.socket.send(send);
      return;
    }
    const { receive } = this.#session;
    readFrames(receive.open(bytes), (frame) => {
      this.frames.push(frame);
      if (frame.type === 'rekey') receive.rekey();
      return 'go on';
    });
  }
}

/** The first frame of a call with a body of four bytes, as an honest entry says it. */
export function requestFrame(number: number, more: Partial<RequestHead> = {}): Frame {
  const head: RequestHead = {
    id: number.toString(16).padStart(32, '0'),
    model: 'm',
    provider: 'p',
    dialect: 'chat',
    stream: true,
    headers: {},
    bytes: 4,
    ...more,
  };
  return { type: 'model_req', number, head };
}

/** What the other side refused or gave up calls with, in order. */
export function resetCodes(rude: RudePeer): readonly string[] {
  return rude.of('model_reset').map(({ head }) => head.code);
}
