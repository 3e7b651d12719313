/** Cuts a long text into the pieces that a stream tells it in, never through a letter. */
import { PIECE_BYTES } from '../core/limits.ts';

/** An event of a stream is bounded, a text is not: a piece of this many letters fits whatever JSON makes of it. */
const PIECE_CHARS = PIECE_BYTES;

/** None for an empty text. */
export function textPieces(text: string): readonly string[] {
  const pieces: string[] = [];
  let from = 0;
  while (from < text.length) {
    let to = from + PIECE_CHARS;
    if (isHighSurrogate(text.charCodeAt(to - 1))) to--;
    pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}

/** The first half of a letter that JavaScript counts as two. */
function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
