/**
 * A whole Chat Completions reply as the chunks of a stream: for servers that do not stream when they are asked to. Works
 * on the reply as it is and not over the hub, so that fields which only this provider knows are kept.
 */
import { z } from 'zod';
import type { JsonObject } from '../../lib/json.ts';
import { AnyObject, maybe, readProvider } from '../door.ts';
import { SSE_DONE, sseEvent } from '../framing/sse.ts';
import { textPieces } from '../text-pieces.ts';

const Choice = z.looseObject({
  index: maybe(z.int()).catch(undefined),
  message: maybe(AnyObject),
  finish_reason: maybe(z.string()),
});
const Whole = z.looseObject({ choices: z.array(Choice) });
const Request = z.object({ stream_options: z.object({ include_usage: z.literal(true) }) });
const Calls = z.array(AnyObject).catch([]);

/** `request` is the client's own: it says whether usage belongs into the stream. */
export function chatStreamOf(reply: unknown, request: unknown): string {
  const { choices, usage, ...head } = readProvider(Whole, reply, 'reply');
  const event = (fields: object) =>
    sseEvent(JSON.stringify({ ...head, object: 'chat.completion.chunk', ...fields }));
  const chunks = choices.flatMap((choice, at) => chunksOf({ ...choice, index: choice.index ?? at }));
  const told = chunks.map((choice) => event({ choices: [choice] })).join('');
  const wantsUsage = AnyObject.safeParse(usage).success && Request.safeParse(request).success;
  return told + (wantsUsage ? event({ choices: [], usage }) : '') + SSE_DONE;
}

/** One choice: its role, what it says piece by piece, and its end with all else that is told of it. */
function chunksOf({
  index,
  message = {},
  finish_reason,
  logprobs,
  ...rest
}: z.infer<typeof Choice>): object[] {
  const { role = 'assistant', content, tool_calls, ...others } = message;
  const calls = Calls.parse(tool_calls);
  const said = fieldDeltas('content', content);
  const deltas = [
    { role, content: '' },
    ...Object.entries(others).flatMap(([name, value]) => fieldDeltas(name, value)),
    ...said,
    ...calls.flatMap(callDeltas).map((call) => ({ tool_calls: [call] })),
  ];
  const chunks: object[] = deltas.map((delta) => ({
    index,
    delta,
    // They belong to the text, and it is not known which to which piece.
    ...(delta === said[0] && logprobs !== undefined ? { logprobs } : {}),
    finish_reason: null,
  }));
  const end = said.length > 0 || logprobs === undefined ? rest : { ...rest, logprobs };
  chunks.push({ index, delta: {}, ...end, finish_reason: finishOf(finish_reason, calls.length > 0) });
  return chunks;
}

/** A text goes in pieces. What is null says nothing. */
function fieldDeltas(name: string, value: unknown): readonly JsonObject[] {
  if (value === null || value === undefined) return [];
  if (typeof value !== 'string') return [Object.fromEntries([[name, value]])];
  return textPieces(value).map((piece) => Object.fromEntries([[name, piece]]));
}

const Named = z.looseObject({ arguments: z.unknown().optional() });

function callDeltas(call: JsonObject, index: number): readonly JsonObject[] {
  const named = Named.safeParse(call.function);
  if (!named.success) return [{ ...call, index }];
  const { arguments: input, ...name } = named.data;
  // Clients parse the arguments of every call, also of one that needs none.
  const text = typeof input === 'string' ? input || '{}' : JSON.stringify(input ?? {});
  const [first = '', ...more] = textPieces(text);
  return [
    { ...call, index, function: { ...name, arguments: first } },
    ...more.map((piece) => ({ index, function: { arguments: piece } })),
  ];
}

/** Some servers end a turn of calls with "stop", and clients then drop the calls. */
export function finishOf(reason: string | undefined, hasCalls: boolean): string {
  const told = reason || 'stop';
  return hasCalls && told === 'stop' ? 'tool_calls' : told;
}
