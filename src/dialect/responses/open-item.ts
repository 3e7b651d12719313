/** One output item of a Responses stream while it grows: the events of its beginning, its deltas and its end. */
import type { HubDelta, HubItemHead } from '../hub.ts';
import type { HubAnnotation, HubBlob, HubCall, HubItem, HubLogprob, HubSaid } from '../hub-item.ts';
import { present } from '../present.ts';
import { writeAnnotation, writeItem, writeLogprob, writeSaid } from './output.ts';

/** An event without what the stream adds to each: its number, and the index and id of the item. */
export interface ItemEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface OpenItem {
  /** The item as it begins: nothing in it yet. */
  begin(): unknown;
  delta(delta: HubDelta): readonly ItemEvent[];
  end(complete: boolean, blob: HubBlob | undefined): { events: readonly ItemEvent[]; item: unknown };
}

/** `blobFor`: as for `writeItem`. */
export function openItem(head: HubItemHead, id: string, blobFor: string | undefined): OpenItem {
  switch (head.kind) {
    case 'reasoning':
      return new OpenReasoning(id, blobFor);
    case 'message':
      return new OpenMessage(id, head.phase);
    case 'call':
      return new OpenCall(id, head);
  }
}

/** `writeItem` gives an item whole; this is the same item as it begins. */
function begun(item: HubItem, id: string): unknown {
  return Object.assign({}, writeItem(item, id), item.kind === 'reasoning' ? {} : { status: 'in_progress' });
}

/** Any reasoning is told as a summary: Codex, LangChain and the AI SDK show nothing else. */
class OpenReasoning implements OpenItem {
  readonly #id: string;
  readonly #blobFor: string | undefined;
  readonly #done: string[] = [];
  /** The part that grows. */
  #text: string | undefined;
  /** Of reasoning in two forms, the one that came first. */
  #of: 'summary' | 'text' | undefined;

  constructor(id: string, blobFor: string | undefined) {
    this.#id = id;
    this.#blobFor = blobFor;
  }

