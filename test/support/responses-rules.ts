/** The order of a Responses stream, written from the specification and not from our writer. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import {
  HostedEvent,
  type OutputItem,
  type Part,
  type ResponseObject,
  StreamEvent,
  type SummaryPart,
} from './responses-schemas.ts';

/** A part or summary part that is open inside the open item. */
interface OpenPart {
  readonly index: number;
  readonly kind: 'output_text' | 'refusal' | 'summary_text' | 'reasoning_text';
  text: string;
  isTold: boolean;
}

interface OpenItem {
  readonly id: string;
  readonly type: OutputItem['type'];
  /** Of a message its content, of a reasoning its summary. */
  readonly parts: string[];
  /** Of a reasoning its content. */
  readonly thoughts: string[];
  part: OpenPart | undefined;
  input: string;
  deltas: number;
  isTold: boolean;
}

export class RuleBreach extends Error {
  override readonly name = 'RuleBreach';
}

/**
 * Throws a `RuleBreach` at the first event that breaks a rule, or where a stream that is whole lacks its end. `[DONE]`, a
 * text, may only be the last.
 */
export function checkResponsesStream(events: readonly unknown[], isWhole = true): void {
  const checker = new Checker();
  for (const event of events.at(-1) === '[DONE]' ? events.slice(0, -1) : events) checker.see(event);
  if (isWhole) checker.end();
}

class Checker {
  #sequence = 0;
  #first: z.infer<typeof ResponseObject> | undefined;
  #previous = '';
  #terminal: string | undefined;
  #hasError = false;
  #open: OpenItem | undefined;
  readonly #done: OutputItem[] = [];

