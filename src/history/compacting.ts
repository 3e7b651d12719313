/** Compaction where no server offers it: the model itself is asked for a summary, and that is what the client gets. */
import type { Answer, Call, Reply } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import { COMPACTION_VERBATIM_CHARS_MAX, JSON_REPLY_BYTES_MAX } from '../core/limits.ts';
import type { CallId } from '../core/ids.ts';
import { errorOfRefusal } from '../core/refusal.ts';
import { parseClientJson } from '../dialect/door.ts';
import { heldBody } from '../dialect/held-body.ts';
import { changed } from '../lib/changed.ts';
import { isObject, type JsonObject, tolerantJson } from '../lib/json.ts';
import { readText } from '../lib/read-text.ts';
import type { StopSignal } from '../lib/signals.ts';
import { compactionItem } from './compaction.ts';
import { itemsOf, previousOf } from './input.ts';

export interface CompactingParts {
  /** An owner runs no call of an id that it has had. */
  readonly newId: () => CallId;
  readonly randomId: (prefix: string) => string;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

/** A server without the path answers so: it may be another one than its card says. */
const WITHOUT = new Set([404, 405, 501]);

const INSTRUCTION = `Sum up the conversation above, so that it can be gone on with from your summary alone. Do not go on with it, call no tool, and address nobody. Write down, in this order and only what there is:
- what the user wants, with every condition, preference and correction, in the user's own words where they matter;
- what has been found out and decided, with the reasons;
- what has been done: files, commands, calls of tools and what came of them, with exact names, paths, numbers and identifiers;
- what is open, what was about to be done next, and any question that waits for an answer.
Leave out pleasantries and what has been superseded.`;

export function compacting(answer: Answer, parts: CompactingParts): Answer {
  return (call, signal) =>
    call.operation?.kind === 'compact'
      ? offeredOrOurs(answer, call, signal, parts)
      : // Nearly all: not a promise more for them.
        answer(call, signal);
}

async function offeredOrOurs(
  answer: Answer,
  call: Call,
  signal: StopSignal,
  parts: CompactingParts,
): Promise<Reply> {
  return (await offered(answer, call, signal)) ?? compacted(answer, call, signal, parts);
}

/** The server's own; undefined where it has none. */
async function offered(answer: Answer, call: Call, signal: StopSignal): Promise<Reply | undefined> {
  try {
    const reply = await answer(call, signal);
    if (!WITHOUT.has(reply.status)) return reply;
    await reply.body[Symbol.asyncIterator]().return?.();
  } catch (thrown) {
    if (!(thrown instanceof ClawError) || thrown.code !== 'unsupported_operation') throw thrown;
  }
  return undefined;
}

async function compacted(
  answer: Answer,
  call: Call,
  signal: StopSignal,
  { newId, randomId, wall }: CompactingParts,
): Promise<Reply> {
  const { operation: _operation, writtenOut: _writtenOut, ...asked } = whole(call);
  const body = parseClientJson(asked.body);
  if (!isObject(body)) throw new ClawError('bad_request', 'the request body must be a JSON object');
  const items = itemsOf(body.input);
  // A model that is asked for a summary of nothing makes one up.
  if (items.length === 0 && previousOf(body) === undefined)
    throw new ClawError('bad_request', 'input: there is no conversation to sum up', { param: 'input' });
  const own = { id: newId(), body: requestFor(body, items), stream: false };
  const reply = await answer(changed(asked, own), signal);
  if (reply.status >= 400) throw await errorOfRefusal(reply);
  const response = tolerantJson((await readText(reply.body, JSON_REPLY_BYTES_MAX)).text);
  const summary = isObject(response) ? textOf(response.output) : '';
  if (!isObject(response) || summary === '')
    throw new ClawError('upstream_protocol', `model ${call.model.id} wrote no summary of the conversation`);
  const told = {
    id: randomId('resp_'),
    object: 'response.compaction',
    created_at: Math.floor(wall() / 1000),
    output: [...verbatim(items, randomId), compactionItem(randomId('cmp_'), summary)],
    usage: response.usage ?? null,
  };
  const headers = changed(reply.headers, { 'content-type': 'application/json' });
  return { status: 200, headers, ...heldBody(Buffer.from(JSON.stringify(told)), { finish: 'stop' }) };
}

/** With the conversation that it goes on from, where that is kept here: else its upstream knows it. */
function whole(call: Call): Call {
  try {
    return call.writtenOut?.() ?? call;
  } catch {
    return call;
  }
}

/** No tools: the model is to write, and a call of one would be no summary. */
function requestFor(body: JsonObject, items: readonly unknown[]): Uint8Array {
  const { model, instructions, previous_response_id, prompt_cache_key } = body;
  const ask = { type: 'message', role: 'user', content: [{ type: 'input_text', text: INSTRUCTION }] };
  const request = {
    model,
    instructions,
    previous_response_id,
    prompt_cache_key,
    input: [...items, ask],
    store: false,
    stream: false,
  };
  return Buffer.from(JSON.stringify(request));
}

function textOf(output: unknown): string {
  const items = Array.isArray(output) ? output.filter(isObject) : [];
  const parts = items.flatMap(({ type, content }) =>
    type === 'message' && Array.isArray(content) ? content.filter(isObject) : [],
  );
  return parts
    .flatMap(({ text }) => (typeof text === 'string' ? [text] : []))
    .join('')
    .trim();
}

/** The user's latest messages, whole, as far as they fit. */
function verbatim(items: readonly unknown[], randomId: (prefix: string) => string): readonly JsonObject[] {
  const kept: JsonObject[] = [];
  let chars = 0;
  for (const item of items.toReversed()) {
    if (!isObject(item) || item.role !== 'user' || (item.type ?? 'message') !== 'message') continue;
    const { content } = item;
    const parts = typeof content === 'string' ? [{ type: 'input_text', text: content }] : content;
    chars += JSON.stringify(parts ?? null).length;
    if (chars > COMPACTION_VERBATIM_CHARS_MAX || !Array.isArray(parts)) break;
    kept.push({ type: 'message', id: randomId('msg_'), status: 'completed', role: 'user', content: parts });
  }
  return kept.reverse();
}
