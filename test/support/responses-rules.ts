/** The order of a Responses stream, written from the specification and not from our writer. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import {
  type OutputItem,
  type Part,
  type ResponseObject,
  StreamEvent,
  type SummaryPart,
} from './responses-schemas.ts';

/** A part or summary part that is open inside the open item. */
interface OpenPart {
  readonly index: number;
  readonly kind: 'output_text' | 'refusal' | 'summary_text';
  text: string;
  isTold: boolean;
}

interface OpenItem {
  readonly id: string;
  readonly type: OutputItem['type'];
  readonly parts: string[];
  part: OpenPart | undefined;
  input: string;
  deltas: number;
  isTold: boolean;
}

export class RuleBreach extends Error {
  override readonly name = 'RuleBreach';
}

/** Throws a `RuleBreach` at the first event that breaks a rule, or where the stream lacks its end. */
export function checkResponsesStream(events: readonly unknown[]): void {
  const checker = new Checker();
  for (const event of events) checker.see(event);
  checker.end();
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
    const parsed = StreamEvent.safeParse(raw);
    if (!parsed.success)
      throw new RuleBreach(
        `event ${this.#sequence}: ${z.prettifyError(parsed.error)}\n${JSON.stringify(raw)}`,
      );
    const event = parsed.data;
    const rule: Rule = (holds, text) => {
      if (!holds) throw new RuleBreach(`event ${this.#sequence} (${event.type}): ${text}`);
    };
    rule(event.sequence_number === this.#sequence, `the number is ${event.sequence_number}`);
    rule(this.#terminal === undefined, 'nothing may follow the end');
    rule(this.#sequence > 0 || event.type === 'response.created', 'the first event must be response.created');
    rule(!this.#hasError || event.type === 'response.failed', 'only response.failed may follow an error');
    this.#order(event, rule);
    this.#previous = event.type;
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
    if (item.type !== 'reasoning' && 'status' in item) rule(item.status === 'in_progress', 'status');
    const content = {
      message: 'content',
      function_call: 'arguments',
      custom_tool_call: 'input',
      reasoning: 'summary',
    };
    const empty: unknown = Reflect.get(item, content[type]);
    rule((Array.isArray(empty) || typeof empty === 'string') && empty.length === 0, 'must begin empty');
    rule(!this.#done.some((one) => one.id === id), 'the id is used twice');
    this.#open = { id, type, parts: [], part: undefined, input: '', deltas: 0, isTold: false };
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
        break;
      case 'function_call':
        rule(open.isTold && item.arguments === open.input, 'arguments are not what was streamed');
        rule(open.deltas > 0 && item.arguments !== '', 'needs at least one delta and arguments');
        if (item.status === 'completed') JSON.parse(item.arguments);
        break;
      case 'custom_tool_call':
        rule(open.isTold && item.input === open.input, 'input is not what was streamed');
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
    rule(index === open.parts.length, `part ${index} is out of order`);
    rule(open.type === ('content_index' in event ? 'message' : 'reasoning'), `inside a ${open.type}`);
    this.#part(event, open, rule);
  }

  #part(
    event: Extract<StreamEvent, { content_index: number } | { summary_index: number }>,
    open: OpenItem,
    rule: Rule,
  ): void {
    const index = open.parts.length;
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
      open.parts.push(part.text);
      open.part = undefined;
      return;
    }
    const kind = event.type.includes('refusal')
      ? 'refusal'
      : 'content_index' in event
        ? 'output_text'
        : 'summary_text';
    rule(part.kind === kind, `inside a part of type ${part.kind}`);
    rule(!part.isTold, 'the part is done already');
    if ('delta' in event) part.text += event.delta;
    else if ('text' in event || 'refusal' in event) {
      rule(('text' in event ? event.text : event.refusal) === part.text, 'not the sum of its deltas');
      part.isTold = true;
    }
  }
}

type Rule = (holds: boolean, text: string) => asserts holds;

function textOf(part: z.infer<typeof Part> | z.infer<typeof SummaryPart>): string {
  return part.type === 'refusal' ? part.refusal : part.text;
}
