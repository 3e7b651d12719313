/** What an assistant says in a Chat Completions reply: the fields that a message and a stream's delta share. */
import { z } from 'zod';
import { Thinking } from '../openai/content-part.ts';
import { AnyObject, JsonText, maybe } from '../door.ts';
import type { HubAnnotation, HubLogprob } from '../hub-item.ts';
import { WireLogprob } from '../openai/logprob.ts';
import { MEDIA_WIRE } from './media.ts';
import { REASONING_WIRE } from './reasoning.ts';

const Part = z.object({
  type: z.string(),
  text: maybe(z.string()),
  thinking: maybe(Thinking).catch(undefined),
});

export const WireCall = z.object({
  index: maybe(z.int().nonnegative()),
  id: maybe(z.string()),
  type: maybe(z.string()),
  function: maybe(z.object({ name: maybe(z.string()), arguments: maybe(JsonText) })),
  custom: maybe(z.object({ name: maybe(z.string()), input: maybe(z.string()) })),
});
export type WireCall = z.infer<typeof WireCall>;

export const WireAnnotation = z.union([
  z
    .object({
      type: z.literal('url_citation'),
      url_citation: z.object({
        url: z.string(),
        title: z.string().catch(''),
        start_index: z.int().catch(0),
        end_index: z.int().catch(0),
      }),
    })
    .transform(({ url_citation: { url, title, start_index: start, end_index: end } }): HubAnnotation => {
      return { kind: 'url', url, title, start, end };
    }),
  AnyObject.transform((raw): HubAnnotation => ({ kind: 'other', dialect: 'chat', raw })),
]);

export const WireSaid = z.object({
  content: maybe(z.union([z.string(), z.array(Part)])),
  refusal: maybe(z.string()),
  ...REASONING_WIRE,
  ...MEDIA_WIRE,
  tool_calls: maybe(z.array(WireCall)),
  function_call: maybe(z.object({ name: maybe(z.string()), arguments: maybe(JsonText) })),
  annotations: maybe(z.array(WireAnnotation)).catch(undefined),
});
export type WireSaid = z.infer<typeof WireSaid>;

export const WireLogprobs = maybe(
  z.object({ content: maybe(z.array(WireLogprob)), refusal: maybe(z.array(z.unknown())) }),
).catch(undefined);

/** What Mistral's models think, in parts of the content. */
export function thinkingOf(said: WireSaid): string {
  if (!Array.isArray(said.content)) return '';
  return said.content.map((part) => part.thinking ?? '').join('');
}

export function textOf(said: WireSaid): string {
  if (!Array.isArray(said.content)) return said.content ?? '';
  return said.content.map((part) => part.text ?? '').join('');
}

export function writeLogprobs(logprobs: readonly HubLogprob[]) {
  return {
    content: logprobs.map(({ top, ...rest }) => ({ ...rest, top_logprobs: top })),
    refusal: null,
  };
}

/** Undefined for a citation that this dialect has no form for. */
export function writeAnnotation(annotation: HubAnnotation): unknown {
  if (annotation.kind === 'other') return annotation.dialect === 'chat' ? annotation.raw : undefined;
  const { url, title, start: start_index, end: end_index } = annotation;
  return { type: 'url_citation', url_citation: { url, title, start_index, end_index } };
}

/** Where a citation stands counts from the beginning of its own part. */
export function moved(annotation: HubAnnotation, by: number): HubAnnotation {
  if (annotation.kind === 'other') return annotation;
  const at = (place: number) => Math.max(0, place + by);
  return { ...annotation, start: at(annotation.start), end: at(annotation.end) };
}
