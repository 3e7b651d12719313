/** Events that some servers call by a name of their own, at which OpenAI's clients throw. */
import { isObject, type JsonObject } from '../../../lib/json.ts';
import { amended } from '../../mend/amended.ts';

const NAMES: ReadonlyMap<unknown, string> = new Map([
  // vLLM's.
  ['response.reasoning_part.added', 'response.content_part.added'],
  ['response.reasoning_part.done', 'response.content_part.done'],
  // Those of Open Responses.
  ['response.reasoning.delta', 'response.reasoning_text.delta'],
  ['response.reasoning.done', 'response.reasoning_text.done'],
]);

export function renamed(event: JsonObject): JsonObject {
  const type = NAMES.get(event.type);
  if (type === undefined) return event;
  if (!type.startsWith('response.content_part.')) return amended(event, { type });
  const part = isObject(event.part) ? event.part : { text: event.text ?? '' };
  return amended(event, { type, part: amended(part, { type: 'reasoning_text' }) });
}
