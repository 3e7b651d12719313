/** A stream on its way to the reader: mended where something is to be mended, watched, and never half an event. */
import { ClawError } from '../core/errors.ts';
import { WINDOW_BYTES_MAX } from '../core/limits.ts';
import { failureAmong, failureOfStart } from '../dialect/early-failure.ts';
import type { Framer } from '../dialect/framing/framing.ts';
import type { HubFailure } from '../dialect/hub.ts';
import type { DialectShape, Ending, StreamMender, StreamWatch } from '../dialect/shape.ts';
import type { ByteQueue } from '../lib/byte-queue.ts';
import type { Intake, IntakeParts, Trim } from './intake.ts';
import type { Place } from './place.ts';
import { BROKE_OFF, toldFailure } from './told-failure.ts';

/** One that begins with an error is a failure, and nothing of it passes. */
export class EventIntake implements Intake {
  readonly early = true;
  readonly partial = false;
  failure: HubFailure | undefined;
  readonly #framer: Framer;
  readonly #shape: DialectShape;
  readonly #mender: StreamMender | undefined;
  readonly #watch: StreamWatch;
  readonly #place: Place;
  readonly #trim: Trim | undefined;
  #state: 'silent' | 'telling' = 'silent';
  /** By reference: looked into only when the stream breaks. */
  #latest: Uint8Array | undefined;

  constructor({ shape, eventBytesMax, place, mending }: IntakeParts, trim?: Trim) {
    this.#trim = trim;
    this.#framer = shape.framing.framer(eventBytesMax);
    this.#shape = shape;
    this.#mender = shape.mender(mending);
    this.#watch = shape.watch();
    this.#place = place;
  }

  get holdBytes(): number {
    return this.#state === 'telling' ? 0 : WINDOW_BYTES_MAX;
  }

  get ending(): Ending | undefined {
    return this.#watch.ending;
  }

  get isClosing(): boolean {
    return this.ending !== undefined || this.#mender?.lastWords !== undefined;
  }

  take(chunk: Uint8Array, to: ByteQueue): void {
    let events: Uint8Array;
    try {
      events = this.#framer.push(chunk);
    } catch (error) {
      throw this.#place.fault(error);
    }
    this.#pass(events, to);
  }

  finish(to: ByteQueue): void {
    this.#pass(this.#framer.finish(), to);
    if (this.#mender !== undefined) this.#tell(this.#mender.end(), to, false);
    if (this.ending !== undefined || this.failure !== undefined) return;
    const said = this.lastWords();
    if (said !== undefined) throw toldFailure(said, this.#place, BROKE_OFF);
    throw new ClawError(
      'upstream_truncated',
      this.#place.say('the upstream stopped before its answer was complete: what came is not the whole'),
    );
  }

  lastWords(): HubFailure | undefined {
    const said = this.#mender?.lastWords;
    if (said !== undefined) return said;
    return this.#latest === undefined ? undefined : failureAmong(this.#latest, this.#shape);
  }

  #pass(events: Uint8Array, to: ByteQueue): void {
    if (events.length === 0 || this.failure !== undefined) return;
    const clean = this.#place.clean(events);
    if (this.#state === 'silent' && this.#beginsToFail(clean)) return;
    const mended = this.#mended(clean);
    this.#tell(mended, to, this.#mender?.isQuiet === true);
    // Told once, by whoever tells the client of failures; what came before it passes.
    const said = this.#mender?.failure;
    if (said !== undefined) throw toldFailure(said, this.#place, BROKE_OFF);
  }

  #mended(events: Uint8Array): Uint8Array {
    if (this.#mender === undefined) return events;
    try {
      return this.#mender.mend(events);
    } catch (error) {
      // JSON that is nested without end can be read, and not be written.
      throw this.#place.fault(error);
    }
  }

  #tell(events: Uint8Array, to: ByteQueue, isQuiet: boolean): void {
    if (events.length === 0) return;
    if (isQuiet) this.#watch.skip(events);
    else this.#watch.see(events);
    this.#latest = events;
    to.push(this.#trim === undefined ? events : this.#trim(events));
  }

  #beginsToFail(events: Uint8Array): boolean {
    if (!this.#shape.framing.hasEvent(events)) return false;
    this.#state = 'telling';
    this.failure = failureOfStart(events, this.#shape);
    return this.failure !== undefined;
  }
}
