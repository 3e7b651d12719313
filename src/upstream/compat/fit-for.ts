/** Which requests have to be made to fit, by the dialect and what is known of the server. */
import type { Dialect } from '../../core/call.ts';
import type { UpstreamSpec } from '../../core/upstream-spec.ts';
import { fitChat } from './fit-chat.ts';
import { fitResponses } from './fit-responses.ts';
import type { Fit, Fitted } from './fitting.ts';

export type FitTo = (body: Uint8Array, stream: boolean) => Fitted;

/** A dialect without one is sent as it is. */
const FITS: Partial<Record<Dialect, Fit>> = { chat: fitChat, responses: fitResponses };

export function fitFor({ card, compat }: UpstreamSpec): FitTo | undefined {
  const fit = FITS[card.dialect];
  if (fit === undefined || compat === undefined) return undefined;
  // The one fact that is about replies.
  const { thinkTags: _thinkTags, ...facts } = compat;
  if (Object.keys(facts).length === 0) return undefined;
  return (body, stream) => fit(body, facts, stream);
}
