/** The output items of a Responses answer: what is read of another server's, and how ours are written. */
import { z } from 'zod';
import { AnyObject, JsonText, maybe, readProvider } from '../door.ts';
import type { HubAnnotation, HubItem, HubLogprob, HubMessage, HubReasoning, HubSaid } from '../hub-item.ts';
import { WireLogprob } from '../openai/logprob.ts';
import { present } from '../present.ts';
import { sealReasoning } from '../reasoning-blob.ts';
import type { WriteContext } from '../shape.ts';

export const WireAnnotation = z.union([
  z
    .object({
      type: z.literal('url_citation'),
      url: z.string(),
      title: z.string().catch(''),
      start_index: z.int().catch(0),
      end_index: z.int().catch(0),
    })
    .transform(({ url, title, start_index: start, end_index: end }): HubAnnotation => {
      return { kind: 'url', url, title, start, end };
    }),
  AnyObject.transform((raw): HubAnnotation => ({ kind: 'other', dialect: 'responses', raw })),
]);

export const WireLogprobs = maybe(z.array(WireLogprob)).catch(undefined);

const SAID = new Set(['output_text', 'text', 'refusal']);

/**
 * Some servers write `text` for `output_text`. Other kinds of part, as reasoning inside a message, say nothing that the
 * answer is made of.
 */
const Part = z.union([
  z.object({
    type: z.enum(['output_text', 'text']),
    text: z.string(),
    annotations: maybe(z.array(WireAnnotation)).catch(undefined),
    logprobs: WireLogprobs,
  }),
  z.object({ type: z.literal('refusal'), refusal: z.string() }),
  z
    .object({ type: z.string().refine((type) => !SAID.has(type)) })
    .transform(() => ({ type: 'other' as const })),
]);

const Texts = maybe(z.array(z.object({ text: z.string() })));
const status = maybe(z.string());

const WireItem = z.discriminatedUnion('type', [
  z.object({ type: z.literal('message'), content: maybe(z.array(Part)), phase: maybe(z.string()), status }),
  z.object({
    type: z.literal('function_call'),
    call_id: z.string(),
    name: z.string(),
    namespace: maybe(z.string()),
    arguments: maybe(JsonText),
    status,
  }),
  z.object({
    type: z.literal('custom_tool_call'),
    call_id: z.string(),
    name: z.string(),
    namespace: maybe(z.string()),
    input: maybe(z.string()),
    status,
  }),
  z.object({
    type: z.literal('reasoning'),
    summary: Texts,
    content: Texts,
    encrypted_content: maybe(z.string()),
  }),
]);

const KNOWN = new Set(['message', 'function_call', 'custom_tool_call', 'reasoning']);

export function readItem(wire: unknown): HubItem {
  const { type } = readProvider(z.object({ type: z.string() }), wire, 'output item');
  if (!KNOWN.has(type)) return { kind: 'hosted', type, raw: readProvider(AnyObject, wire, 'output item') };
  const item = readProvider(WireItem, wire, 'output item');
  switch (item.type) {
    case 'message': {
      const parts = (item.content ?? []).flatMap(readSaid);
      return { kind: 'message', parts, complete: isComplete(item), ...present({ phase: item.phase }) };
    }
    case 'function_call': {
      const { call_id: callId, name, namespace } = item;
      const input = item.arguments || '{}';
      const call = { kind: 'call', call: 'function', callId, name, input } as const;
      return { ...call, complete: isComplete(item), ...present({ namespace }) };
    }
    case 'custom_tool_call': {
      const { call_id: callId, name, namespace, input = '' } = item;
      const call = { kind: 'call', call: 'custom', callId, name, input } as const;
      return { ...call, complete: isComplete(item), ...present({ namespace }) };
    }
    case 'reasoning': {
      const data = item.encrypted_content;
      return {
        kind: 'reasoning',
        summary: (item.summary ?? []).map((part) => part.text),
        text: (item.content ?? []).map((part) => part.text).join(''),
        ...present({ blob: data === undefined ? undefined : ({ dialect: 'responses', data } as const) }),
      };
    }
  }
}

/**
 * Reasoning is shown as its summary, whatever it was: that is the form that clients show. `blobFor`: the provider to
 * which the next turn carries it, where the client asked for that.
 */
export function writeItem(item: HubItem, id: string, blobFor?: string): unknown {
  switch (item.kind) {
    case 'reasoning': {
      const shown = item.summary.length > 0 || item.text === '' ? item.summary : [item.text];
      return present({
        id,
        type: 'reasoning',
        summary: shown.map((text) => ({ type: 'summary_text', text })),
        encrypted_content: blobFor === undefined ? undefined : blobOf(item, blobFor),
      });
    }
    case 'message':
      return present({
        id,
        type: 'message',
        status: statusOf(item),
        role: 'assistant',
        content: item.parts.map(writeSaid),
        phase: item.phase,
      });
    case 'call': {
      const { callId: call_id, name, namespace, input } = item;
      const type = item.call === 'custom' ? 'custom_tool_call' : 'function_call';
      const call = { id, type, status: statusOf(item), call_id, name, ...present({ namespace }) };
      return item.call === 'custom' ? { ...call, input } : { ...call, arguments: input };
    }
    case 'hosted':
      return item.raw;
  }
}

function blobOf({ text, summary, blob }: HubReasoning, provider: string): string | undefined {
  if (blob?.dialect === 'responses') return blob.data;
  const own = blob === undefined ? undefined : { ...blob, provider };
  return sealReasoning({ text: text || summary.join('\n\n'), ...present({ blob: own }) });
}

/** The provider, where a client asked for what carries reasoning to the next turn. */
export function blobFor({ request, provider }: WriteContext): string | undefined {
  return request.reasoning?.blob === true ? provider : undefined;
}

export function writeSaid(part: HubSaid) {
  if (part.kind === 'refusal') return { type: 'refusal', refusal: part.text };
  return {
    type: 'output_text',
    text: part.text,
    annotations: part.annotations.flatMap(writeAnnotation),
    logprobs: part.logprobs.map(writeLogprob),
  };
}

/** None for a citation that this dialect has no form for. */
export function writeAnnotation(annotation: HubAnnotation): readonly unknown[] {
  if (annotation.kind === 'other') return annotation.dialect === 'responses' ? [annotation.raw] : [];
  const { url, title, start: start_index, end: end_index } = annotation;
  return [{ type: 'url_citation', url, title, start_index, end_index }];
}

export function writeLogprob({ top, ...rest }: HubLogprob) {
  const bytes = (one: Omit<HubLogprob, 'top'>) => ({ ...one, bytes: one.bytes ?? [] });
  return { ...bytes(rest), top_logprobs: top.map(bytes) };
}

function readSaid(part: z.infer<typeof Part>): readonly HubMessage['parts'][number][] {
  if (part.type === 'other') return [];
  if (part.type === 'refusal') return [{ kind: 'refusal', text: part.refusal }];
  const { text, annotations = [], logprobs = [] } = part;
  return [{ kind: 'text', text, annotations, logprobs }];
}

function isComplete(item: { readonly status?: string | undefined }): boolean {
  return item.status !== 'incomplete' && item.status !== 'in_progress';
}

function statusOf(item: { readonly complete: boolean }): 'completed' | 'incomplete' {
  return item.complete ? 'completed' : 'incomplete';
}
