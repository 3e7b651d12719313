/** Reads a Responses stream into the hub. */
import { z } from 'zod';
import { maybe, parseProviderJson, readProvider } from '../door.ts';
import { readFailure, truncated } from '../failure.ts';
import type { HubEvent, HubFailure, HubProgress } from '../hub.ts';
import { present } from '../present.ts';
import type { StreamReader } from '../shape.ts';
import { readEnding, readUsage, WireStatus, WireUsage } from './ending.ts';
import { failureOfEvent, isErrorEvent } from './error-event.ts';
import { readItem, WireAnnotation, WireLogprobs } from './output.ts';
import { type ItemName, type NamedItem, StreamItems } from './stream-items.ts';

const text = maybe(z.string()).catch(undefined);

const Event = z.object({
  type: maybe(z.string()),
  /** Old servers send `{"object":"error","message":…}`. */
  object: text,
  output_index: maybe(z.int()).catch(undefined),
  item_id: text,
  summary_index: maybe(z.int()).catch(undefined),
  delta: text,
  logprobs: WireLogprobs,
  annotation: maybe(WireAnnotation),
  /** What a part or an input is as a whole, when it is done. */
  text,
  refusal: text,
  arguments: text,
  input: text,
  item: z.unknown().optional(),
  response: z.unknown().optional(),
  /** An error's own fields may stand flat in its event. */
  error: z.unknown().optional(),
  message: z.unknown().optional(),
  code: z.unknown().optional(),
  param: z.unknown().optional(),
});
type Event = z.infer<typeof Event>;

const WireResponse = WireStatus.extend({
  output: maybe(z.array(z.unknown())),
  usage: maybe(WireUsage).catch(undefined),
  service_tier: maybe(z.string()).catch(undefined),
});

const WithId = z.object({ id: maybe(z.string()) });

export class ResponsesStreamReader implements StreamReader {
  readonly #items = new StreamItems();
  #state: 'waiting' | 'running' | 'over' = 'waiting';

  read(data: string, name: string | undefined): readonly HubEvent[] {
    if (this.#state === 'over') return [];
    if (data.trim() === '[DONE]') throw truncated();
    const event = readProvider(Event, parseProviderJson(data, 'event'), 'event');
    const type = event.type ?? name;
    if (isErrorEvent(event, name)) return this.#fail(failureOfEvent(event));
    if (type === 'response.failed') return this.#fail(readFailure(response(event).error));

    const events: HubEvent[] = this.#state === 'waiting' ? [{ type: 'started' }] : [];
    this.#state = 'running';
    const end = /^response\.(completed|incomplete|cancelled)$/.exec(type ?? '')?.[1];
    events.push(...(end === undefined ? this.#readItemEvent(type, event) : this.#finish(end, event)));
    return events;
  }

  end(): readonly HubEvent[] {
    if (this.#state !== 'over') throw truncated();
    return [];
  }

  #readItemEvent(type: string | undefined, event: Event): readonly HubProgress[] {
    const name = nameOf(event);
    const text = event.delta ?? '';
    switch (type) {
      case 'response.output_item.added':
        return this.#items.begin({ name, item: readItem(event.item) });
      case 'response.output_item.done':
        return this.#items.whole({ name, item: readItem(event.item) });
      case 'response.output_text.delta': {
        const logprobs = event.logprobs ?? [];
        return this.#items.delta(name, { type: 'text', text, logprobs }, { kind: 'message' });
      }
      case 'response.refusal.delta':
        return this.#items.delta(name, { type: 'refusal', text }, { kind: 'message' });
      case 'response.output_text.annotation.added': {
        const { annotation } = event;
        if (annotation === undefined) return [];
        return this.#items.delta(name, { type: 'annotation', annotation }, { kind: 'message' });
      }
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        return this.#items.delta(name, { type: 'input', text });
      case 'response.reasoning_summary_text.delta':
        return this.#items.summary(name, event.summary_index ?? 0, text);
      case 'response.reasoning_text.delta':
      // The name that Open Responses and vLLM give it.
      case 'response.reasoning.delta':
        return this.#items.delta(name, { type: 'reasoning', of: 'text', text }, { kind: 'reasoning' });
      default:
        return this.#readAgain(type, event);
    }
  }

  /** What was said in deltas is said once more at its end; some servers say it there alone. */
  #readAgain(type: string | undefined, event: Event): readonly HubProgress[] {
    const name = nameOf(event);
    const { text = '', refusal = '' } = event;
    switch (type) {
      case 'response.output_text.done':
        return this.#items.again(name, { type: 'text', text, logprobs: event.logprobs ?? [] });
      case 'response.reasoning_summary_text.done':
        return this.#items.again(name, { type: 'reasoning', of: 'summary', text });
      case 'response.reasoning_text.done':
      case 'response.reasoning.done':
        return this.#items.again(name, { type: 'reasoning', of: 'text', text });
      case 'response.refusal.done':
        return this.#items.again(name, { type: 'refusal', text: refusal });
      case 'response.function_call_arguments.done':
      case 'response.custom_tool_call_input.done':
        return this.#items.again(name, { type: 'input', text: event.arguments ?? event.input ?? '' });
      default:
        return [];
    }
  }

  #finish(name: string, event: Event): readonly HubEvent[] {
    this.#state = 'over';
    const wire = response(event);
    const output = (wire.output ?? []).map((raw, index): NamedItem => {
      return { name: { index, id: idOf(raw) }, item: readItem(raw) };
    });
    // The event's own name says it: some servers leave the status as it was. But no name makes a failure good.
    const isWorse = wire.status !== undefined && WORSE.has(wire.status);
    const status = isWorse ? wire.status : name;
    const hasCalls = this.#items.hasCalls || output.some(({ item }) => item.kind === 'call');
    const ending = readEnding({ ...wire, status }, hasCalls);
    if (typeof ending !== 'string') return [{ type: 'failed', failure: ending ?? readFailure(wire.error) }];
    const { usage, service_tier: serviceTier } = wire;
    return [
      ...this.#items.finish(output, ending === 'length' || ending === 'filter'),
      {
        type: 'finished',
        ending,
        ...present({ usage: usage === undefined ? undefined : readUsage(usage), serviceTier }),
      },
    ];
  }

  #fail(failure: HubFailure): readonly HubEvent[] {
    this.#state = 'over';
    return [{ type: 'failed', failure }];
  }
}

const WORSE = new Set(['incomplete', 'failed', 'cancelled']);

function nameOf({ output_index: index, item_id: id, item }: Event): ItemName {
  return { index, id: id ?? idOf(item) };
}

function idOf(item: unknown): string | undefined {
  const parsed = WithId.safeParse(item);
  return parsed.success ? parsed.data.id : undefined;
}

function response(event: Event): z.infer<typeof WireResponse> {
  return readProvider(WireResponse, event.response, 'response');
}
