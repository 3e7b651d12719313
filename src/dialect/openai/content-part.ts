/**
 * The parts of a message: OpenAI's two APIs give them different names and fields, and clients send those of one to the
 * other. Both are read here, whichever the request's dialect is.
 */
import { z } from 'zod';
import { ClawError } from '../../core/errors.ts';
import { maybe } from '../door.ts';
import type { HubPart, HubSource } from '../hub.ts';
import type { HubSaid } from '../hub-item.ts';
import { present } from '../present.ts';
import { misplaced } from '../refuse.ts';

const text = maybe(z.string());

const ImageUrl = z.union([
  z.string().transform((url) => ({ url, detail: undefined })),
  z.object({ url: z.string(), detail: text }),
]);

/** A file's fields, which Responses has in the part and chat in an object of its own. */
const FILE = { file_data: text, file_url: text, file_id: text, filename: text };

/** Mistral's models think in parts of what they say. */
export const Thinking = z.union([
  z.string(),
  z.array(z.object({ text })).transform((parts) => parts.map((part) => part.text ?? '').join('')),
]);

const TypedPart = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['text', 'input_text', 'output_text']), text: z.string() }),
  z.object({ type: z.literal('refusal'), refusal: z.string() }),
  z.object({
    type: z.enum(['image_url', 'input_image']),
    image_url: maybe(ImageUrl),
    file_id: text,
    detail: text,
  }),
  z.object({ type: z.enum(['file', 'input_file']), ...FILE, file: maybe(z.object(FILE)) }),
  z.object({
    type: z.literal('input_audio'),
    input_audio: z.object({ data: z.string(), format: z.string() }),
  }),
  z.object({ type: z.literal('thinking'), thinking: Thinking }),
]);
type TypedPart = z.infer<typeof TypedPart>;

const asText = (value: string) => ({ type: 'text' as const, text: value });

/** Some clients leave out the type of a text, or the part around it. */
export const ContentPart = z.union([
  TypedPart,
  z.object({ type: z.undefined().optional(), text: z.string() }).transform((part) => asText(part.text)),
  z.string().transform(asText),
]);
export type ContentPart = TypedPart;

/** Parts that some clients send in place of the message around them. */
export const PART_TYPES: ReadonlySet<string> = new Set([
  'text',
  'input_text',
  'output_text',
  'image_url',
  'input_image',
  'file',
  'input_file',
  'input_audio',
]);

export const Content = maybe(z.union([z.string(), z.array(ContentPart)]));
export type Content = z.infer<typeof Content>;

/** What a tool returned: anything that is no text and no list of parts is told as the JSON that it is. */
export const ToolOutput = z.union([Content, z.unknown().transform((value) => JSON.stringify(value))]);

export function readParts(content: Content, at: string): readonly HubPart[] {
  if (content === undefined) return [];
  if (typeof content === 'string') return [{ kind: 'text', text: content }];
  return content.map((part, index) => readPart(part, `${at}[${index}]`));
}

export function readPart(part: ContentPart, param: string): HubPart {
  switch (part.type) {
    case 'text':
    case 'input_text':
    case 'output_text':
      return { kind: 'text', text: part.text };
    case 'image_url':
    case 'input_image': {
      const source = readSource(param, { url: part.image_url?.url, file_id: part.file_id });
      return { kind: 'image', source, param, ...present({ detail: part.image_url?.detail ?? part.detail }) };
    }
    case 'file':
    case 'input_file': {
      const { file_data: data, file_url: url, file_id, filename } = part.file ?? part;
      return {
        kind: 'file',
        source: readSource(param, { data, url, file_id }),
        param,
        ...present({ filename }),
      };
    }
    case 'input_audio':
      return { kind: 'audio', data: part.input_audio.data, format: part.input_audio.format, param };
    case 'refusal':
    case 'thinking':
      throw misplaced(param, part.type);
  }
}

/** What an assistant said. */
export function readSaid(content: Content, at: string): HubSaid[] {
  const said = (value: string): HubSaid => ({ kind: 'text', text: value, annotations: [], logprobs: [] });
  if (content === undefined || content === '') return [];
  if (typeof content === 'string') return [said(content)];
  return content.map((part, index): HubSaid => {
    if ('text' in part) return said(part.text);
    if (part.type === 'refusal') return { kind: 'refusal', text: part.refusal };
    throw misplaced(`${at}[${index}]`, part.type);
  });
}

interface Sources {
  readonly data?: string | undefined;
  readonly url: string | undefined;
  readonly file_id: string | undefined;
}

function readSource(param: string, { data, url, file_id: id }: Sources): HubSource {
  if (data !== undefined) return { kind: 'data', data };
  if (url !== undefined) return { kind: 'url', url };
  if (id !== undefined) return { kind: 'id', id };
  throw new ClawError('bad_request', `${param}: expected data, a URL or a file_id`, { param });
}
