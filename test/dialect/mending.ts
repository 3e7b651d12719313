/** Streams and replies as an owner mends them, for the tables of tests. */
import type { Dialect } from '../../src/core/call.ts';
import { shapes } from '../../src/dialect/dialects.ts';
import type { HubFailure } from '../../src/dialect/hub.ts';
import type { Mending } from '../../src/dialect/shape.ts';

export function mendingOf(more: Partial<Mending> = {}): Mending {
  let ids = 0;
  return {
    repair: true,
    thinkTags: false,
    model: 'own-m',
    tools: { randomId: (prefix) => `${prefix}${++ids}`, eventBytesMax: 1 << 20, wall: () => 99_000 },
    ...more,
  };
}

export interface Mended {
  readonly text: string;
  readonly failure: HubFailure | undefined;
  /** For each chunk whether it passed as the very same bytes. */
  readonly untouched: readonly boolean[];
}

/** What becomes of a stream that comes in these pieces. */
export function mended(dialect: Dialect, pieces: readonly string[], more: Partial<Mending> = {}): Mended {
  const framer = shapes[dialect].framing.framer(1 << 20);
  const mender = shapes[dialect].mender(mendingOf(more));
  if (mender === undefined) return { text: pieces.join(''), failure: undefined, untouched: [] };
  const out: Uint8Array[] = [];
  const untouched: boolean[] = [];
  for (const piece of pieces) {
    const whole = framer.push(Buffer.from(piece, 'latin1'));
    const told = mender.mend(whole);
    untouched.push(told === whole);
    out.push(told);
  }
  out.push(mender.mend(framer.finish()), mender.end());
  return {
    text: Buffer.concat(out).toString('latin1'),
    failure: mender.failure ?? mender.lastWords,
    untouched,
  };
}

/** Letters of UTF-8 as bytes, so that a piece may end inside of one. */
export function bytesText(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** The text in pieces that end at these places. */
export function cutAt(text: string, places: readonly number[]): readonly string[] {
  const cuts = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [...cuts, text.length].map((to, at) => text.slice(cuts[at - 1] ?? 0, to));
}
