/** The input of a Responses request as a list of items, and what of it refers to something that is kept. Pure. */
import { createHash } from 'node:crypto';
import { isObject, type JsonObject } from '../lib/json.ts';

/** A text is a message of the user. What is no item at all is left for others to refuse. */
export function itemsOf(input: unknown): readonly unknown[] {
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }];
  if (Array.isArray(input)) return input;
  return input === undefined || input === null ? [] : [input];
}

/** The id of the item that stands elsewhere; the type of such a reference may be left out. */
export function referredTo(item: unknown): string | undefined {
  if (!isObject(item) || typeof item.id !== 'string') return undefined;
  if (item.type === 'item_reference') return item.id;
  return (item.type === undefined || item.type === null) && Object.keys(item).length <= 2 && isBare(item)
    ? item.id
    : undefined;
}

export function previousOf({ previous_response_id: previous }: JsonObject): string | undefined {
  return typeof previous === 'string' && previous !== '' ? previous : undefined;
}

/** Items that clients sent without an id get one that stays the same: a client asks for the next page by it. */
export function withId(item: unknown, responseId: string, index: number): JsonObject {
  const known = isObject(item) ? item : { type: 'message', role: 'user', content: item };
  if (typeof known.id === 'string') return known;
  const digest = createHash('sha256').update(`${responseId} ${index}`).digest('hex').slice(0, 32);
  const type = typeof known.type === 'string' ? known.type : 'message';
  if (type !== 'message') return { ...known, type, id: `item_${digest}` };
  return { ...known, type, id: `msg_${digest}`, status: 'completed', content: partsOf(known) };
}

/** As the API lists a message: its text in a part. */
function partsOf({ role, content }: JsonObject): unknown {
  if (typeof content !== 'string') return content;
  return [{ type: role === 'assistant' ? 'output_text' : 'input_text', text: content }];
}

function isBare(item: JsonObject): boolean {
  return Object.keys(item).every((key) => key === 'id' || key === 'type');
}
