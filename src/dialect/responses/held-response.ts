/**
 * A Responses stream that the entry began itself: its own id, numbers, time and model stand in every event that follows,
 * whatever the upstream calls its response. Every event is parsed, which only such streams pay for.
 */
import type { ClawError } from '../../core/errors.ts';
import { ECHOED_REQUEST_BYTES_MAX, SSE_EVENT_BYTES_MAX } from '../../core/limits.ts';
import { type JsonObject, tolerantJson } from '../../lib/json.ts';
import { AnyObject, parseClientJson } from '../door.ts';
import type { HubRequest } from '../hub.ts';
import { present } from '../present.ts';
import type { HeldContext, HeldStream, ResponseIds } from '../shape.ts';
import { SSE_KEEPALIVE, sseBytes, sseEvent, wholeEvents } from '../framing/sse.ts';
import { END_EVENTS } from './end-events.ts';
import { failureEvents } from './failure-events.ts';
import { readResponsesRequest } from './read-request.ts';
import { type ResponseFacts, responseObject } from './response-object.ts';

/** What was said already: said again, the first breaks some parsers and the last others. */
const BEGINNINGS: ReadonlySet<unknown> = new Set([
  'response.created',
  'response.queued',
  'response.in_progress',
]);

export class HeldResponse implements HeldStream {
  readonly #facts: ResponseFacts;
  #theirs: string | undefined;
  #sequence = 0;
  #over = false;
  /** The items that are done, for a failure to repeat; none once they are more than an event should hold. */
  #output: unknown[] = [];
  #outputChars = 0;

  constructor({ callId, model, createdAt, request }: HeldContext) {
    this.#facts = { id: `resp_${callId}`, model, createdAt, ...present({ request: echoed(request) }) };
  }

  get ids(): ResponseIds {
    return { ours: this.#facts.id, theirs: this.#theirs };
  }

  begin(): Uint8Array {
    const response = responseObject(this.#facts, { status: 'in_progress', output: [] });
    return sseBytes(
      this.#numbered({ type: 'response.created', response }, 'response.created') +
        this.#numbered({ type: 'response.in_progress', response }, 'response.in_progress'),
    );
  }

  fit(events: Uint8Array): Uint8Array {
    let text = '';
    for (const { data, name } of wholeEvents(events)) {
      const event = AnyObject.safeParse(tolerantJson(data)).data;
      text += event === undefined ? sseEvent(lines(data), name) : this.#fitted(event, data.length, name);
    }
    return sseBytes(text);
  }

  alive(): Uint8Array {
    return sseBytes(this.#over ? SSE_KEEPALIVE : this.#numbered({ type: 'keepalive' }, 'keepalive'));
  }

  failure(error: ClawError): Uint8Array {
    return failureEvents(error, {
      facts: this.#facts,
      begun: true,
      sequence: this.#sequence,
      output: this.#output,
    });
  }

  #fitted(event: JsonObject, chars: number, name: string | undefined): string {
    const type = event.type ?? name;
    const response = AnyObject.safeParse(event.response).data;
    if (typeof response?.id === 'string') this.#theirs ??= response.id;
    if (BEGINNINGS.has(type)) return '';
    if (END_EVENTS.has(type)) this.#over = true;
    if (type === 'response.output_item.done') this.#note(event.item, chars);
    if (response === undefined) return this.#numbered(event, name);
    return this.#numbered({ ...event, response: { ...response, ...this.#names } }, name);
  }

  /** What makes it the one response that was begun. */
  get #names() {
    const { id, createdAt, model, request } = this.#facts;
    return { id, created_at: createdAt, model, ...present({ previous_response_id: request?.continues }) };
  }

  #numbered(event: JsonObject, name: string | undefined): string {
    return sseEvent(JSON.stringify({ ...event, sequence_number: this.#sequence++ }), name);
  }

  #note(item: unknown, chars: number): void {
    this.#outputChars += chars;
    if (this.#outputChars > SSE_EVENT_BYTES_MAX) this.#output = [];
    else this.#output.push(item);
  }
}

/** Undefined for one that is long, or that only its upstream understands: the defaults are shown then. */
function echoed(request: Uint8Array): HubRequest | undefined {
  if (request.length > ECHOED_REQUEST_BYTES_MAX) return undefined;
  try {
    const read = readResponsesRequest(parseClientJson(request));
    const before = read.extras.find(({ param }) => param === 'previous_response_id')?.value;
    return typeof before === 'string' ? { ...read, continues: before } : read;
  } catch {
    return undefined;
  }
}

/** Text that is no JSON may have several lines. */
function lines(data: string): string {
  return data.replaceAll('\n', '\ndata: ');
}
