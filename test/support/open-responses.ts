/**
 * What the compliance suite of Open Responses looks at, written anew: the full Response object, the events that it knows,
 * and a reader of SSE that is as naive as the suite's.
 */
import { z } from 'zod';
import { checkResponsesStream } from './responses-rules.ts';
import { ResponseObject } from './responses-schemas.ts';

/** Any other type fails the suite; a sign of life among them too. */
export const KNOWN_TYPES: ReadonlySet<string> = new Set([
  'response.created',
  'response.queued',
  'response.in_progress',
  'response.completed',
  'response.failed',
  'response.incomplete',
  'response.output_item.added',
  'response.output_item.done',
  'response.content_part.added',
  'response.content_part.done',
  'response.output_text.delta',
  'response.output_text.done',
  'response.output_text.annotation.added',
  'response.refusal.delta',
  'response.refusal.done',
  'response.function_call_arguments.delta',
  'response.function_call_arguments.done',
  'response.reasoning_summary_part.added',
  'response.reasoning_summary_part.done',
  'response.reasoning_summary_text.delta',
  'response.reasoning_summary_text.done',
  'response.reasoning.delta',
  'response.reasoning.done',
  'error',
]);

export type Response = z.infer<typeof ResponseObject>;

/** Throws unless it is a whole, completed response with some output. */
export function completed(value: unknown): Response {
  const response = ResponseObject.parse(value);
  if (response.status !== 'completed') throw new Error(`the status is ${response.status}`);
  if (response.output.length === 0) throw new Error('there is no output');
  return response;
}

/** Throws unless the events are of known types, in their order, and end with a completed response. */
export function completedBy(events: readonly unknown[]): Response {
  checkResponsesStream(events);
  for (const event of events) {
    const { type } = z.looseObject({ type: z.string() }).parse(event);
    if (!KNOWN_TYPES.has(type)) throw new Error(`an event of type ${type}`);
  }
  return completed(z.looseObject({ response: z.unknown() }).parse(events.at(-1)).response);
}

export function textOf({ output }: Response): string {
  return output
    .flatMap((item) => (item.type === 'message' ? item.content : []))
    .map((part) => (part.type === 'output_text' ? part.text : ''))
    .join('');
}

/** Forgets everything between two reads of the connection, and knows only line feeds. */
export async function naiveEvents(body: ReadableStream<Uint8Array> | null): Promise<readonly unknown[]> {
  const events: unknown[] = [];
  let isDone = false;
  for await (const bytes of body ?? []) {
    let name = '';
    for (const line of Buffer.from(bytes).toString().split('\n')) {
      if (line.startsWith('event: ')) name = line.slice('event: '.length);
      if (!line.startsWith('data: ')) continue;
      const data = line.slice('data: '.length);
      if (isDone) throw new Error(`something follows [DONE]: ${data}`);
      if (data === '[DONE]') {
        isDone = true;
        continue;
      }
      const event: unknown = JSON.parse(data);
      const { type } = z.looseObject({ type: z.string() }).parse(event);
      if (name !== type) throw new Error(`the event is named "${name}", its type is ${type}`);
      events.push(event);
    }
  }
  if (!isDone) throw new Error('the stream does not end with [DONE]');
  return events;
}

/** What `/responses/compact` answers. */
export const Compaction = z.object({
  id: z.string().min(1),
  object: z.literal('response.compaction'),
  created_at: z.int(),
  output: z
    .array(z.looseObject({ type: z.string() }))
    .refine((output) => output.some(({ type }) => type === 'compaction'), 'no compaction among its items'),
  usage: z.object({
    input_tokens: z.int(),
    input_tokens_details: z.object({ cached_tokens: z.int() }),
    output_tokens: z.int(),
    output_tokens_details: z.object({ reasoning_tokens: z.int() }),
    total_tokens: z.int(),
  }),
});

/** An `error` of a WebSocket. */
export const SocketError = z.object({
  type: z.literal('error'),
  status: z.int(),
  error: z.object({
    type: z.string(),
    code: z.string().nullable(),
    message: z.string().min(1),
    param: z.string().nullable(),
  }),
});
