/** A note of the node to the model, in the system text of a Chat Completions request. */
import { z } from 'zod';
import { AnyObject } from '../door.ts';
import { JsonMembers } from '../json/json-members.ts';

const Messages = z.array(z.unknown());
const SystemMessage = z.intersection(AnyObject, z.object({ role: z.enum(['system', 'developer']) }));

/** Before the first system message, or as the first message of all. A body without messages is its upstream's to judge. */
export function withChatNote(body: Uint8Array, note: string): Uint8Array {
  const members = new JsonMembers(body);
  const { data: messages } = Messages.safeParse(members.value('messages'));
  if (messages === undefined) return body;
  const at = messages.findIndex((message) => SystemMessage.safeParse(message).success);
  const { data: first } = AnyObject.safeParse(messages[at]);
  const noted =
    first === undefined
      ? [{ role: 'system', content: note }, ...messages]
      : messages.with(at, { ...first, content: contentWith(first.content, note) });
  members.set('messages', noted);
  return members.body;
}

function contentWith(content: unknown, note: string): unknown {
  if (Array.isArray(content)) return [{ type: 'text', text: note }].concat(content);
  return typeof content === 'string' && content !== '' ? `${note}\n\n${content}` : note;
}
