/** What a model's reply says, read from a chat completion or the events of its stream. Pure. */
import { createParser } from 'eventsource-parser';
import { z } from 'zod';
import { SSE_EVENT_BYTES_MAX } from '../core/limits.ts';
import { tolerantJson } from '../lib/json.ts';

/** One thing that a reply says. */
export type Said =
  | { readonly kind: 'text'; readonly text: string }
  /** What the model thought before it answered: not part of the answer. */
  | { readonly kind: 'reasoning'; readonly text: string }
  /** A piece of a tool call, which is whole only at the end. */
  | { readonly kind: 'tool'; readonly index: number; readonly name: string; readonly arguments: string }
  /** Why the model stopped. */
  | { readonly kind: 'finish'; readonly reason: string }
  /** The server's own word that the reply is not whole. */
  | { readonly kind: 'error'; readonly message: string }
  /** The server's own word that it is. */
  | { readonly kind: 'done' };

const toolCall = z.object({
  index: z.number().optional(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).optional(),
});

const words = z.object({
  content: z.string().nullish(),
  refusal: z.string().nullish(),
  reasoning_content: z.string().nullish(),
  /** The same, as some servers name it. */
  reasoning: z.string().nullish(),
  tool_calls: z.array(toolCall).nullish(),
});

// Unknown keys are dropped, and a part that is missing says nothing: the reply is a server's that nobody here wrote.
const Completion = z.object({
  choices: z
    .array(
      z.object({ delta: words.optional(), message: words.optional(), finish_reason: z.string().nullish() }),
    )
    .nullish(),
  error: z.object({ message: z.string() }).optional(),
});

/** What one chunk of a stream, or a whole completion, says. Undefined where it is neither. */
export function saidIn(text: string): readonly Said[] | undefined {
  const completion = Completion.safeParse(tolerantJson(text));
  if (!completion.success) return undefined;
  const { error, choices } = completion.data;
  if (error !== undefined) return [{ kind: 'error', message: error.message }];
  // Only one answer was asked for.
  const choice = choices?.[0];
  const { finish_reason: reason } = choice ?? {};
  const said = saidBy(choice?.delta ?? choice?.message ?? {});
  return reason === null || reason === undefined ? said : [...said, { kind: 'finish', reason }];
}

function saidBy(message: z.infer<typeof words>): Said[] {
  const said: Said[] = [];
  const reasoning = message.reasoning_content ?? message.reasoning ?? '';
  if (reasoning !== '') said.push({ kind: 'reasoning', text: reasoning });
  const text = (message.content ?? '') + (message.refusal ?? '');
  if (text !== '') said.push({ kind: 'text', text });
  message.tool_calls?.forEach(({ index, function: called }, at) => {
    const { name, arguments: given } = called ?? {};
    said.push({ kind: 'tool', index: index ?? at, name: name ?? '', arguments: given ?? '' });
  });
  return said;
}

/** Reads the events of a stream as they come. Throws where they are none, or one is too long. */
export async function* saidInStream(body: AsyncIterable<Uint8Array>): AsyncGenerator<Said> {
  const decoder = new TextDecoder();
  let events: string[] = [];
  const faults: Error[] = [];
  const parser = createParser({
    maxBufferSize: SSE_EVENT_BYTES_MAX,
    onEvent: ({ data }) => void events.push(data),
    onError: (error) => {
      // Any other is a line that means nothing, which the form lets a reader pass over.
      if (error.type === 'max-buffer-size-exceeded') faults.push(error);
    },
  });
  for await (const chunk of body) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    if (faults.length > 0) throw new Error(`an event is over ${SSE_EVENT_BYTES_MAX} bytes`);
    const whole = events;
    events = [];
    for (const data of whole) yield* data === '[DONE]' ? DONE : (saidIn(data) ?? unknown());
  }
}

const DONE: readonly Said[] = [{ kind: 'done' }];

function unknown(): never {
  throw new Error('an event of the stream is no chunk of a chat completion');
}

/** The server's message in an error body; the body itself, cut short, where it has none. */
export function errorIn(text: string, status: number): string {
  const error = saidIn(text)?.find((said) => said.kind === 'error');
  return error?.kind === 'error' ? error.message : `the proxy answered with status ${status}`;
}
