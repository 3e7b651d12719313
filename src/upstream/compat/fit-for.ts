/** Which requests have to be made to fit, by the dialect, by what is known of the server, and by what they hold. */
import type { Dialect } from '../../core/call.ts';
import type { UpstreamSpec } from '../../core/upstream-spec.ts';
import { asBuffer } from '../../dialect/framing/bytes.ts';
import { FOREIGN_BLOB_BEGINS } from '../../dialect/chat/reasoning.ts';
import { SEALED_BEGINS } from '../../dialect/reasoning-blob.ts';
import { fitChat } from './fit-chat.ts';
import { fitResponses } from './fit-responses.ts';
import type { Fit, Fitted } from './fitting.ts';

/** Undefined for a request that is sent as it is. */
export type FitTo = (body: Uint8Array, stream: boolean) => Fitted | undefined;

interface DialectFit {
  readonly fit: Fit;
  /** How that begins which we put into a conversation for servers of other dialects: none of this one is to see it. */
  readonly foreign: Buffer;
}

/** A dialect without one is sent as it is. */
const FITS: Partial<Record<Dialect, DialectFit>> = {
  chat: { fit: fitChat, foreign: FOREIGN_BLOB_BEGINS },
  responses: { fit: fitResponses, foreign: SEALED_BEGINS },
};

export function fitFor({ card, compat = {} }: Pick<UpstreamSpec, 'card' | 'compat'>): FitTo | undefined {
  const known = FITS[card.dialect];
  if (known === undefined) return undefined;
  const { fit, foreign } = known;
  // The one fact that is about replies.
  const { thinkTags: _thinkTags, ...facts } = compat;
  if (Object.keys(facts).length > 0) return (body, stream) => fit(body, facts, stream);
  return (body, stream) => (asBuffer(body).includes(foreign) ? fit(body, facts, stream) : undefined);
}
