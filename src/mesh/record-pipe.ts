/** Frames in, sealed records out, and back: both directions of one channel once its keys are there. */
import {
  FRAME_HEADER_BYTES,
  RECORD_PLAIN_BYTES_MAX,
  RECORD_TAG_BYTES,
  REKEY_BYTES,
  REKEY_MS,
  REKEY_RECORDS,
  SOCKET_UNSENT_BYTES_MAX,
} from '../core/limits.ts';
import type { Cancel, Clock } from '../lib/clock.ts';
import { type Fault, joinFrames, pack, readFrames } from '../protocol/codec.ts';
import { CLOSE, type Frame } from '../protocol/frame.ts';
import type { Session } from './handshake.ts';
import { Outbox } from './outbox.ts';

/** After the first of these a sending key is replaced. */
export interface RekeyLimits {
  readonly records: number;
  readonly bytes: number;
  readonly ms: number;
}

export const REKEY_LIMITS: RekeyLimits = { records: REKEY_RECORDS, bytes: REKEY_BYTES, ms: REKEY_MS };

/** Where records go: a socket, or a circuit's relay. */
export interface RecordSink {
  send(record: Uint8Array): void;
  readonly unsentBytes: number;
}

export class RecordPipe {
  readonly #session: Session;
  readonly #sink: RecordSink;
  readonly #clock: Clock;
  readonly #limits: RekeyLimits;
  readonly #outbox = new Outbox();
  #flush: Cancel | undefined;
  #sealed = { records: 0, bytes: 0, since: 0 };

  constructor(session: Session, sink: RecordSink, clock: Clock, limits: RekeyLimits) {
    this.#session = session;
    this.#sink = sink;
    this.#clock = clock;
    this.#limits = limits;
    this.#sealed.since = clock.now();
  }

  /** Frames that are sent in one turn of the event loop share a record, and so one seal and one write. */
  send(frame: Frame): void {
    this.#outbox.push(frame);
    this.#flush ??= this.#clock.soon(() => this.flush());
  }

  /** Frames that wait and that no credit holds back. */
  get uncredited(): number {
    return this.#outbox.uncredited;
  }

  forget(number: number): void {
    this.#outbox.forget(number);
  }

  /** Seals and sends while the sink has room; the rest waits where its order can still change. */
  flush(): void {
    this.close();
    while (!this.#outbox.empty && this.#sink.unsentBytes < SOCKET_UNSENT_BYTES_MAX) {
      const worn = this.#worn();
      const plain = this.#outbox.take(RECORD_PLAIN_BYTES_MAX - (worn ? FRAME_HEADER_BYTES : 0));
      if (plain === undefined) return;
      this.#seal(
        worn ? Buffer.concat([plain, joinFrames([pack({ type: 'rekey' })], FRAME_HEADER_BYTES)]) : plain,
      );
      if (worn) this.#rekey();
    }
  }

  /** The sink has room again. */
  drained(): void {
    if (this.#flush === undefined && !this.#outbox.empty) this.flush();
  }

  /** Opens a record and hands over its frames, until `onFrame` says stop. A fault must end the channel. */
  read(sealed: Uint8Array, onFrame: (frame: Frame) => 'go on' | 'stop'): Fault | undefined {
    if (sealed.length > RECORD_PLAIN_BYTES_MAX + RECORD_TAG_BYTES) {
      return { closeCode: CLOSE.refused, reason: `record of ${sealed.length} bytes` };
    }
    let plain: Buffer;
    try {
      plain = this.#session.receive.open(sealed);
    } catch (error) {
      return { closeCode: CLOSE.refused, reason: error instanceof Error ? error.message : 'record' };
    }
    return readFrames(plain, (frame) => {
      if (frame.type === 'rekey') this.#session.receive.rekey();
      return onFrame(frame);
    });
  }

  /** What has not been sent is not sent any more. */
  close(): void {
    this.#flush?.();
    this.#flush = undefined;
  }

  #worn(): boolean {
    const { records, bytes, since } = this.#sealed;
    return (
      records >= this.#limits.records ||
      bytes >= this.#limits.bytes ||
      this.#clock.now() - since >= this.#limits.ms
    );
  }

  #seal(plain: Buffer): void {
    this.#sealed.records++;
    this.#sealed.bytes += plain.length;
    this.#sink.send(this.#session.send.seal(plain));
  }

  #rekey(): void {
    this.#session.send.rekey();
    this.#sealed = { records: 0, bytes: 0, since: this.#clock.now() };
  }
}
