/** The route header: where a call went, in one line that people and scripts can read. */
import type { Target } from '../core/call.ts';

export const ROUTE_HEADER = 'x-clawmatrix-route';

export interface RouteEntry {
  /** This node's name. */
  readonly entry: string;
  readonly attempts: number;
}

/** `alpha>bravo; model=qwen3:8b; upstream=ollama; attempts=1`. */
export function routeOf({ card, nodeName, place }: Target, { entry, attempts }: RouteEntry): string {
  const path = place === 'local' ? entry : `${entry}>${nodeName}`;
  return `${path}; model=${plain(card.id)}; upstream=${plain(card.provider)}; attempts=${attempts}`;
}

/** A header takes printable ASCII; what else an id may hold, and what parts the fields, is percent-encoded. */
function plain(text: string): string {
  return text.replaceAll(/[^!-~]|[%;,]/gu, (letter) =>
    [...Buffer.from(letter, 'utf8')].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}
