/** Text for a terminal: columns that fit, and names of other machines that cannot steer it. Pure. */

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  readonly align?: 'right';
  /** Wraps the cell, padding included, once its width is settled. */
  readonly paint?: (text: string, row: Row) => string;
}

const GAP = '  ';
/** Below this a column says nothing any more. */
const WIDTH_MIN = 4;

/** One line for each row under a line of titles. The widest columns give way first. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width: number): string {
  const cells = rows.map((row) => columns.map((column) => plainText(column.cell(row))));
  const natural = columns.map(({ title }, at) =>
    Math.max(textWidth(title), ...cells.map((line) => textWidth(line[at] ?? ''))),
  );
  const widths = shrink(natural, width - GAP.length * (columns.length - 1));
  const titles = columns.map(({ title, align }, at) => pad(title, widths[at] ?? 0, align));
  const lines = rows.map((row, index) =>
    columns.map(({ align, paint }, at) => {
      const text = pad(cells[index]?.[at] ?? '', widths[at] ?? 0, align);
      return paint === undefined ? text : paint(text, row);
    }),
  );
  return [titles, ...lines].map((line) => `${line.join(GAP).trimEnd()}\n`).join('');
}

function shrink(natural: readonly number[], room: number): number[] {
  const widths = [...natural];
  let over = widths.reduce((sum, width) => sum + width, 0) - room;
  while (over > 0) {
    const widest = Math.max(...widths);
    if (widest <= WIDTH_MIN) break;
    widths[widths.indexOf(widest)] = widest - 1;
    over--;
  }
  return widths;
}

function pad(text: string, width: number, align: 'right' | undefined): string {
  const short = truncate(text, width);
  const space = ' '.repeat(Math.max(0, width - textWidth(short)));
  return align === 'right' ? space + short : short + space;
}

function truncate(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = '';
  let taken = 0;
  for (const { segment } of segments(text)) {
    taken += letterWidth(segment);
    if (taken > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Without anything that moves the cursor, changes colours, or turns the direction of the text. */
export function plainText(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '');
}

/** A text of many lines, as a model writes it, without what would move the cursor or turn the direction of the text. */
export function proseText(text: string): string {
  return text.replaceAll(/(?![\n\t])\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, '');
}

/** Columns of the terminal that the text takes. */
function textWidth(text: string): number {
  let width = 0;
  for (const { segment } of segments(text)) width += letterWidth(segment);
  return width;
}

const segmenter = new Intl.Segmenter();

function segments(text: string): Iterable<{ readonly segment: string }> {
  return segmenter.segment(text);
}

// Emoji and the scripts of East Asia take two columns (Unicode's East Asian Width, in the blocks that names use).
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}])/u;

function letterWidth(letter: string): number {
  return WIDE.test(letter) ? 2 : 1;
}

/** JSON for standard output; what a terminal would obey is escaped, which JSON's readers undo. */
export function jsonText(value: unknown): string {
  return plainJson(JSON.stringify(value, null, 2));
}

/** The same on one line, for those who read line by line. */
export function jsonLine(value: unknown): string {
  return plainJson(JSON.stringify(value));
}

function plainJson(text: string): string {
  return `${text.replaceAll(/[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, escaped)}\n`;
}

function escaped(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