  see(raw: unknown): void {
    const hosted = HostedEvent.safeParse(raw);
    if (hosted.success) return this.#hosted(hosted.data);
    const parsed = StreamEvent.safeParse(raw);
    if (!parsed.success)
      throw new RuleBreach(
        `event ${this.#sequence}: ${z.prettifyError(parsed.error)}\n${JSON.stringify(raw)}`,
      );
    const event = parsed.data;
    const rule: Rule = (holds, text) => {
      if (!holds) throw new RuleBreach(`event ${this.#sequence} (${event.type}): ${text}`);
    };
    if (event.type === 'keepalive' && event.sequence_number === undefined) return;
    rule(event.sequence_number === this.#sequence, `the number is ${event.sequence_number}`);
    rule(this.#terminal === undefined, 'nothing may follow the end');
    rule(this.#sequence > 0 || event.type === 'response.created', 'the first event must be response.created');
    rule(!this.#hasError || event.type === 'response.failed', 'only response.failed may follow an error');
    this.#order(event, rule);
    this.#previous = event.type;
    this.#sequence++;
  }

  #hosted({ sequence_number, item_id, type }: z.infer<typeof HostedEvent>): void {
    if (sequence_number !== this.#sequence || this.#open?.id !== item_id)
      throw new RuleBreach(`event ${this.#sequence} (${type}): its number or its item is another`);
    this.#sequence++;
  }

  end(): void {
    if (this.#terminal === undefined) throw new RuleBreach('the stream has no end');
  }

  #order(event: StreamEvent, rule: Rule): void {
    if ('response' in event) this.#response(event, rule);
    else if (event.type === 'response.output_item.added') this.#added(event, rule);
    else if (event.type === 'response.output_item.done') this.#itemDone(event, rule);
    else if (event.type === 'error') this.#hasError = true;
    else if (event.type !== 'keepalive') this.#inside(event, rule);
  }

  #response(event: Extract<StreamEvent, { response: unknown }>, rule: Rule): void {
    const { response, type } = event;
    this.#first ??= response;
    for (const key of ['id', 'model', 'created_at'] as const)
      rule(response[key] === this.#first[key], `${key} changed`);
    if (type === 'response.created' || type === 'response.in_progress') {
      rule(
        type === 'response.created' ? this.#sequence === 0 : this.#previous === 'response.created',
        'out of place',
      );
      rule(response.status === 'in_progress' && response.output.length === 0, 'must begin empty');
      rule(response.usage === null && response.completed_at === null, 'usage and completion come at the end');
      return;
    }
    this.#terminal = type;
    rule(`response.${response.status}` === type, `status is ${response.status}`);
    if (type === 'response.failed') {
      rule(this.#hasError && response.error !== null, 'needs an error event before it and the error in it');
      return;
    }
    rule(this.#open === undefined, 'an item is still open');
    rule(isDeepStrictEqual(response.output, this.#done), 'its output is not what was streamed');
    rule((type === 'response.incomplete') === (response.incomplete_details !== null), 'incomplete_details');
    rule((type === 'response.completed') === (response.completed_at !== null), 'completed_at');
  }

  #added({ item, output_index }: Extract<StreamEvent, { item: unknown }>, rule: Rule): void {
    rule(this.#open === undefined, 'the item before it is not done');
    rule(output_index === this.#done.length, `output_index ${output_index} is out of order`);
    const { id, type } = item;
    if (!('result' in item) && 'status' in item) rule(item.status === 'in_progress', 'status');
    rule(beginsEmpty(item), 'must begin empty');
    rule(!this.#done.some((one) => one.id === id), 'the id is used twice');
    this.#open = { id, type, parts: [], thoughts: [], part: undefined, input: '', deltas: 0, isTold: false };
  }

  #itemDone({ item, output_index }: Extract<StreamEvent, { item: unknown }>, rule: Rule): void {
    const open = this.#open;
    rule(open !== undefined && open.id === item.id && open.type === item.type, 'this item is not open');
    rule(output_index === this.#done.length, 'output_index');
    rule(open.part === undefined, 'a part is still open');
    switch (item.type) {
      case 'message':
        rule(isDeepStrictEqual(item.content.map(textOf), open.parts), 'content is not what was streamed');
        break;
      case 'reasoning':
        rule(isDeepStrictEqual(item.summary.map(textOf), open.parts), 'summary is not what was streamed');
        rule(
          open.thoughts.length === 0 || isDeepStrictEqual(item.content?.map(textOf), open.thoughts),
          'content is not what was streamed',
        );
        break;
      case 'function_call':
        rule(open.isTold && item.arguments === open.input, 'arguments are not what was streamed');
        rule(open.deltas > 0 && item.arguments !== '', 'needs at least one delta and arguments');
        if (item.status === 'completed') JSON.parse(item.arguments);
        break;
      case 'custom_tool_call':
        rule(open.isTold && item.input === open.input, 'input is not what was streamed');
        break;
      default:
        // What a provider's own tool did is told in one piece.
        break;
    }
    rule(!('status' in item) || item.status !== 'in_progress', 'status');
    this.#done.push(item);
    this.#open = undefined;
  }

  #inside(event: Extract<StreamEvent, { item_id: string }>, rule: Rule): void {
    const open = this.#open;
    rule(open !== undefined && open.id === event.item_id, 'its item is not open');
    rule(event.output_index === this.#done.length, 'output_index');
    if (!('content_index' in event) && !('summary_index' in event)) {
      const kind = event.type.startsWith('response.custom') ? 'custom_tool_call' : 'function_call';
      rule(open.type === kind, `inside a ${open.type}`);
      rule(!open.isTold, 'the input is done already');
      if ('delta' in event) {
        open.input += event.delta;
        open.deltas++;
      } else {
        rule(
          ('arguments' in event ? event.arguments : event.input) === open.input,
          'not the sum of its deltas',
        );
        open.isTold = true;
      }
      return;
    }
    const index = 'content_index' in event ? event.content_index : event.summary_index;
    const parts = partsOf(event, open);
    rule(index === parts.length, `part ${index} is out of order`);
    const isReasoning = 'summary_index' in event || kindOf(event) === 'reasoning_text';
    rule(open.type === (isReasoning ? 'reasoning' : 'message'), `inside a ${open.type}`);
    this.#part(event, { open, parts }, rule);
  }

  #part(event: PartEvent, { open, parts }: { open: OpenItem; parts: string[] }, rule: Rule): void {
    const index = parts.length;
    if (event.type.endsWith('_part.added') && 'part' in event) {
      rule(open.part === undefined, 'the part before it is not done');
      rule(textOf(event.part) === '', 'must begin empty');
      open.part = { index, kind: event.part.type, text: '', isTold: false };
      return;
    }
    const { part } = open;
    rule(part !== undefined, 'no part is open');
    if ('part' in event) {
      rule(part.isTold && textOf(event.part) === part.text, 'not the sum of its deltas');
      parts.push(part.text);
      open.part = undefined;
      return;
    }
    rule(part.kind === kindOf(event), `inside a part of type ${part.kind}`);
    rule(!part.isTold, 'the part is done already');
    if ('delta' in event) part.text += event.delta;
    else if ('text' in event || 'refusal' in event) {
      rule(('text' in event ? event.text : event.refusal) === part.text, 'not the sum of its deltas');
      part.isTold = true;
    }
  }
}

type PartEvent = Extract<StreamEvent, { content_index: number } | { summary_index: number }>;

function kindOf(event: PartEvent): OpenPart['kind'] {
  if ('part' in event) return event.part.type;
  if (event.type.includes('refusal')) return 'refusal';
  if (event.type.includes('reasoning_text')) return 'reasoning_text';
  return 'content_index' in event ? 'output_text' : 'summary_text';
}

function partsOf(event: PartEvent, open: OpenItem): string[] {
  return 'content_index' in event && open.type === 'reasoning' ? open.thoughts : open.parts;
}

/** What a provider's own tool did may be told in one piece. */
function beginsEmpty(item: OutputItem): boolean {
  switch (item.type) {
    case 'message':
      return item.content.length === 0;
    case 'reasoning':
      return item.summary.length === 0;
    case 'function_call':
      return item.arguments === '';
    case 'custom_tool_call':
      return item.input === '';
    default:
      return true;
  }
}

type Rule = (holds: boolean, text: string) => asserts holds;

function textOf(part: z.infer<typeof Part> | z.infer<typeof SummaryPart>): string {
  return part.type === 'refusal' ? part.refusal : part.text;
}
