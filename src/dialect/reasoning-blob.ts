/**
 * Reasoning on its way through a client that only keeps it: the text and the provider's own blob, in the place that the
 * client's dialect has for an opaque one. Clients drop reasoning without a blob, and some chat servers refuse a
 * conversation that lost it.
 */
import { z } from 'zod';
import { Card } from '../core/card.ts';
import { REASONING_BLOB_CHARS_MAX } from '../core/limits.ts';
import { tolerantJson } from '../lib/json.ts';
import { maybe } from './door.ts';
import type { HubBlob, HubReasoning } from './hub-item.ts';
import { present } from './present.ts';

/** Tells ours from those of providers. A multiple of three bytes: as base64 it is the beginning of every one of ours. */
const TAG = Buffer.from('clawmatrix/thought').toString('base64');
/** To be searched for in a request: where it is not, there is none of ours. */
export const SEALED_BEGINS = Buffer.from(`"${TAG}`);

const Sealed = z.object({
  text: maybe(z.string()),
  blob: maybe(z.object({ dialect: Card.shape.dialect, provider: maybe(z.string()), data: z.string() })),
});

export type Opened = Pick<HubReasoning, 'blob'> & { readonly text?: string };

/** Undefined where there is nothing to keep, or more than a client is to carry to and fro. */
export function sealReasoning({ text, blob }: Opened): string | undefined {
  if (!text && blob === undefined) return undefined;
  const json = JSON.stringify({ text, blob });
  if (json.length > REASONING_BLOB_CHARS_MAX) return undefined;
  return TAG + Buffer.from(json).toString('base64');
}

export function isSealed(data: unknown): boolean {
  return typeof data === 'string' && data.startsWith(TAG);
}

/** Undefined for a blob that is not ours. */
export function openReasoning(data: string): Opened | undefined {
  if (!isSealed(data)) return undefined;
  const sealed = Sealed.safeParse(tolerantJson(Buffer.from(data.slice(TAG.length), 'base64').toString()));
  if (!sealed.success) return {};
  const { text, blob } = sealed.data;
  return present({ text, blob: blob === undefined ? undefined : readBlob(blob) });
}

function readBlob({ dialect, provider, data }: NonNullable<z.infer<typeof Sealed>['blob']>): HubBlob {
  return { dialect, data, ...present({ provider }) };
}
