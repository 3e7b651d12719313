/** The headers that every request to one server has, whatever it asks. */
import type { UpstreamSpec } from '../core/upstream-spec.ts';

/** Ours alone: neither a caller nor the configuration's `headers` can set them. */
const OWNED_HEADERS = new Set([
  'authorization',
  'host',
  'content-length',
  'content-type',
  'accept-encoding',
  'transfer-encoding',
  'connection',
]);

/** By lower-case name. */
export function fixedHeaders(
  { headers, apiKey }: Pick<UpstreamSpec, 'headers' | 'apiKey'>,
  accept: string,
): Record<string, string> {
  const fixed: Record<string, string> = { 'user-agent': 'clawmatrix' };
  for (const [name, value] of Object.entries(headers)) {
    if (!OWNED_HEADERS.has(name.toLowerCase())) fixed[name.toLowerCase()] = value;
  }
  fixed.accept = accept;
  fixed['accept-encoding'] = 'identity';
  // The whole request goes to the origin that the key was configured for: redirects are not followed.
  if (apiKey !== undefined) fixed.authorization = `Bearer ${apiKey}`;
  return fixed;
}
