/** A Responses stream that passes untouched: has it ended, with what usage, and how is its failure told. */
import { z } from 'zod';
import type { ClawError } from '../../core/errors.ts';
import { tolerantJson } from '../../lib/json.ts';
import { asBuffer } from '../framing/bytes.ts';
import { AnyObject, maybe } from '../door.ts';
import type { Ending, StreamContext, StreamWatch } from '../shape.ts';
import { SSE_KEEPALIVE, sseBytes, sseEvent, wholeEvents } from '../framing/sse.ts';
import { failureEvents } from './failure-events.ts';
import type { ResponseFacts } from './response-object.ts';

const TYPE_START = Buffer.from('"response.');
const SEQUENCE = Buffer.from('"sequence_number"');
const TERMINAL = ['completed"', 'incomplete"', 'failed"'].map((text) => Buffer.from(text));
const ITEM_DONE = Buffer.from('"response.output_item.done"');
const COMMENT = 0x3a;
const KEEPALIVE = sseEvent('{"type":"keepalive"}', 'keepalive');

const Tokens = z.int().nonnegative().catch(0);
const WireUsage = z.object({ input_tokens: Tokens, output_tokens: Tokens });
const Whole = z.object({
  object: z.literal('response').optional(),
  status: z.string(),
  usage: maybe(WireUsage),
});
const Terminal = z.object({
  type: z.enum(['response.completed', 'response.incomplete', 'response.failed']),
  response: z.object({ usage: maybe(WireUsage).catch(undefined) }).catch({ usage: undefined }),
});
const Numbered = z.object({ sequence_number: z.int().nonnegative() });
const Created = z.object({
  response: z.object({ id: z.string(), model: z.string().catch(''), created_at: z.number().catch(0) }),
});

const DoneItem = z.object({ type: z.literal('response.output_item.done'), item: AnyObject });

export class ResponsesWatch implements StreamWatch {
  #ending: Ending | undefined;
  /** By reference: parsed only when a failure has to be told. */
  #first: Uint8Array | undefined;
  #latest: Uint8Array | undefined;

  get ending(): Ending | undefined {
    return this.#ending;
  }

  see(events: Uint8Array): void {
    const bytes = asBuffer(events);
    if (this.#ending === undefined && hasTerminal(bytes)) {
      for (const { data } of wholeEvents(events)) this.#ending ??= endingIn(data);
    }
    if (events[0] === COMMENT && !bytes.includes(SEQUENCE)) return;
    this.skip(events);
  }

  skip(events: Uint8Array): void {
    this.#first ??= events;
    this.#latest = events;
  }

  failure(error: ClawError, { callId, model, createdAt, repeated = [] }: StreamContext): Uint8Array {
    const passed = this.#first === undefined ? undefined : createdIn(this.#first);
    return failureEvents(error, {
      facts: passed ?? { id: `resp_${callId}`, model, createdAt },
      begun: passed !== undefined,
      sequence: this.#latest === undefined ? 0 : nextSequence(this.#latest),
      output: repeated.flatMap(doneItemsIn),
    });
  }

  /**
   * Without a number: those are the upstream's to give. Before any event and behind the end parsers that build on the
   * response throw at whatever comes.
   */
  alive(): Uint8Array {
    const isOpen = this.#ending === undefined && this.#first !== undefined;
    return sseBytes(isOpen ? KEEPALIVE : SSE_KEEPALIVE);
  }
}

/** Whether an item is told whole, which the response of a failure has to hold. */
export function hasDoneItem(events: Uint8Array): boolean {
  return asBuffer(events).includes(ITEM_DONE);
}

function doneItemsIn(events: Uint8Array): readonly unknown[] {
  return wholeEvents(events).flatMap(({ data }) => DoneItem.safeParse(tolerantJson(data)).data?.item ?? []);
}

/** The ending of a whole reply. */
export function responsesEndingOf(reply: unknown): Ending | undefined {
  const parsed = Whole.safeParse(reply);
  if (!parsed.success || !['completed', 'incomplete', 'failed'].includes(parsed.data.status))
    return undefined;
  return endingFrom(parsed.data.status, parsed.data.usage);
}

function endingFrom(finish: string, usage: z.infer<typeof WireUsage> | undefined): Ending {
  if (usage === undefined) return { finish };
  return { finish, usage: { inputTokens: usage.input_tokens, outputTokens: usage.output_tokens } };
}

/** The type of every event begins like this, so one search visits each event once. */
function hasTerminal(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(TYPE_START); at >= 0; at = bytes.indexOf(TYPE_START, at + 1)) {
    const rest = at + TYPE_START.length;
    const word = TERMINAL.find((one) => one[0] === bytes[rest]);
    if (word !== undefined && bytes.subarray(rest, rest + word.length).equals(word)) return true;
  }
  return false;
}

function endingIn(data: string): Ending | undefined {
  const event = Terminal.safeParse(tolerantJson(data));
  if (!event.success) return undefined;
  return endingFrom(event.data.type.slice('response.'.length), event.data.response.usage);
}

function createdIn(events: Uint8Array): ResponseFacts | undefined {
  for (const { data } of wholeEvents(events)) {
    const event = Created.safeParse(tolerantJson(data));
    if (!event.success) continue;
    const { id, model, created_at } = event.data.response;
    return { id, model, createdAt: created_at };
  }
  return undefined;
}

function nextSequence(events: Uint8Array): number {
  let next = 0;
  for (const { data } of wholeEvents(events)) {
    const event = Numbered.safeParse(tolerantJson(data));
    if (event.success) next = Math.max(next, event.data.sequence_number + 1);
  }
  return next;
}
