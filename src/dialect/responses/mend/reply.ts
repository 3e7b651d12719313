/** Mends what servers get wrong in a whole Responses reply. */
import { isObject, type JsonObject } from '../../../lib/json.ts';
import { amended, amendedList, isList, isText } from '../../mend/amended.ts';
import type { MendedReply, Mending } from '../../shape.ts';
import { idPrefixOf } from '../item-ids.ts';
import { wholeItem } from './item.ts';

export function mendResponsesReply(reply: unknown, { repair, tools }: Mending): MendedReply {
  // What is no reply at all is told by whoever reads it.
  if (!repair || !isObject(reply) || !isText(reply.status)) return { kind: 'reply', reply };
  return { kind: 'reply', reply: mendedResponse(reply, tools.randomId) };
}

function mendedResponse(response: JsonObject, randomId: (prefix: string) => string): JsonObject {
  const output = isList(response.output) ? response.output : [];
  return amended(response, {
    id: isText(response.id) ? response.id : randomId('resp_'),
    object: 'response',
    output: amendedList<unknown>(output, (item) =>
      isObject(item) ? wholeItem(item, randomId(idPrefixOf(item.type))) : item,
    ),
  });
}
