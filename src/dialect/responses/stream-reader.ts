/** Reads a Responses stream into the hub. */
import { z } from 'zod';
import { ClawError } from '../../core/errors.ts';
import { maybe, parseProviderJson, readProvider } from '../door.ts';
import { readFailure } from '../failure.ts';
import type { HubDelta, HubEvent, HubItemHead, HubProgress } from '../hub.ts';
import type { HubItem } from '../hub-item.ts';
import { present } from '../present.ts';
import { deltasOf, headOf } from '../replay.ts';
import { Sequencer } from '../sequencer.ts';
import type { StreamReader } from '../shape.ts';
import { readEnding, readUsage, WireStatus, WireUsage } from './ending.ts';
import { readItem, WireAnnotation, WireLogprobs } from './output.ts';

const Event = z.object({
  type: maybe(z.string()),
  output_index: maybe(z.int()).catch(undefined),
  item_id: maybe(z.string()).catch(undefined),
  summary_index: maybe(z.int()).catch(undefined),
  delta: maybe(z.string()).catch(undefined),
  logprobs: WireLogprobs,
  annotation: maybe(WireAnnotation),
  item: z.unknown().optional(),
  response: z.unknown().optional(),
  error: z.unknown().optional(),
});
type Event = z.infer<typeof Event>;

const WireResponse = WireStatus.extend({
  output: maybe(z.array(z.unknown())),
  usage: maybe(WireUsage).catch(undefined),
  service_tier: maybe(z.string()).catch(undefined),
});

const WithId = z.object({ id: maybe(z.string()) });

/** What has been told of an open item. */
interface Told {
  deltas: number;
  summaryIndex: number;
}

export class ResponsesStreamReader implements StreamReader {
  readonly #sequence = new Sequencer();
  readonly #told = new Map<string, Told>();
  #state: 'waiting' | 'running' | 'over' = 'waiting';
  #hasItems = false;
  #hasCalls = false;

  read(data: string, name: string | undefined): readonly HubEvent[] {
    if (this.#state === 'over') return [];
    if (data.trim() === '[DONE]') throw truncated();
    const json = parseProviderJson(data, 'event');
    const event = readProvider(Event, json, 'event');
    const type = event.type ?? name;
    if (type === 'error' || (type === undefined && event.error)) return this.#fail(event.error || json);
    if (type === 'response.failed') return this.#fail(response(event).error);

    const events: HubEvent[] = this.#state === 'waiting' ? [{ type: 'started' }] : [];
    this.#state = 'running';
    if (type === 'response.completed' || type === 'response.incomplete') {
      // The status is the event's own name: some servers leave the field as it was.
      const wire = { ...response(event), status: type.slice('response.'.length) };
      events.push(...this.#finish(wire));
    } else {
      events.push(...this.#readItemEvent(type, event));
    }
    return events;
  }

  end(): readonly HubEvent[] {
    if (this.#state !== 'over') throw truncated();
    return [];
  }

  #readItemEvent(type: string | undefined, event: Event): readonly HubProgress[] {
    const text = event.delta ?? '';
    switch (type) {
      case 'response.output_item.added':
        return this.#added(event);
      case 'response.output_item.done':
        return this.#done(event);
      case 'response.output_text.delta': {
        const logprobs = event.logprobs ?? [];
        return this.#delta(event, { type: 'text', text, logprobs }, { kind: 'message' });
      }
      case 'response.refusal.delta':
        return this.#delta(event, { type: 'refusal', text }, { kind: 'message' });
      case 'response.output_text.annotation.added': {
        const { annotation } = event;
        if (annotation === undefined) return [];
        return this.#delta(event, { type: 'annotation', annotation }, { kind: 'message' });
      }
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        return this.#delta(event, { type: 'input', text });
      case 'response.reasoning_summary_text.delta':
        return this.#summary(event, text);
      case 'response.reasoning_text.delta':
      // The name that Open Responses and vLLM give it.
      case 'response.reasoning.delta':
        return this.#delta(event, { type: 'reasoning', of: 'text', text }, { kind: 'reasoning' });
      default:
        return [];
    }
  }

  #added(event: Event): readonly HubProgress[] {
    const item = readItem(event.item);
    // A provider's own tool is told when it is done: only then it is known what it did.
    return item.kind === 'hosted' ? [] : this.#open(keyOf(event), headOf(item));
  }

  #open(key: string, head: HubItemHead): readonly HubProgress[] {
    this.#hasItems = true;
    if (head.kind === 'call') this.#hasCalls = true;
    this.#told.set(key, { deltas: 0, summaryIndex: 0 });
    return this.#sequence.open(key, head);
  }

  /** Some servers begin with the delta; a call cannot be told without its name, which its end brings. */
  #delta(event: Event, delta: HubDelta, head?: HubItemHead): readonly HubProgress[] {
    const key = keyOf(event);
    const opened = head !== undefined && !this.#sequence.isOpen(key) ? this.#open(key, head) : [];
    const told = this.#told.get(key);
    if (told !== undefined) told.deltas++;
    return [...opened, ...this.#sequence.add(key, delta)];
  }

  #summary(event: Event, text: string): readonly HubProgress[] {
    const told = this.#told.get(keyOf(event));
    const index = event.summary_index ?? 0;
    const isNext = told !== undefined && told.deltas > 0 && told.summaryIndex !== index;
    if (told !== undefined) told.summaryIndex = index;
    return [
      ...(isNext ? this.#sequence.add(keyOf(event), { type: 'reasoning_break' }) : []),
      ...this.#delta(event, { type: 'reasoning', of: 'summary', text }, { kind: 'reasoning' }),
    ];
  }

  #done(event: Event): readonly HubProgress[] {
    const item = readItem(event.item);
    const key = keyOf(event);
    return this.#whole(key, item);
  }

