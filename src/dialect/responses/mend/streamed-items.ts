/** The output items of a stream that passes: which of them an event means, and what of a call's input has been told. */
import { isObject, type JsonObject } from '../../../lib/json.ts';
import { amended, isText } from '../../mend/amended.ts';
import type { DialectTools } from '../../shape.ts';
import { idPrefixOf } from '../item-ids.ts';

export interface StreamedItem {
  readonly index: number;
  readonly id: string;
  /** Whether its server gave it its id: what that calls it otherwise elsewhere does not count then. */
  readonly hasOwnId: boolean;
  readonly type: unknown;
  /** What the deltas of a call told; what is longer than any event that could repeat it is not kept whole. */
  input: string;
  /** Its input has been told as a whole. */
  isTold: boolean;
}

export class StreamedItems {
  readonly #tools: Pick<DialectTools, 'randomId' | 'eventBytesMax'>;
  readonly #byIndex = new Map<number, StreamedItem>();
  #latest: StreamedItem | undefined;
  /** As they were when they were done; dropped once no last event could hold them. */
  #done: Map<number, JsonObject> | undefined = new Map();
  #doneChars = 0;

  constructor(tools: Pick<DialectTools, 'randomId' | 'eventBytesMax'>) {
    this.#tools = tools;
  }

  /** All items that were done, in their order; none where they do not fit into an event beside what it has. */
  output(chars: number): readonly JsonObject[] {
    if (this.#doneChars + chars > this.#tools.eventBytesMax) return [];
    return [...(this.#done ?? [])].sort(([one], [other]) => one - other).map(([, item]) => item);
  }

  begin({ output_index: index, item_id: id }: JsonObject, item: JsonObject): StreamedItem {
    const at = Number.isInteger(index) ? Number(index) : this.#byIndex.size;
    const given = [item.id, id].find(isText);
    const begun: StreamedItem = {
      index: at,
      id: given ?? this.#tools.randomId(idPrefixOf(item.type)),
      hasOwnId: given !== undefined,
      type: item.type,
      input: '',
      isTold: false,
    };
    this.#byIndex.set(at, begun);
    this.#latest = begun;
    return begun;
  }

  /** By its number, else by its id; with neither only the one that is under way can be meant. */
  find({ output_index: index, item_id, item }: JsonObject): StreamedItem | undefined {
    if (Number.isInteger(index)) return this.#byIndex.get(Number(index));
    const id = [item_id, isObject(item) ? item.id : undefined].find(isText);
    if (id === undefined) return this.#latest;
    return [...this.#byIndex.values()].findLast((one) => one.id === id);
  }

  hear(item: StreamedItem, delta: string): void {
    if (item.input.length <= this.#tools.eventBytesMax) item.input += delta;
  }

  /** `chars`: how much of an event it fills. */
  done({ index }: StreamedItem, item: JsonObject, chars: number): void {
    this.#doneChars += chars;
    if (this.#doneChars > this.#tools.eventBytesMax) this.#done = undefined;
    this.#done?.set(index, item);
  }

  /** The item that stands there in the last event. */
  at(index: number, item: JsonObject): StreamedItem {
    const known = this.#byIndex.get(index);
    return known !== undefined && known.type === item.type ? known : this.begin({}, item);
  }
}

/** As all its events call it. */
export function named(item: JsonObject, { id, hasOwnId }: StreamedItem): JsonObject {
  return hasOwnId ? item : amended(item, { id });
}
