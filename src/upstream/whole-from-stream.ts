/** Mends a stream where a whole reply was asked for: read to its real end, then told as the JSON of its dialect. */
import { readerTools } from '../dialect/early-failure.ts';
import type { Framer } from '../dialect/framing/framing.ts';
import type { HubFailure } from '../dialect/hub.ts';
import type { Ending, StreamGatherer, StreamMender, StreamReader, StreamWatch } from '../dialect/shape.ts';
import type { ByteQueue } from '../lib/byte-queue.ts';
import { HeldBytes } from './held-bytes.ts';
import type { Intake, IntakeParts } from './intake.ts';

export class WholeFromStream implements Intake {
  readonly early = false;
  /** Nothing is pushed before the end. */
  readonly holdBytes = 1;
  readonly partial = false;
  failure: HubFailure | undefined;
  readonly #parts: IntakeParts;
  readonly #size: HeldBytes;
  readonly #framer: Framer;
  readonly #mender: StreamMender | undefined;
  readonly #watch: StreamWatch;
  /** Knows whether the stream failed or was cut; the gatherer keeps what it said. */
  readonly #reader: StreamReader;
  readonly #gatherer: StreamGatherer;

  constructor(parts: IntakeParts) {
    const { shape, eventBytesMax, place, mending } = parts;
    this.#parts = parts;
    this.#size = new HeldBytes(place);
    this.#framer = shape.framing.framer(eventBytesMax);
    this.#mender = shape.mender(mending);
    this.#watch = shape.watch();
    this.#reader = shape.streamReader(readerTools(eventBytesMax));
    this.#gatherer = shape.gatherer();
  }

  get isClosing(): boolean {
    return this.ending !== undefined;
  }

  get ending(): Ending | undefined {
    return this.#watch.ending;
  }

  take(chunk: Uint8Array): void {
    this.#size.count(chunk);
    this.#named(() => this.#mend(this.#framer.push(chunk)));
  }

  /** Throws `upstream_truncated` where the stream has not told its end: half an answer is none. */
  finish(to: ByteQueue): void {
    this.#named(() => {
      this.#mend(this.#framer.finish());
      if (this.#mender !== undefined) this.#read(this.#mender.end());
      this.failure ??= this.#mender?.lastWords;
      if (this.failure !== undefined) return;
      this.#reader.end();
      const whole = JSON.stringify(this.#gatherer.whole());
      to.push(this.#parts.place.clean(Buffer.from(whole)));
    });
  }

  #mend(events: Uint8Array): void {
    this.#read(this.#mender === undefined ? events : this.#mender.mend(events));
    this.failure ??= this.#mender?.failure;
  }

  #read(events: Uint8Array): void {
    if (events.length === 0) return;
    this.#watch.see(events);
    for (const { data, name } of this.#parts.shape.framing.events(events)) {
      if (this.failure !== undefined) return;
      for (const event of this.#reader.read(data, name)) {
        if (event.type === 'failed') this.failure = event.failure;
      }
      if (this.failure === undefined) this.#gatherer.add(data);
    }
  }

  #named(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw this.#parts.place.fault(error);
    }
  }
}
