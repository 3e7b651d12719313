/** What an assistant says in a Chat Completions reply: the fields that a message and a stream's delta share. */
import { z } from 'zod';
import { AnyObject, JsonText, maybe } from '../door.ts';
import type { HubAnnotation, HubLogprob } from '../hub-item.ts';
import { WireLogprob } from '../logprob.ts';

/** Mistral's models think in parts of the content. */
const Part = z.object({
  type: z.string(),
  text: maybe(z.string()),
  thinking: maybe(
    z.union([z.array(z.object({ text: maybe(z.string()) })), z.string().transform((text) => [{ text }])]),
  ).catch(undefined),
});

const Detail = z.object({ type: maybe(z.string()), text: maybe(z.string()), summary: maybe(z.string()) });

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
  reasoning_content: maybe(z.string()),
  reasoning: maybe(z.string()).catch(undefined),
  reasoning_text: maybe(z.string()).catch(undefined),
  reasoning_details: maybe(z.array(Detail)).catch(undefined),
  tool_calls: maybe(z.array(WireCall)),
  function_call: maybe(z.object({ name: maybe(z.string()), arguments: maybe(JsonText) })),
  annotations: maybe(z.array(WireAnnotation)).catch(undefined),
});
export type WireSaid = z.infer<typeof WireSaid>;

export const WireLogprobs = maybe(z.object({ content: maybe(z.array(WireLogprob)) })).catch(undefined);

/** The reasoning in a message or delta, under whichever name it goes: the first that says something. */
export function reasoningOf(said: WireSaid): string {
  const named = said.reasoning_content || said.reasoning || said.reasoning_text;
  if (named) return named;
  const details = said.reasoning_details?.map((detail) => detail.text ?? detail.summary ?? '').join('');
  if (details) return details;
  if (!Array.isArray(said.content)) return '';
  return said.content.flatMap((part) => part.thinking?.map(({ text }) => text ?? '') ?? []).join('');
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
  return { ...annotation, start: annotation.start + by, end: annotation.end + by };
}
