/** What is mended of the replies of one upstream. */
import { randomId } from '../core/ids.ts';
import type { UpstreamSpec } from '../core/upstream-spec.ts';
import type { Mending } from '../dialect/shape.ts';
import { serverOfHost } from './compat/known-servers.ts';

/** All that a server gets wrong, unless it is configured otherwise, or is OpenAI's own: what that sends is the dialect. */
export function mendingOf(spec: UpstreamSpec, wall: () => number): Mending {
  const { repair, compat, card, baseUrl, eventBytesMax } = spec;
  return {
    repair: repair ?? serverOfHost(baseUrl) !== 'openai',
    thinkTags: compat?.thinkTags === true,
    model: card.id,
    tools: { eventBytesMax, wall, randomId },
  };
}
