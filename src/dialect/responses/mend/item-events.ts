/** Mends the events that tell of output items, and the last one, which repeats them all. */
import { isObject, type JsonObject } from '../../../lib/json.ts';
import { amended, amendedList, asText, isList, isText } from '../../mend/amended.ts';
import type { Mending } from '../../shape.ts';
import { END_EVENTS } from '../end-events.ts';
import { begunItem, inputFieldOf, wholeInput, wholeItem } from './item.ts';
import { named, type StreamedItem, StreamedItems } from './streamed-items.ts';

const ADDED = 'response.output_item.added';
const DONE = 'response.output_item.done';
/** The events inside of an item: each names it. */
const INSIDE =
  /^response\.(output_text|refusal|content_part|reasoning_text|reasoning_summary_(part|text)|function_call_arguments|custom_tool_call_input)\./;
const INPUT = /^response\.(function_call_arguments|custom_tool_call_input)\.(delta|done)$/;

export class ItemEvents {
  readonly #items: StreamedItems;

  constructor(tools: Mending['tools']) {
    this.#items = new StreamedItems(tools);
  }

  /** The events that a call lacks before this one: some clients put its input together of deltas alone. */
  before(event: JsonObject): readonly JsonObject[] {
    const { type, item } = event;
    const known = this.#items.find(event);
    const kind = INPUT.exec(textOf(type))?.[1];
    if (kind !== undefined && textOf(type).endsWith('.done') && known !== undefined)
      return this.#missingDelta(known, event);
    if (type !== DONE || !isObject(item) || known === undefined || known.isTold) return [];
    const field = inputFieldOf(item.type);
    if (field === undefined || item.status === 'incomplete') return [];
    const input = wholeInput(field, asText(item[field]) || known.input);
    const told = { item_id: known.id, output_index: known.index, [field]: input };
    known.isTold = true;
    return [...this.#missingDelta(known, told), { type: `${eventsOf(field)}.done`, ...told }];
  }

  /** `chars`: how long the event is. */
  mend(event: JsonObject, chars: number): JsonObject {
    const type = textOf(event.type);
    if (type === ADDED) return this.#added(event);
    if (type === DONE) return this.#done(event, chars);
    if (END_EVENTS.has(type)) return this.#last(event, chars);
    if (!INSIDE.test(type)) return event;
    const item = this.#items.find(event);
    if (item === undefined) return event;
    return amended(event, {
      item_id: item.hasOwnId && isText(event.item_id) ? event.item_id : item.id,
      output_index: Number.isInteger(event.output_index) ? event.output_index : item.index,
      ...(INPUT.test(type) ? this.#input(event, item) : {}),
    });
  }

  #missingDelta(item: StreamedItem, { arguments: told, input }: JsonObject): readonly JsonObject[] {
    const field = inputFieldOf(item.type) ?? 'arguments';
    const delta = wholeInput(field, asText(field === 'arguments' ? told : input) || item.input);
    if (item.input.trim() !== '' || delta === '') return [];
    item.input = delta;
    return [{ type: `${eventsOf(field)}.delta`, item_id: item.id, output_index: item.index, delta }];
  }

  #input(event: JsonObject, item: StreamedItem): JsonObject {
    if (textOf(event.type).endsWith('.delta')) {
      const delta = asText(event.delta) ?? '';
      this.#items.hear(item, delta);
      return { delta };
    }
    item.isTold = true;
    const field = inputFieldOf(item.type) ?? 'arguments';
    return { [field]: wholeInput(field, asText(event[field]) || item.input) };
  }

  #added(event: JsonObject): JsonObject {
    const { item } = event;
    if (!isObject(item)) return event;
    const streamed = this.#items.begin(event, item);
    return amended(event, { output_index: streamed.index, item: begunItem(item, streamed.id) });
  }

  #done(event: JsonObject, chars: number): JsonObject {
    const { item } = event;
    if (!isObject(item)) return event;
    const streamed = this.#items.find(event) ?? this.#items.begin(event, item);
    const mended = wholeItem(named(item, streamed), streamed.id, streamed.input);
    this.#items.done(streamed, mended, chars);
    return amended(event, { output_index: streamed.index, item: mended });
  }

  /** Some servers leave out at the end what they have told before. */
  #last(event: JsonObject, chars: number): JsonObject {
    const { response } = event;
    if (!isObject(response)) return event;
    const told = isList(response.output) ? response.output : [];
    const whole = amendedList(told, (item, at) => (isObject(item) ? this.#again(item, at) : item));
    const output = told.length === 0 ? this.#items.output(chars) : whole;
    if (output.length === 0 && isList(response.output)) return event;
    return amended(event, { response: amended(response, { output }) });
  }

  #again(item: JsonObject, at: number): JsonObject {
    const streamed = this.#items.at(at, item);
    return wholeItem(named(item, streamed), streamed.id, streamed.input);
  }
}

function eventsOf(field: 'arguments' | 'input'): string {
  return field === 'arguments' ? 'response.function_call_arguments' : 'response.custom_tool_call_input';
}

function textOf(value: unknown): string {
  return isText(value) ? value : '';
}
