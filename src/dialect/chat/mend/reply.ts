/** Mends what servers get wrong in a whole Chat Completions reply. */
import { isObject, type JsonObject } from '../../../lib/json.ts';
import { amended, amendedList, asText, isList, isText } from '../../mend/amended.ts';
import type { MendedReply, Mending } from '../../shape.ts';
import { failureIn } from '../failure.ts';
import { mendedFinish } from './finish.ts';
import { thoughtIn } from './think-splitter.ts';
import { usageOf } from './usage.ts';

export function mendChatReply(reply: unknown, mending: Mending): MendedReply {
  // What is no reply at all is told by whoever reads it.
  if (!isObject(reply) || !isList(reply.choices) || reply.choices.length === 0)
    return { kind: 'reply', reply };
  const failure = mending.repair ? failureIn(reply) : undefined;
  if (failure !== undefined) return { kind: 'failed', failure };
  const { choices } = reply;
  const mended = amendedList<unknown>(choices, (choice, at) =>
    isObject(choice) ? mendedChoice(choice, at, mending) : choice,
  );
  const fields = mending.repair ? { ...headOf(reply, mending), ...usageOf(reply, mended) } : {};
  return { kind: 'reply', reply: amended(reply, { ...fields, choices: mended }) };
}

function headOf({ id, created, model }: JsonObject, mending: Mending): JsonObject {
  const { randomId, wall } = mending.tools;
  return {
    id: isText(id) ? id : randomId('chatcmpl-'),
    object: 'chat.completion',
    created: typeof created === 'number' ? created : Math.floor(wall() / 1000),
    model: isText(model) ? model : mending.model,
  };
}

function mendedChoice(choice: JsonObject, at: number, { repair, thinkTags, tools }: Mending): JsonObject {
  const said = messageOf(choice);
  if (!repair) return thinkTags ? amended(choice, { message: thoughtIn(said) }) : choice;
  const calls = isList(said.tool_calls) ? mendedCalls(said.tool_calls, tools.randomId) : undefined;
  const message = amended(said, {
    role: isText(said.role) ? said.role : 'assistant',
    content: said.content ?? null,
    ...(calls === undefined ? {} : { tool_calls: calls }),
  });
  const reason = isText(choice.finish_reason) ? choice.finish_reason : 'stop';
  return amended(choice, {
    index: Number.isInteger(choice.index) ? choice.index : at,
    message: thinkTags ? thoughtIn(message) : message,
    ...(isObject(choice.message) ? {} : { delta: undefined }),
    finish_reason: mendedFinish(reason, calls !== undefined && calls.length > 0),
  });
}

/** Some servers answer in the form of a stream's only chunk. */
function messageOf({ message, delta }: JsonObject): JsonObject {
  if (isObject(message)) return message;
  return isObject(delta) ? delta : {};
}

function mendedCalls(calls: readonly unknown[], randomId: (prefix: string) => string): readonly unknown[] {
  const ids = new Set<unknown>();
  return amendedList<unknown>(calls, (call) => {
    if (!isObject(call)) return call;
    const id = isText(call.id) && !ids.has(call.id) ? call.id : randomId('call_');
    ids.add(id);
    const kind = isObject(call.custom) ? 'custom' : 'function';
    return amended(call, { id, type: isText(call.type) ? call.type : kind, ...functionOf(call) });
  });
}

/** Clients parse the arguments of every call, also of one that needs none. */
function functionOf({ function: named }: JsonObject): JsonObject {
  if (!isObject(named)) return {};
  const text = asText(named.arguments) ?? '';
  return { function: amended(named, { arguments: text.trim() === '' ? '{}' : text }) };
}