  /** The item as a whole: what of it was not told yet is told now. */
  #whole(key: string, item: HubItem): readonly HubProgress[] {
    if (item.kind === 'hosted') {
      this.#hasItems = true;
      return this.#sequence.whole(key, item);
    }
    const events = this.#sequence.isOpen(key) ? [] : [...this.#open(key, headOf(item))];
    if (this.#told.get(key)?.deltas === 0) {
      for (const delta of deltasOf(item)) events.push(...this.#sequence.add(key, delta));
    }
    const complete = item.kind === 'reasoning' || item.complete;
    const blob = item.kind === 'reasoning' ? item.blob : undefined;
    this.#told.delete(key);
    events.push(...this.#sequence.close(key, { complete, ...present({ blob }) }));
    return events;
  }

  #finish(wire: z.infer<typeof WireResponse>): readonly HubEvent[] {
    const events: HubEvent[] = [];
    // Some servers stream nothing and tell all at the end.
    if (!this.#hasItems)
      for (const [index, item] of (wire.output ?? []).entries())
        events.push(...this.#whole(`${index}`, readItem(item)));
    this.#state = 'over';
    const ending = readEnding(wire, this.#hasCalls);
    if (typeof ending !== 'string') return [{ type: 'failed', failure: readFailure(wire.error) }];
    const { usage, service_tier: serviceTier } = wire;
    return [
      ...events,
      ...this.#sequence.closeAll(ending === 'length' || ending === 'filter'),
      {
        type: 'finished',
        ending,
        ...present({ usage: usage === undefined ? undefined : readUsage(usage), serviceTier }),
      },
    ];
  }

  #fail(error: unknown): readonly HubEvent[] {
    this.#state = 'over';
    return [{ type: 'failed', failure: readFailure(error) }];
  }
}

function response(event: Event): z.infer<typeof WireResponse> {
  return readProvider(WireResponse, event.response, 'response');
}

function keyOf(event: Event): string {
  if (event.output_index !== undefined) return `${event.output_index}`;
  const item = WithId.safeParse(event.item);
  return event.item_id ?? (item.success ? item.data.id : undefined) ?? '';
}

function truncated(): ClawError {
  return new ClawError('upstream_truncated', "the upstream's stream ended before the answer was whole");
}
