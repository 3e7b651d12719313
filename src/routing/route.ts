/** The route header: where a call went, in one line that people and scripts can read. */
import type { Target } from '../core/call.ts';
import type { ClawError } from '../core/errors.ts';

export interface FailedTry {
  readonly target: Target;
  readonly error: ClawError;
}

export interface RouteEntry {
  /** This node's name. */
  readonly entry: string;
  /** What was tried before, in that order. */
  readonly failed: readonly FailedTry[];
}

/** `alpha>bravo; model=qwen3:8b; upstream=ollama; attempts=2; failed=charlie:upstream_unreachable`. */
export function routeOf({ card, nodeName, place }: Target, { entry, failed }: RouteEntry): string {
  const path = place === 'local' ? entry : `${entry}>${nodeName}`;
  const route = `${path}; model=${plain(card.id)}; upstream=${plain(card.provider)}; attempts=${failed.length + 1}`;
  if (failed.length === 0) return route;
  return `${route}; failed=${failed.map(({ target, error }) => `${target.nodeName}:${wordOf(error)}`).join(',')}`;
}

/** The upstream's own status says more than our code for it. */
function wordOf({ code, status }: ClawError): string {
  return code === 'upstream_error' ? String(status) : code;
}

/** A header takes printable ASCII; what else an id may hold, and what parts the fields, is percent-encoded. */
function plain(text: string): string {
  return text.replaceAll(/[^!-~]|[%;,]/gu, (letter) =>
    [...Buffer.from(letter, 'utf8')].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}
