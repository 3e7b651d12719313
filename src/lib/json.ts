/** JSON that somebody else wrote, read where it need not be any. */

/** The value of the text; undefined, which no JSON stands for, where it is none. */
export function tolerantJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
