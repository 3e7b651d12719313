/** What waits to be sent on one channel, in the order it will go: control, then calls in turn, then gossip. Unsealed. */
import { FRAME_HEADER_BYTES } from '../core/limits.ts';
import { joinFrames, type PackedFrame, pack, packedBytes } from '../protocol/codec.ts';
import { type Frame, laneOf } from '../protocol/frame.ts';

/** Frames of one lane, first in, first out; a head index, because shifting an array costs its length. */
class Lane {
  #frames: PackedFrame[] = [];
  #head = 0;

  get first(): PackedFrame | undefined {
    return this.#frames[this.#head];
  }

  get length(): number {
    return this.#frames.length - this.#head;
  }

  push(frame: PackedFrame): void {
    this.#frames.push(frame);
  }

  drop(): void {
    this.#head++;
    if (this.#head === this.#frames.length) {
      this.#frames = [];
      this.#head = 0;
    }
  }
}

export class Outbox {
  readonly #control = new Lane();
  readonly #gossip = new Lane();
  /** Each call's frames; the map's order is whose turn it is. */
  readonly #calls = new Map<number, Lane>();

  get empty(): boolean {
    return this.#control.first === undefined && this.#calls.size === 0 && this.#gossip.first === undefined;
  }

  /** Frames that no credit holds back: answers to what the peer asks, and news. */
  get uncredited(): number {
    return this.#control.length + this.#gossip.length;
  }

  push(frame: Frame): void {
    const packed = pack(frame);
    const lane = laneOf(frame);
    // A reset ends its call: it goes behind what the call still has waiting. Who wants it at once forgets that first.
    const last = frame.type === 'model_reset' && this.#calls.has(frame.number);
    if (last) this.#ofCall(packed.number).push(packed);
    else if (lane === 'control') this.#control.push(packed);
    else if (lane === 'gossip') this.#gossip.push(packed);
    else this.#ofCall(packed.number).push(packed);
  }

  /** Drops what a call still has waiting: it was reset. */
  forget(number: number): void {
    this.#calls.delete(number);
  }

  /** Takes as many whole frames as fit into `bytesMax`; undefined when there are none. */
  take(bytesMax: number): Buffer | undefined {
    const frames: PackedFrame[] = [];
    let bytes = 0;
    const takeFrom = (lane: Lane): boolean => {
      const frame = lane.first;
      if (frame === undefined || bytes + packedBytes(frame) > bytesMax) return false;
      frames.push(frame);
      bytes += packedBytes(frame);
      lane.drop();
      return true;
    };
    while (takeFrom(this.#control));
    while (this.#control.first === undefined && bytes + FRAME_HEADER_BYTES < bytesMax) {
      const [turn] = this.#calls;
      if (turn === undefined) break;
      const [number, lane] = turn;
      if (!takeFrom(lane)) break;
      // Behind the others again: that is the round robin.
      this.#calls.delete(number);
      if (lane.first !== undefined) this.#calls.set(number, lane);
    }
    while (this.#control.first === undefined && this.#calls.size === 0 && takeFrom(this.#gossip));
    return frames.length === 0 ? undefined : joinFrames(frames, bytes);
  }

  #ofCall(number: number): Lane {
    let lane = this.#calls.get(number);
    if (lane === undefined) {
      lane = new Lane();
      this.#calls.set(number, lane);
    }
    return lane;
  }
}
