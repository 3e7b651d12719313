/** Lets a client of one dialect use an upstream of another: wraps an `Answer`, once for each try. */
import type { Answer, Dialect, Reply } from '../core/call.ts';
import type { Card } from '../core/card.ts';
import { ClawError } from '../core/errors.ts';
import { LEFT_OUT_HEADER } from '../core/header-names.ts';
import { JSON_REPLY_BYTES_MAX, LEFT_OUT_SHOWN_MAX } from '../core/limits.ts';
import { changed } from '../lib/changed.ts';
import { toolsOf } from './call-tools.ts';
import { type Shapes, shapes } from './dialects.ts';
import { parseClientJson, parseProviderJson } from './door.ts';
import { emulated } from './emulate/emulation.ts';
import type { Restorer } from './emulate/stage.ts';
import { failureBody, failureStatus } from './failure.ts';
import { heldBody } from './held-body.ts';
import { Origin } from './origin.ts';
import { withOwnBlobs } from './own-blobs.ts';
import { present } from './present.ts';
import type { DialectShape, DialectTools, WriteContext } from './shape.ts';
import { TranslatedBody } from './translated-body.ts';

/** How the upstream's answer becomes the client's. */
interface Way {
  readonly upstream: DialectShape;
  readonly client: DialectShape;
  readonly restorer: Restorer | undefined;
  readonly context: WriteContext;
  readonly origin: Origin;
}

/** An `Answer` for calls in the dialect `from`, made of one that answers for `card`. */
export function translate(
  answer: Answer,
  from: Dialect,
  card: Pick<Card, 'dialect' | 'provider'>,
  tools: DialectTools,
  known: Shapes = shapes,
): Answer {
  const { dialect: to } = card;
  if (from === to) return answer;
  const client = known[from];
  const upstream = known[to];
  return async (call, signal) => {
    const { continues, stream } = call;
    const read = client.readRequest(parseClientJson(call.body));
    const request = { ...read, stream, ...present({ continues }) };
    const emulation = emulated(withOwnBlobs(request, card), upstream.abilities);
    const { request: sent, leftOut, restorer } = emulation;
    const body = encoded(upstream.writeRequest(sent, call.model.id));
    const reply = noted(await answer(changed(call, { dialect: to, body }), signal), [
      ...leftOut,
      ...upstream.leftOut(sent),
    ]);
    // The upstream's own refusal has the same form in every dialect.
    if (reply.status >= 400) return reply;
    const origin = new Origin(card, call.model.id);
    const own = toolsOf(call.id, tools);
    const context: WriteContext = { model: request.model, request, tools: own, provider: card.provider };
    const way = { upstream, client, restorer, context, origin };
    return call.stream ? translateStream(reply, way) : translateWhole(reply, way);
  };
}

/** A parameter that only steers is no reason to refuse a call, but the client can see that it was not passed on. */
function noted(reply: Reply, leftOut: readonly string[]): Reply {
  if (leftOut.length === 0) return reply;
  const { [LEFT_OUT_HEADER]: earlier } = reply.headers;
  const names = shortList(leftOut);
  const headers = changed(reply.headers, {
    [LEFT_OUT_HEADER]: earlier === undefined ? names : `${names}, ${earlier}`,
  });
  return changed(reply, { headers });
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, LEFT_OUT_SHOWN_MAX).join(', ');
  return names.length > LEFT_OUT_SHOWN_MAX ? `${shown}, ...` : shown;
}

function translateStream(reply: Reply, { upstream, client, restorer, context, origin }: Way): Reply {
  const { tools } = context;
  const body = new TranslatedBody(reply, {
    events: upstream.framing.reader(tools.eventBytesMax),
    reader: upstream.streamReader(tools),
    restorer: restorer?.stream(),
    writer: client.streamWriter(context),
    origin,
  });
  const headers = changed(reply.headers, { 'content-type': client.framing.contentType });
  return { status: reply.status, headers, body, ended: body.ended };
}

async function translateWhole(reply: Reply, way: Way): Promise<Reply> {
  const text = new TextDecoder().decode(await collect(reply.body));
  try {
    return translated(reply, text, way);
  } catch (error) {
    throw way.origin.named(error);
  }
}

function translated(reply: Reply, text: string, { upstream, client, restorer, context, origin }: Way): Reply {
  const read = upstream.readReply(parseProviderJson(text, 'reply'), context.tools);
  const headers = changed(reply.headers, { 'content-type': 'application/json' });
  if (read.kind === 'failed') {
    const { failure } = read;
    const held = heldBody(encoded(failureBody({ ...failure, message: origin.say(failure.message) })), {});
    return { status: failureStatus(failure), headers, ...held };
  }
  const answer = restorer === undefined ? read : restorer.answer(read);
  const written = encoded(client.writeReply(answer, context));
  const { usage, ending: finish } = answer;
  const told =
    usage === undefined
      ? { finish }
      : { finish, usage: { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens } };
  return { status: reply.status, headers, ...heldBody(written, told) };
}

/** The loop leaves the body when it throws, so its source is freed. */
async function collect(body: Reply['body']): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > JSON_REPLY_BYTES_MAX)
      throw new ClawError(
        'stream_buffer_exceeded',
        `the upstream's reply is larger than ${JSON_REPLY_BYTES_MAX} bytes`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Both doors bound the depth of what comes in, so that this cannot recurse without end. */
function encoded(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
