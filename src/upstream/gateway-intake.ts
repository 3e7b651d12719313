/**
 * A reply of OpenClaw's gateway, held back while its text reads like an error: the gateway tells the failures of its
 * agents as answers, with 200 and no usage. Real text goes on as soon as its first letters show it.
 */
import { ClawError } from '../core/errors.ts';
import { GATEWAY_HELD_BYTES_MAX } from '../core/limits.ts';
import type { HubFailure } from '../dialect/hub.ts';
import type { Ending } from '../dialect/shape.ts';
import { SseReader } from '../dialect/framing/sse.ts';
import type { StreamEvent } from '../dialect/framing/stream-event.ts';
import type { ByteQueue } from '../lib/byte-queue.ts';
import { formOf } from './first-bytes.ts';
import { Heard } from './gateway-heard.ts';
import type { Intake } from './intake.ts';
import type { Place } from './place.ts';

export class GatewayIntake implements Intake {
  readonly early = false;
  readonly partial = false;
  readonly #inner: Intake;
  readonly #place: Place;
  readonly #heard = new Heard();
  /** What is held; undefined once it has been let go. */
  #chunks: Uint8Array[] | undefined = [];
  #bytes = 0;
  /** Set once the reply is known to be a stream. */
  #reader: SseReader | undefined;

  constructor(inner: Intake, place: Place) {
    this.#inner = inner;
    this.#place = place;
  }

  get holdBytes(): number {
    // Nothing waits in the queue while it is held here: the reply is not handed over.
    return this.#chunks === undefined ? this.#inner.holdBytes : 1;
  }

  get ending(): Ending | undefined {
    return this.#inner.ending;
  }

  get isClosing(): boolean {
    return this.#inner.isClosing;
  }

  get failure(): HubFailure | undefined {
    return this.#inner.failure;
  }

  lastWords(): HubFailure | undefined {
    return this.#inner.lastWords?.();
  }

  take(chunk: Uint8Array, to: ByteQueue): void {
    if (this.#chunks === undefined) return this.#inner.take(chunk, to);
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > GATEWAY_HELD_BYTES_MAX || !this.#mayBeError(this.#chunks, chunk)) this.#letGo(to);
  }

  finish(to: ByteQueue): void {
    if (this.#chunks !== undefined) {
      if (this.#reader === undefined) this.#heard.hear(Buffer.concat(this.#chunks).toString());
      else this.#hearEvents(this.#reader.end());
      this.#judge();
      this.#letGo(to);
    }
    this.#inner.finish(to);
  }

  /** A whole reply is looked into when it is whole. */
  #mayBeError(chunks: readonly Uint8Array[], latest: Uint8Array): boolean {
    if (this.#reader !== undefined) return this.#hearEvents(this.#reader.read(latest));
    const first = Buffer.concat(chunks);
    const form = formOf(first);
    if (form !== 'events') return form === 'json' || form === undefined;
    // It is given no more than is held here, so that its own limit is never met.
    this.#reader = new SseReader(GATEWAY_HELD_BYTES_MAX);
    return this.#hearEvents(this.#reader.read(first));
  }

  #hearEvents(events: readonly StreamEvent[]): boolean {
    for (const { data } of events) {
      if (data.trim() !== '[DONE]') {
        if (!this.#heard.hear(data)) return false;
        continue;
      }
      this.#judge();
      return false;
    }
    return true;
  }

  /** The reply is whole. */
  #judge(): void {
    if (!this.#heard.isError) return;
    const words = this.#place.quote(this.#heard.text);
    throw new ClawError(
      'upstream_error',
      this.#place.say(`the OpenClaw gateway answered 200 with an error in place of an answer: ${words}`),
    );
  }

  #letGo(to: ByteQueue): void {
    const chunks = this.#chunks ?? [];
    this.#chunks = undefined;
    for (const chunk of chunks) this.#inner.take(chunk, to);
  }
}
