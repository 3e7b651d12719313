/** A note of the node to the model, in the instructions of a Responses request. */
import { JsonMembers } from '../json/json-members.ts';

/** Instructions that are no text are its upstream's to judge. */
export function withResponsesNote(body: Uint8Array, note: string): Uint8Array {
  const members = new JsonMembers(body);
  const instructions = members.value('instructions') ?? '';
  if (typeof instructions !== 'string') return body;
  members.set('instructions', instructions === '' ? note : `${note}\n\n${instructions}`);
  return members.body;
}
