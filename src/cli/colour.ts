/** Colour, where the reader is a person at a terminal that wants it. */
import type { Environment } from '../config/expand.ts';
import type { Writer } from './world.ts';

export type Colour = 'green' | 'yellow' | 'red' | 'dim';

export type Paint = (colour: Colour, text: string) => string;

const CODES: Readonly<Record<Colour, number>> = { green: 32, yellow: 33, red: 31, dim: 2 };

/** `NO_COLOR` counts when it is set to anything but nothing (no-color.org). */
export function painter(out: Writer, env: Environment): Paint {
  const wanted = out.columns !== undefined && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
  return (colour, text) => (wanted ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text);
}