  begin(): unknown {
    return begun({ kind: 'reasoning', summary: [], text: '' }, this.#id);
  }

  delta(delta: HubDelta): readonly ItemEvent[] {
    if (delta.type === 'reasoning_break') return this.#close();
    if (delta.type !== 'reasoning' || delta.text === '') return [];
    this.#of ??= delta.of;
    if (this.#of !== delta.of) return [];
    const summary_index = this.#done.length;
    const events: ItemEvent[] = [];
    if (this.#text === undefined)
      events.push({ type: 'response.reasoning_summary_part.added', summary_index, part: summaryText('') });
    this.#text = (this.#text ?? '') + delta.text;
    events.push({ type: 'response.reasoning_summary_text.delta', summary_index, delta: delta.text });
    return events;
  }

  end(_complete: boolean, blob: HubBlob | undefined) {
    const events = this.#close();
    const item = { kind: 'reasoning', summary: this.#done, text: '', ...present({ blob }) } as const;
    return { events, item: writeItem(item, this.#id, this.#blobFor) };
  }

  #close(): readonly ItemEvent[] {
    const text = this.#text;
    if (text === undefined) return [];
    const summary_index = this.#done.length;
    this.#text = undefined;
    this.#done.push(text);
    return [
      { type: 'response.reasoning_summary_text.done', summary_index, text },
      { type: 'response.reasoning_summary_part.done', summary_index, part: summaryText(text) },
    ];
  }
}

/** A part that still grows; done, it is a `HubSaid`. */
type GrowingPart =
  | { readonly kind: 'text'; text: string; annotations: HubAnnotation[]; logprobs: HubLogprob[] }
  | { readonly kind: 'refusal'; text: string };

class OpenMessage implements OpenItem {
  readonly #id: string;
  readonly #phase: string | undefined;
  readonly #done: HubSaid[] = [];
  #part: GrowingPart | undefined;

  constructor(id: string, phase: string | undefined) {
    this.#id = id;
    this.#phase = phase;
  }

  begin(): unknown {
    return begun(this.#message([], true), this.#id);
  }

  delta(delta: HubDelta): readonly ItemEvent[] {
    switch (delta.type) {
      case 'text':
        return this.#text(delta);
      case 'refusal':
        return this.#refusal(delta.text);
      case 'annotation':
        return this.#annotation(delta);
      default:
        return [];
    }
  }

  end(complete: boolean) {
    // A message without a part would leave readers without a text.
    const opened = this.#part === undefined && this.#done.length === 0 ? this.#open(emptyText()) : [];
    const events = [...opened, ...this.#close()];
    return { events, item: writeItem(this.#message(this.#done, complete), this.#id) };
  }

  #text({ text, logprobs }: Extract<HubDelta, { type: 'text' }>): readonly ItemEvent[] {
    const opened = this.#part?.kind === 'text' ? [] : this.#open(emptyText());
    if (this.#part?.kind !== 'text') return opened;
    this.#part.text += text;
    for (const one of logprobs) this.#part.logprobs.push(one);
    const delta = { delta: text, logprobs: logprobs.map(writeLogprob) };
    return [...opened, { type: 'response.output_text.delta', content_index: this.#done.length, ...delta }];
  }

  #refusal(text: string): readonly ItemEvent[] {
    const opened = this.#part?.kind === 'refusal' ? [] : this.#open({ kind: 'refusal', text: '' });
    if (this.#part !== undefined) this.#part.text += text;
    return [...opened, { type: 'response.refusal.delta', content_index: this.#done.length, delta: text }];
  }

  #annotation({ annotation }: Extract<HubDelta, { type: 'annotation' }>): readonly ItemEvent[] {
    const written = writeAnnotation(annotation);
    if (written.length === 0) return [];
    const opened = this.#part?.kind === 'text' ? [] : this.#open(emptyText());
    if (this.#part?.kind !== 'text') return opened;
    const annotation_index = this.#part.annotations.push(annotation) - 1;
    const event = { content_index: this.#done.length, annotation_index, annotation: written[0] };
    return [...opened, { type: 'response.output_text.annotation.added', ...event }];
  }

  /** Text and refusal are parts of their own: a change of one into the other begins the next. */
  #open(part: GrowingPart): readonly ItemEvent[] {
    const closed = this.#close();
    this.#part = part;
    const added = { content_index: this.#done.length, part: writeSaid(part) };
    return [...closed, { type: 'response.content_part.added', ...added }];
  }

  #close(): readonly ItemEvent[] {
    const part = this.#part;
    if (part === undefined) return [];
    const content_index = this.#done.length;
    this.#part = undefined;
    this.#done.push(part);
    const done: ItemEvent =
      part.kind === 'text'
        ? {
            type: 'response.output_text.done',
            content_index,
            text: part.text,
            logprobs: part.logprobs.map(writeLogprob),
          }
        : { type: 'response.refusal.done', content_index, refusal: part.text };
    return [done, { type: 'response.content_part.done', content_index, part: writeSaid(part) }];
  }

  #message(parts: readonly HubSaid[], complete: boolean): HubItem {
    return { kind: 'message', parts, complete, ...present({ phase: this.#phase }) };
  }
}

class OpenCall implements OpenItem {
  readonly #id: string;
  readonly #head: Extract<HubItemHead, { kind: 'call' }>;
  #input = '';

  constructor(id: string, head: Extract<HubItemHead, { kind: 'call' }>) {
    this.#id = id;
    this.#head = head;
  }

  begin(): unknown {
    return begun({ ...this.#head, input: '', complete: true }, this.#id);
  }

  delta(delta: HubDelta): readonly ItemEvent[] {
    if (delta.type !== 'input') return [];
    this.#input += delta.text;
    return [{ type: `${this.#name()}.delta`, delta: delta.text }];
  }

  end(complete: boolean) {
    const input = this.#input;
    const item: HubCall = { ...this.#head, input, complete };
    const done = this.#head.call === 'custom' ? { input } : { name: this.#head.name, arguments: input };
    return { events: [{ type: `${this.#name()}.done`, ...done }], item: writeItem(item, this.#id) };
  }

  #name(): string {
    return this.#head.call === 'custom'
      ? 'response.custom_tool_call_input'
      : 'response.function_call_arguments';
  }
}

function emptyText(): GrowingPart {
  return { kind: 'text', text: '', annotations: [], logprobs: [] };
}

function summaryText(text: string) {
  return { type: 'summary_text', text };
}
