/**
 * What a client says on a WebSocket: a text is one `response.create`, its other members are a call's body. They are
 * taken as they stand in the text: a number that JavaScript cannot hold reaches the upstream as it was sent.
 */
import { ClawError } from '../../core/errors.ts';
import { ERROR_WORD_CHARS_MAX } from '../../core/limits.ts';
import { asBuffer } from '../../dialect/framing/bytes.ts';
import { JsonMembers } from '../../dialect/json/json-members.ts';
import { readJsonObject } from '../read-json.ts';

export interface CreateMessage {
  /** As the body of a request for a stream. */
  readonly body: Uint8Array;
  /** Nothing is to be generated: the client only says now what a later message goes on from. */
  readonly warmsUp: boolean;
  /** The client's word for a conversation of several on one socket; each event repeats it. */
  readonly streamId: string | undefined;
}

/** Of the message, not of the call. */
const NOT_OF_THE_BODY = ['type', 'stream_options', 'background', 'generate', 'stream_id'];

/** Throws `invalid_json`, `bad_request` or `unsupported_parameter`. */
export function readCreate(message: Uint8Array): CreateMessage {
  const text = asBuffer(message).toString();
  const { type, background, generate, stream_id: streamId } = readJsonObject(text, 'the message');
  if (type !== 'response.create') throw unknownType(type);
  if (background === true)
    throw new ClawError('unsupported_parameter', '`background` is not possible on a WebSocket', {
      param: 'background',
    });
  if (streamId !== undefined && typeof streamId !== 'string')
    throw new ClawError('bad_request', '`stream_id` must be a string', { param: 'stream_id' });
  return { body: bodyOf(message), warmsUp: generate === false, streamId };
}

function unknownType(type: unknown): ClawError {
  const named =
    typeof type === 'string' ? `"${type.slice(0, ERROR_WORD_CHARS_MAX)}"` : 'a message without one';
  const text = `\`type\` must be response.create, not ${named}; to stop a response close the socket`;
  return new ClawError('bad_request', text, { param: 'type' });
}

/** There is nothing else than streams here, whatever the message says. */
function bodyOf(message: Uint8Array): Uint8Array {
  const members = new JsonMembers(message);
  for (const name of NOT_OF_THE_BODY) members.remove(name);
  members.set('stream', true);
  return members.body;
}
