/**
 * A whole Responses reply as the events of a stream: for servers that do not stream when they are asked to. Works on the
 * response as it is and not over the hub, so that ids and fields which only this provider knows are kept.
 */
import { z } from 'zod';
import type { JsonObject } from '../../lib/json.ts';
import { AnyObject, maybe, readProvider } from '../door.ts';
import type { DialectTools } from '../shape.ts';
import { SSE_DONE, sseEvent } from '../framing/sse.ts';
import { textPieces } from '../text-pieces.ts';
import { idPrefixOf } from './item-ids.ts';
import type { ItemEvent } from './open-item.ts';

const Item = z.looseObject({ type: z.string(), id: maybe(z.string()) });
type Item = z.infer<typeof Item> & { readonly id: string };
const Whole = z.looseObject({ status: z.string(), output: z.array(Item) });
const Parts = z.array(z.looseObject({ type: z.string() })).catch([]);
type Part = z.infer<typeof Parts>[number];
const Texts = z.array(AnyObject).catch([]);

/** The item as it begins, and the events of what it says. */
interface Told {
  readonly begun: JsonObject;
  readonly events: readonly ItemEvent[];
}

export function responsesStreamOf(
  reply: unknown,
  _request: unknown,
  { randomId }: Pick<DialectTools, 'randomId'>,
): string {
  const wire = readProvider(Whole, reply, 'reply');
  const output = wire.output.map((item): Item => ({
    ...item,
    id: item.id ?? randomId(idPrefixOf(item.type)),
  }));
  const nothingYet = { completed_at: null, incomplete_details: null, error: null, usage: null };
  const begun = { ...wire, ...nothingYet, status: 'in_progress', output: [] };
  let sequence_number = 0;
  let text = '';
  const tell = ({ type, ...fields }: ItemEvent) => {
    text += sseEvent(JSON.stringify({ type, sequence_number: sequence_number++, ...fields }), type);
  };
  tell({ type: 'response.created', response: begun });
  tell({ type: 'response.in_progress', response: begun });
  output.forEach((item, output_index) => {
    const { begun, events } = toldOf(item);
    tell({ type: 'response.output_item.added', output_index, item: begun });
    for (const { type, ...fields } of events) tell({ type, item_id: item.id, output_index, ...fields });
    tell({ type: 'response.output_item.done', output_index, item });
  });
  tell({ type: `response.${wire.status}`, response: { ...wire, output } });
  return text + SSE_DONE;
}

/** An item of a kind that says nothing piece by piece is told whole. */
function toldOf(item: Item): Told {
  switch (item.type) {
    case 'message': {
      const events = Parts.parse(item.content).flatMap(partEvents);
      return { begun: { ...item, status: 'in_progress', content: [] }, events };
    }
    case 'reasoning':
      return reasoningOf(item);
    case 'function_call': {
      const input = textOf(item.arguments) || '{}';
      const done = { name: item.name, arguments: input };
      const events = inputEvents('response.function_call_arguments', input, done);
      return { begun: { ...item, status: 'in_progress', arguments: '' }, events };
    }
    case 'custom_tool_call': {
      const input = textOf(item.input);
      const events = inputEvents('response.custom_tool_call_input', input, { input });
      return { begun: { ...item, status: 'in_progress', input: '' }, events };
    }
    default:
      return { begun: item, events: [] };
  }
}

function inputEvents(name: string, input: string, done: JsonObject): readonly ItemEvent[] {
  const pieces = textPieces(input).map((delta) => ({ type: `${name}.delta`, delta }));
  return [...pieces, { type: `${name}.done`, ...done }];
}

/** A text or a refusal; any other part is told whole. */
function partEvents(part: Part, content_index: number): readonly ItemEvent[] {
  const added = (begun: object) => ({ type: 'response.content_part.added', content_index, part: begun });
  const done = { type: 'response.content_part.done', content_index, part };
  if (part.type === 'refusal') {
    const refusal = textOf(part.refusal);
    const pieces = textPieces(refusal).map((delta) => ({
      type: 'response.refusal.delta',
      content_index,
      delta,
    }));
    const end = { type: 'response.refusal.done', content_index, refusal };
    return [added({ ...part, refusal: '' }), ...pieces, end, done];
  }
  if (part.type !== 'output_text') return [added(part), done];
  const text = textOf(part.text);
  const all = Texts.parse(part.logprobs);
  const begun = added({ ...part, text: '', annotations: [], ...(all.length === 0 ? {} : { logprobs: [] }) });
  const pieces = textPieces(text).map((delta, at) => ({
    type: 'response.output_text.delta',
    content_index,
    delta,
    // It is not known which belong to which piece.
    logprobs: at === 0 ? all : [],
  }));
  const annotations = Texts.parse(part.annotations).map((annotation, annotation_index) => ({
    type: 'response.output_text.annotation.added',
    content_index,
    annotation_index,
    annotation,
  }));
  const end = { type: 'response.output_text.done', content_index, text, logprobs: all };
  return [begun, ...pieces, ...annotations, end, done];
}

function reasoningOf(item: Item): Told {
  const { content, ...rest } = item;
  const summary = Texts.parse(item.summary).flatMap((part, summary_index): ItemEvent[] => {
    const text = textOf(part.text);
    const name = 'response.reasoning_summary_text';
    return [
      {
        type: 'response.reasoning_summary_part.added',
        summary_index,
        part: { ...part, text: '' },
      },
      ...textPieces(text).map((delta) => ({ type: `${name}.delta`, summary_index, delta })),
      { type: `${name}.done`, summary_index, text },
      { type: 'response.reasoning_summary_part.done', summary_index, part },
    ];
  });
  const shown = Texts.parse(content).flatMap((part, content_index): ItemEvent[] => {
    const text = textOf(part.text);
    const name = 'response.reasoning_text';
    return [
      ...textPieces(text).map((delta) => ({ type: `${name}.delta`, content_index, delta })),
      { type: `${name}.done`, content_index, text },
    ];
  });
  return { begun: { ...rest, summary: [] }, events: [...summary, ...shown] };
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? '' : JSON.stringify(value);
}
