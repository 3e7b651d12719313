/** Lets a client of one dialect use an upstream of another: wraps an `Answer`, once for each try. */
import type { Answer, Dialect, Reply } from '../core/call.ts';
import type { Card } from '../core/card.ts';
import { ClawError } from '../core/errors.ts';
import { JSON_REPLY_BYTES_MAX } from '../core/limits.ts';
import { changed } from '../lib/changed.ts';
import { shapes } from './dialects.ts';
import { parseClientJson, parseProviderJson } from './door.ts';
import { failureBody, failureStatus } from './failure.ts';
import { heldBody } from './held-body.ts';
import type { DialectShape, DialectTools, WriteContext } from './shape.ts';
import { TranslatedBody } from './translated-body.ts';

/** Names in one header; a client may declare hundreds of tools. */
const LEFT_OUT_SHOWN = 16;

/** An `Answer` for calls in the dialect `from`, made of one that answers for `card`. */
export function translate(
  answer: Answer,
  from: Dialect,
  { dialect: to }: Pick<Card, 'dialect' | 'provider'>,
  tools: DialectTools,
): Answer {
  if (from === to) return answer;
  const client = shapes[from];
  const upstream = shapes[to];
  return async (call, signal) => {
    const request = { ...client.readRequest(parseClientJson(call.body)), stream: call.stream };
    const body = encoded(upstream.writeRequest(request, call.model.id));
    const context: WriteContext = { model: request.model, request, tools };
    const reply = noted(
      await answer(changed(call, { dialect: to, body }), signal),
      upstream.leftOut(request),
    );
    // The upstream's own refusal has the same form in every dialect.
    if (reply.status >= 400) return reply;
    return call.stream
      ? translateStream(reply, upstream, client, context)
      : translateWhole(reply, upstream, client, context);
  };
}

/** A parameter that only steers is no reason to refuse a call, but the client can see that it was not passed on. */
function noted(reply: Reply, leftOut: readonly string[]): Reply {
  if (leftOut.length === 0) return reply;
  const headers = changed(reply.headers, { 'x-clawmatrix-left-out': shortList(leftOut) });
  return changed(reply, { headers });
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, LEFT_OUT_SHOWN).join(', ');
  return names.length > LEFT_OUT_SHOWN ? `${shown}, ...` : shown;
}

function translateStream(
  reply: Reply,
  upstream: DialectShape,
  client: DialectShape,
  context: WriteContext,
): Reply {
  const { tools } = context;
  const reader = upstream.streamReader(tools);
  const body = new TranslatedBody(reply, reader, client.streamWriter(context), tools.eventBytesMax);
  const headers = changed(reply.headers, { 'content-type': 'text/event-stream; charset=utf-8' });
  return { status: reply.status, headers, body, ended: body.ended };
}

async function translateWhole(
  reply: Reply,
  upstream: DialectShape,
  client: DialectShape,
  context: WriteContext,
): Promise<Reply> {
  const text = new TextDecoder().decode(await collect(reply.body));
  const read = upstream.readReply(parseProviderJson(text, 'reply'), context.tools);
  const headers = changed(reply.headers, { 'content-type': 'application/json' });
  if (read.kind === 'failed') {
    const held = heldBody(encoded(failureBody(read.failure)), {});
    return { status: failureStatus(read.failure), headers, ...held };
  }
  const written = encoded(client.writeReply(read, context));
  const { usage, ending: finish } = read;
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
