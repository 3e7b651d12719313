/**
 * Mends what servers get wrong in a Responses stream that passes. Their faults are of a kind of event, not of a single
 * one: the first of each kind is read, and where it needed nothing those that follow pass unread, but for the few kinds
 * that say something of an item or of the end.
 */
import { isObject, type JsonObject, tolerantJson } from '../../../lib/json.ts';
import { NOTHING } from '../../framing/bytes.ts';
import { readFailure } from '../../failure.ts';
import type { HubFailure } from '../../hub.ts';
import { amended, isText } from '../../mend/amended.ts';
import { mendEach, type RawEvent, retold } from '../../mend/raw-event.ts';
import type { Mending, StreamMender } from '../../shape.ts';
import { sseBytes, sseEvent } from '../../framing/sse.ts';
import { END_EVENTS } from '../end-events.ts';
import { errorEvent, failureOfEvent, isErrorEvent } from '../error-event.ts';
import { EventNames } from './event-names.ts';
import { EventNumbers } from './event-numbers.ts';
import { ItemEvents } from './item-events.ts';
import { renamed } from './renamed.ts';

const FAILED = 'response.failed';

/** An error that has come, and may be followed by the failed response that it belongs to. */
interface KeptError {
  readonly failure: HubFailure;
  readonly bytes: Uint8Array;
}

export class ResponsesMender implements StreamMender {
  failure: HubFailure | undefined;
  isQuiet = false;
  readonly #items: ItemEvents;
  readonly #passing = new EventNames();
  readonly #numbers = new EventNumbers();
  #kept: KeptError | undefined;
  #isOver = false;

  constructor({ tools }: Mending) {
    this.#items = new ItemEvents(tools);
  }

  get lastWords(): HubFailure | undefined {
    return this.#kept?.failure;
  }

  mend(events: Uint8Array): Uint8Array {
    if (this.failure !== undefined) return NOTHING;
    this.isQuiet = this.#kept === undefined && this.#passing.haveAll(events);
    if (this.isQuiet) return events;
    return mendEach(events, (event) => {
      const passes = this.#kept === undefined && this.#passing.have(event.name);
      return passes ? event.bytes : this.#event(event);
    });
  }

  end(): Uint8Array {
    return NOTHING;
  }

  /** Undefined where it tells of the failure of its answer. */
  #event(event: RawEvent): Uint8Array | undefined {
    const { data, name } = event;
    if (data === undefined) return event.bytes;
    const parsed = tolerantJson(data);
    const json = isObject(parsed) ? parsed : {};
    const type = isText(json.type) ? json.type : name;
    const kept = this.#kept;
    this.#kept = undefined;
    // Alone it is told anew in all its forms by whoever tells the client of failures.
    if (kept !== undefined && type !== FAILED) return this.#fail(kept.failure);
    if (isErrorEvent(json, name))
      return isObject(parsed) ? this.#keep(event, json) : this.#fail(readFailure(data));
    // What is no JSON is told by whoever reads the stream.
    if (type === undefined || !isObject(parsed)) return event.bytes;
    return this.#mended(event, { json, type, kept });
  }

  #mended(
    event: RawEvent,
    { json, type, kept }: { json: JsonObject; type: string; kept: KeptError | undefined },
  ): Uint8Array {
    const typed = renamed(amended(json, { type }));
    const lacking = type === FAILED ? failedLacks(typed, kept) : this.#items.before(typed);
    this.#isOver ||= END_EVENTS.has(type);
    const before = lacking.map((own) => bytesOf(this.#numbers.insert(own, typed)));
    if (before.length > 0) this.#passing.clear();
    if (kept !== undefined) before.push(kept.bytes);
    const mended = this.#numbers.number(this.#items.mend(typed, event.bytes.length));
    const isSame = mended === json && event.name === type;
    if (isSame && !this.#numbers.areMoved) this.#passing.add(type);
    const told = isSame ? event.bytes : retold(event, JSON.stringify(mended), textOf(mended.type));
    return before.length === 0 ? told : Buffer.concat([...before, told]);
  }

  #keep(event: RawEvent, json: JsonObject): Uint8Array {
    if (this.#isOver) return NOTHING;
    const failure = failureOfEvent(json);
    const mended = this.#numbers.number(errorEvent(json, failure));
    const isSame = mended === json && event.name === 'error';
    const bytes = isSame ? event.bytes : retold(event, JSON.stringify(mended), 'error');
    this.#kept = { failure, bytes };
    return NOTHING;
  }

  /** Behind its end nothing takes an answer back. */
  #fail(failure: HubFailure): Uint8Array | undefined {
    if (this.#isOver) return NOTHING;
    this.failure = failure;
    return undefined;
  }
}

/** Some clients read nothing but the error, some nothing but the failed response. */
function failedLacks({ response }: JsonObject, kept: KeptError | undefined): readonly JsonObject[] {
  if (kept !== undefined) return [];
  const { error } = isObject(response) ? response : {};
  return [errorEvent({ type: 'error' }, readFailure(error))];
}

function bytesOf(event: JsonObject): Uint8Array {
  return sseBytes(sseEvent(JSON.stringify(event), textOf(event.type)));
}

function textOf(value: unknown): string | undefined {
  return isText(value) ? value : undefined;
}
