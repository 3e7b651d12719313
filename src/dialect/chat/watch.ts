/** A Chat Completions stream that passes untouched: has it ended, with what usage, and how is its failure told. */
import { z } from 'zod';
import type { ClawError } from '../../core/errors.ts';
import { tolerantJson } from '../../lib/json.ts';
import { asBuffer, hasValue, isObjectAt, isQuote, jsonKey } from '../framing/bytes.ts';
import { maybe } from '../door.ts';
import type { StreamContext, Ending, StreamWatch } from '../shape.ts';
import { SSE_KEEPALIVE, sseBytes, sseEvent, wholeEvents } from '../framing/sse.ts';
import { Choices } from './choices.ts';

const FINISH = jsonKey('finish_reason');
const USAGE = jsonKey('usage');
const ERROR = jsonKey('error');
const DONE = Buffer.from('[DONE]');
const DATA = Buffer.from('data:');
const COMMENT = ':'.charCodeAt(0);
const DELTA = Buffer.from('"delta"');

const Tokens = z.int().nonnegative().catch(0);
const WireUsage = z.object({ prompt_tokens: Tokens, completion_tokens: Tokens });
const Last = z.object({
  choices: maybe(z.array(z.object({ finish_reason: maybe(z.string()), usage: maybe(WireUsage) })).catch([])),
  usage: maybe(WireUsage),
});
/** What all chunks of a stream have in common. */
const Head = z.object({ id: maybe(z.string()), model: maybe(z.string()), created: maybe(z.number()) });

export class ChatWatch implements StreamWatch {
  readonly #choices = new Choices();
  #ending: Ending | undefined;
  /** The last events that said something. By reference: does a `[DONE]` follow an error, and whose stream is it. */
  #previous: Uint8Array | undefined;

  get ending(): Ending | undefined {
    return this.#ending;
  }

  see(events: Uint8Array): void {
    const bytes = asBuffer(events);
    if (this.#ending !== undefined) {
      this.#readBehind(events, bytes);
    } else if (hasFinish(bytes)) {
      this.#readFinish(events);
    } else if (bytes.includes(DONE)) {
      this.#readDone(events);
    } else {
      this.#choices.begin(events);
    }
    if (bytes.includes(DATA)) this.#previous = events;
  }

  skip(events: Uint8Array): void {
    this.#choices.begin(events);
    if (events[0] !== COMMENT) this.#previous = events;
  }

  failure(error: ClawError): Uint8Array {
    return sseBytes(sseEvent(JSON.stringify(error.body())));
  }

  /** A chunk that adds nothing. Behind the finish or an error some clients would take it for more of the answer. */
  alive({ callId, model, createdAt }: StreamContext): Uint8Array {
    const previous = this.#previous;
    if (this.#ending !== undefined || (previous !== undefined && hasError(previous)))
      return sseBytes(SSE_KEEPALIVE);
    const passed = previous === undefined ? undefined : headIn(previous);
    const chunk = {
      id: passed?.id ?? `chatcmpl-${callId}`,
      object: 'chat.completion.chunk',
      created: passed?.created ?? createdAt,
      model: passed?.model ?? model,
      choices: [{ index: 0, delta: {}, finish_reason: null }],
    };
    return sseBytes(sseEvent(JSON.stringify(chunk)));
  }

  #readFinish(events: Uint8Array): void {
    this.#choices.read(events);
    const { finish } = this.#choices;
    if (finish === undefined) return;
    this.#ending = { finish };
    if (hasUsage(asBuffer(events))) this.#readUsage(events);
  }

  /** The usage, or another choice: it was not the end then. */
  #readBehind(events: Uint8Array, bytes: Buffer): void {
    if (hasUsage(bytes)) this.#readUsage(events);
    if (this.#ending?.finish === 'done' || !bytes.includes(DELTA)) return;
    this.#choices.read(events);
    if (this.#choices.finish === undefined) this.#ending = undefined;
  }

  /** Usage comes with the finish or behind it; the last one counts. */
  #readUsage(events: Uint8Array): void {
    for (const { data } of wholeEvents(events)) {
      const usage = readUsage(data);
      if (usage !== undefined && this.#ending !== undefined) this.#ending = { ...this.#ending, usage };
    }
  }

  /** Some servers give no finish reason. But `[DONE]` behind an error says that it is over, not that it is whole. */
  #readDone(events: Uint8Array): void {
    if (!wholeEvents(events).some(({ data }) => data.trim() === '[DONE]')) return;
    if (hasError(events) || (this.#previous !== undefined && hasError(this.#previous))) return;
    this.#ending = { finish: 'done' };
    if (this.#previous !== undefined) this.#readUsage(this.#previous);
    this.#readUsage(events);
  }
}

/** The ending of a whole reply, which has the finish reason and usage in the same places as a chunk. */
export function chatEndingOf(reply: unknown): Ending | undefined {
  const parsed = Last.safeParse(reply);
  if (!parsed.success) return undefined;
  const choice = parsed.data.choices?.[0];
  if (choice === undefined) return undefined;
  return endingFrom(choice.finish_reason ?? 'done', parsed.data);
}

function readUsage(data: string): Ending['usage'] {
  const last = readAs(Last, data);
  return last === undefined ? undefined : endingFrom('', last).usage;
}

function endingFrom(finish: string, last: z.infer<typeof Last>): Ending {
  const usage = last.usage ?? last.choices?.find((choice) => choice.usage !== undefined)?.usage;
  if (usage === undefined) return { finish };
  return { finish, usage: { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens } };
}

function headIn(events: Uint8Array): z.infer<typeof Head> | undefined {
  for (const { data } of wholeEvents(events)) {
    const head = readAs(Head, data);
    if (head !== undefined) return head;
  }
  return undefined;
}

function readAs<T>(shape: z.ZodType<T>, data: string): T | undefined {
  return shape.safeParse(tolerantJson(data)).data;
}

function hasFinish(bytes: Buffer): boolean {
  return hasValue(bytes, FINISH, isWord);
}

/** Some servers write "" where others write null. */
function isWord(bytes: Buffer, at: number): boolean {
  return isQuote(bytes[at]) && !isQuote(bytes[at + 1]);
}

function hasUsage(bytes: Buffer): boolean {
  return hasValue(bytes, USAGE, isObjectAt);
}

/** An error of its own, or a finish that is one. */
function hasError(events: Uint8Array): boolean {
  const bytes = asBuffer(events);
  return hasFinish(bytes) || hasValue(bytes, ERROR, isTold);
}

/** Not null. */
function isTold(bytes: Buffer, at: number): boolean {
  return isQuote(bytes[at]) || isObjectAt(bytes, at);
}
