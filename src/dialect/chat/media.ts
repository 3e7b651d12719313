/**
 * What a chat answer holds beside words: images, as OpenRouter sends them, and a voice. An image is told as the item that
 * Responses has for one, a voice as its words.
 */
import { z } from 'zod';
import type { JsonObject } from '../../lib/json.ts';
import { maybe } from '../door.ts';
import type { HubHostedItem } from '../hub-item.ts';
import type { DialectTools } from '../shape.ts';

const Url = z.union([z.string(), z.object({ url: z.string() }).transform(({ url }) => url)]);

/** Members of a message's or delta's schema. */
export const MEDIA_WIRE = {
  images: maybe(z.array(z.object({ image_url: Url }))).catch(undefined),
  audio: maybe(z.object({ transcript: maybe(z.string()), data: maybe(z.string()) })).catch(undefined),
};

interface Media {
  readonly images?: readonly { readonly image_url: string }[] | undefined;
  readonly audio?:
    { readonly transcript?: string | undefined; readonly data?: string | undefined } | undefined;
}

const INLINE = /^data:image\/([\w.+-]+);base64,/;

export function imagesOf({ images = [] }: Media, tools: DialectTools): readonly HubHostedItem[] {
  return images.flatMap(({ image_url: url }) => {
    const inline = INLINE.exec(url);
    if (inline === null) {
      tools.note('an image of the answer, which is not inline');
      return [];
    }
    const [head, output_format = 'png'] = inline;
    const result = url.slice(head.length);
    const raw = { type: IMAGE, id: tools.randomId('ig_'), status: 'completed', output_format, result };
    return [{ kind: 'hosted', type: IMAGE, raw }];
  });
}

/** The words of a voice. */
export function transcriptOf({ audio }: Media, tools: DialectTools): string {
  if (audio?.data) tools.note('the sound of the answer, whose words are kept');
  return audio?.transcript ?? '';
}

const IMAGE = 'image_generation_call';

const Generated = z.object({
  type: z.literal(IMAGE),
  result: z.string(),
  output_format: maybe(z.string()).catch(undefined),
});

/** Undefined for an item that is no image. */
export function writeImage(raw: JsonObject): JsonObject | undefined {
  const image = Generated.safeParse(raw);
  if (!image.success) return undefined;
  const { result, output_format: format = 'png' } = image.data;
  return { type: 'image_url', image_url: { url: `data:image/${format};base64,${result}` } };
}
