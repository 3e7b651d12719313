/** A body that is held whole before anything is made of it, as long as it is not longer than any answer. */
import { ClawError } from '../core/errors.ts';
import { JSON_REPLY_BYTES_MAX } from '../core/limits.ts';
import type { Place } from './place.ts';

export class HeldBytes {
  readonly #place: Place;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(place: Place) {
    this.#place = place;
  }

  add(chunk: Uint8Array): void {
    this.count(chunk);
    this.#chunks.push(chunk);
  }

  /** For what is read as it comes, and held in another form. */
  count(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= JSON_REPLY_BYTES_MAX) return;
    const text = `the upstream's reply is longer than ${JSON_REPLY_BYTES_MAX} bytes, and would have to be held whole`;
    throw new ClawError('stream_buffer_exceeded', this.#place.say(text));
  }

  /** Without a byte order mark. */
  text(): string {
    return new TextDecoder().decode(Buffer.concat(this.#chunks));
  }
}
