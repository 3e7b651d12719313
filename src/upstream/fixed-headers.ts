/** The headers that every request to one server has, whatever it asks. */
import { isOwned } from '../core/header-names.ts';
import type { UpstreamSpec } from '../core/upstream-spec.ts';
import type { DialectShape } from '../dialect/shape.ts';

/** By lower-case name. */
export function fixedHeaders(
  { headers, apiKey }: Pick<UpstreamSpec, 'headers' | 'apiKey'>,
  accept: string,
  shape: Pick<DialectShape, 'headers' | 'authorization'>,
): Record<string, string> {
  const fixed: Record<string, string> = { 'user-agent': 'clawmatrix', ...shape.headers };
  for (const [name, value] of Object.entries(headers)) {
    if (!isOwned(name)) fixed[name.toLowerCase()] = value;
  }
  fixed.accept = accept;
  fixed['accept-encoding'] = 'identity';
  // The whole request goes to the origin that the key was configured for: redirects are not followed.
  if (apiKey === undefined) return fixed;
  return Object.assign(fixed, shape.authorization?.(apiKey) ?? { authorization: `Bearer ${apiKey}` });
}
