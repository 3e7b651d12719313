/** Writes a Responses stream from the hub: numbers the events, and keeps the output for the last one. */
import { ClawError } from '../../core/errors.ts';
import { JSON_REPLY_BYTES_MAX } from '../../core/limits.ts';
import type { HubDelta, HubItemHead, HubProgress } from '../hub.ts';
import type { HubHostedItem } from '../hub-item.ts';
import { present } from '../present.ts';
import type { StreamWriter, WriteContext } from '../shape.ts';
import { SSE_DONE, sseEvent } from '../framing/sse.ts';
import { idPrefixFor } from './item-ids.ts';
import { type ItemEvent, type OpenItem, openItem } from './open-item.ts';
import { blobFor } from './output.ts';
import {
  endState,
  newResponse,
  type ResponseFacts,
  type ResponseState,
  responseObject,
  secondsNow,
} from './response-object.ts';

interface Open {
  readonly id: string;
  readonly item: OpenItem;
}

export class ResponsesStreamWriter implements StreamWriter {
  readonly #context: WriteContext;
  readonly #facts: ResponseFacts;
  #sequence = 0;
  /** The items that are done; the next one has their number as its index. */
  readonly #output: unknown[] = [];
  #open: Open | undefined;
  #heldChars = 0;

  constructor(context: WriteContext) {
    this.#context = context;
    this.#facts = newResponse(context);
  }

  write(event: HubProgress): string {
    switch (event.type) {
      case 'started': {
        const begun = { status: 'in_progress', output: [] } as const;
        return this.#response('response.created', begun) + this.#response('response.in_progress', begun);
      }
      case 'item':
        return this.#begin(event.item);
      case 'item_done':
        return this.#end(event);
      case 'hosted':
        return this.#hosted(event.item);
      case 'finished': {
        const end = endState(event.ending, secondsNow(this.#context.tools));
        const more = present({ usage: event.usage, serviceTier: event.serviceTier });
        const last = this.#response(`response.${end.status}`, { ...end, ...more, output: this.#output });
        return last + SSE_DONE;
      }
      default:
        return this.#delta(event);
    }
  }

  #begin(head: HubItemHead): string {
    const id = this.#context.tools.randomId(idPrefixFor(head));
    this.#open = { id, item: openItem(head, id, blobFor(this.#context)) };
    return this.#item('response.output_item.added', this.#open.item.begin());
  }

  #delta(delta: HubDelta): string {
    if ('text' in delta) this.#hold(delta.text.length);
    return this.#open === undefined ? '' : this.#inside(this.#open, this.#open.item.delta(delta));
  }

  #end({ complete, blob }: Extract<HubProgress, { type: 'item_done' }>): string {
    const open = this.#open;
    if (open === undefined) return '';
    const { events, item } = open.item.end(complete, blob);
    const text = this.#inside(open, events) + this.#item('response.output_item.done', item);
    this.#output.push(item);
    this.#open = undefined;
    return text;
  }

  #hosted({ raw }: HubHostedItem): string {
    // Images are told whole, and larger than any text.
    if (typeof raw.result === 'string') this.#hold(raw.result.length);
    const begun = { ...raw, status: 'in_progress', ...('result' in raw ? { result: null } : {}) };
    const text =
      this.#item('response.output_item.added', begun) + this.#item('response.output_item.done', raw);
    this.#output.push(raw);
    return text;
  }

  /** The last event holds the whole output again, so it cannot grow without end. */
  #hold(chars: number): void {
    this.#heldChars += chars;
    if (this.#heldChars > JSON_REPLY_BYTES_MAX)
      throw new ClawError(
        'stream_buffer_exceeded',
        'the answer is longer than a Responses stream can repeat',
      );
  }

  #inside({ id }: Open, events: readonly ItemEvent[]): string {
    let text = '';
    for (const { type, ...fields } of events)
      text += this.#event(type, { item_id: id, output_index: this.#output.length, ...fields });
    return text;
  }

  #item(type: string, item: unknown): string {
    return this.#event(type, { output_index: this.#output.length, item });
  }

  #response(type: string, state: ResponseState): string {
    return this.#event(type, { response: responseObject(this.#facts, state) });
  }

  #event(type: string, fields: object): string {
    return sseEvent(JSON.stringify({ type, sequence_number: this.#sequence++, ...fields }), type);
  }
}
