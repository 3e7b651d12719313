/** Mends one output item: what every client takes for granted of it is there, in the form that it expects. */
import { isObject, type JsonObject } from '../../../lib/json.ts';
import { amended, asText, isList, isText } from '../../mend/amended.ts';

/** The field that holds the input of a call. */
export type InputField = 'arguments' | 'input';

export function inputFieldOf(type: unknown): InputField | undefined {
  if (type === 'function_call') return 'arguments';
  return type === 'custom_tool_call' ? 'input' : undefined;
}

/** An item as it begins: what a call is given is told in deltas, and not before. */
export function begunItem(item: JsonObject, id: string): JsonObject {
  const field = inputFieldOf(item.type);
  return amended(item, { ...fieldsOf(item, id), ...(field === undefined ? {} : { [field]: '' }) });
}

/** `streamed`: the input of a call as its deltas told it. */
export function wholeItem(item: JsonObject, id: string, streamed = ''): JsonObject {
  const field = inputFieldOf(item.type);
  if (field === undefined) return amended(item, fieldsOf(item, id));
  const text = asText(item[field]) || streamed;
  const isCut = item.status === 'incomplete' || item.status === 'in_progress';
  return amended(item, { ...fieldsOf(item, id), [field]: isCut ? text : wholeInput(field, text) });
}

/** Clients parse the arguments of every call, also of one that needs none. */
export function wholeInput(field: InputField, text: string): string {
  return field === 'arguments' && text.trim() === '' ? '{}' : text;
}

function fieldsOf({ id: given, type, content, summary }: JsonObject, id: string): JsonObject {
  return {
    id: isText(given) ? given : id,
    ...(type === 'message' ? { content: contentOf(content) } : {}),
    ...(type === 'reasoning' ? { summary: isList(summary) ? summary : [] } : {}),
  };
}

function contentOf(content: unknown): readonly unknown[] {
  if (isList(content)) return content;
  if (isObject(content)) return [content];
  return isText(content) ? [{ type: 'output_text', text: content, annotations: [] }] : [];
}
