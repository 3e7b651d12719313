/**
 * Mends what servers get wrong in a Chat Completions stream that passes. A server that does not know the form of a chunk
 * shows it from the first, so that the first two are read; of the others only those that a search finds a sign in.
 */
import { CHOICES_MAX } from '../../../core/limits.ts';
import { isObject, type JsonObject, tolerantJson } from '../../../lib/json.ts';
import { asBuffer, NOTHING } from '../../framing/bytes.ts';
import { readFailure } from '../../failure.ts';
import type { HubFailure } from '../../hub.ts';
import { amended, amendedList, isList, isText } from '../../mend/amended.ts';
import { mendEach, type RawEvent, retold } from '../../mend/raw-event.ts';
import type { Mending, StreamMender } from '../../shape.ts';
import { sseBytes, sseEvent } from '../../framing/sse.ts';
import { ChoiceMender } from './choice-mender.ts';
import { ChunkHead } from './chunk-head.ts';
import { failureIn } from '../failure.ts';
import { usageOf } from './usage.ts';

/**
 * In one search, which costs no more than a native one for each of them: an event with a name; an error, be it a key or a
 * finish; calls; a finish that is a text, be it empty; a message, be it an error's or one in place of a delta; usage; the
 * end. In a JSON string every quote is escaped, so that no text of an answer looks like one of the keys.
 */
const SIGN =
  /\nevent|"(?:error"|tool_calls"\s*:\s*\[\s*\{|finish_reason"\s*:\s*"|message"|usage"\s*:\s*\{)|\[DONE\]/;
const NAME_START = 'e'.charCodeAt(0);
const FIRST_CHUNKS = 2;

export class ChatMender implements StreamMender {
  failure: HubFailure | undefined;
  isQuiet = false;
  readonly #mending: Mending;
  readonly #head: ChunkHead;
  readonly #choices = new Map<number, ChoiceMender>();
  /** Of those that say something of an answer. */
  #chunks = 0;
  #reads: 'every event' | 'signs' = 'every event';
  #isWellFormed = true;
  #isFinished = false;

  constructor(mending: Mending) {
    this.#mending = mending;
    this.#head = new ChunkHead(mending);
  }

  mend(events: Uint8Array): Uint8Array {
    if (this.failure !== undefined) return NOTHING;
    this.isQuiet = this.#passes(events);
    if (this.isQuiet) return events;
    return mendEach(events, (event) => (this.#passes(event.bytes) ? event.bytes : this.#event(event)));
  }

  end(): Uint8Array {
    return NOTHING;
  }

  #passes(events: Uint8Array): boolean {
    if (this.#reads === 'every event') return false;
    return events[0] !== NAME_START && !SIGN.test(asBuffer(events).toString('latin1'));
  }

  /** Undefined where it tells of the failure of its answer. */
  #event(event: RawEvent): Uint8Array | undefined {
    const { data, name } = event;
    if (data === undefined) return event.bytes;
    if (data.trim() === '[DONE]') {
      const done = name === undefined ? event.bytes : retold(event, '[DONE]');
      return this.#behind(this.#missingEnds(), done);
    }
    const json = tolerantJson(data);
    // What is no JSON is told by whoever reads the stream.
    if (!isObject(json)) return name === 'error' ? this.#fail(readFailure(data)) : event.bytes;
    const failure = failureIn(json, name);
    if (failure !== undefined) return this.#fail(failure);
    // Some clients see nothing of an event with a name.
    if (name !== undefined) this.#isWellFormed = false;
    const chunk = this.#chunk(json);
    const isSame = chunk === json && name === undefined;
    return this.#behind(this.#owed(chunk), isSame ? event.bytes : retold(event, JSON.stringify(chunk)));
  }

  /** Behind its end nothing takes an answer back. */
  #fail(failure: HubFailure): Uint8Array | undefined {
    if (this.#isFinished) return NOTHING;
    this.failure = failure;
    return undefined;
  }

  /** The event behind a chunk for each of these choices. */
  #behind(choices: readonly JsonObject[], event: Uint8Array): Uint8Array {
    if (choices.length === 0) return event;
    const chunks = choices.map((choice) =>
      sseBytes(sseEvent(JSON.stringify({ ...this.#head.fields, choices: [choice] }))),
    );
    return Buffer.concat([...chunks, event]);
  }

  #chunk(json: JsonObject): JsonObject {
    const { choices } = json;
    if (!isList(choices)) return isObject(json.usage) ? this.#headed({ ...json, choices: [] }) : json;
    // Azure begins with a chunk that only judges the question.
    if (choices.length === 0) return this.#chunks === 0 ? json : this.#headed(json);
    const mended = amendedList<unknown>(choices, (choice, at) =>
      isObject(choice) ? this.#choice(choice, at) : choice,
    );
    const chunk = this.#headed(amended(json, { choices: mended, ...usageOf(json, mended) }));
    if (++this.#chunks === FIRST_CHUNKS && this.#isWellFormed) this.#reads = 'signs';
    return chunk;
  }

  #headed(chunk: JsonObject): JsonObject {
    const headed = this.#head.mend(chunk);
    if (headed !== chunk) this.#isWellFormed = false;
    return headed;
  }

  #choice(choice: JsonObject, at: number): JsonObject {
    const isNumbered = Number.isInteger(choice.index);
    const index = isNumbered ? Number(choice.index) : at;
    if (!isNumbered || !isObject(choice.delta)) this.#isWellFormed = false;
    let mender = this.#choices.get(index);
    if (mender === undefined) {
      if (this.#choices.size >= CHOICES_MAX) return choice;
      mender = new ChoiceMender(index, this.#mending.tools.randomId, this.#reads === 'every event');
      this.#choices.set(index, mender);
    }
    return mender.mend(choice);
  }

  /** What the choices that end with this chunk have to say before it. */
  #owed({ choices }: JsonObject): readonly JsonObject[] {
    if (!isList(choices)) return [];
    const ending = choices.filter(isObject).filter((choice) => isText(choice.finish_reason));
    if (ending.length > 0) this.#isFinished = true;
    return ending.flatMap(({ index }): readonly JsonObject[] => {
      const owed = this.#choices.get(Number(index))?.settle();
      return owed === undefined ? [] : [owed];
    });
  }

  /** `[DONE]` without a finish says that all has been said, but some clients drop what no finish follows. */
  #missingEnds(): readonly JsonObject[] {
    if (this.#isFinished) return [];
    this.#isFinished = true;
    return [...this.#choices.values()].flatMap((choice) => {
      const owed = choice.settle();
      return owed === undefined ? [choice.finish()] : [owed, choice.finish()];
    });
  }
}
