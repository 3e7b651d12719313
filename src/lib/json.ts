/** JSON that somebody else wrote, read where it need not be any, and looked into without believing anything of it. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** The value of the text; undefined, which no JSON stands for, where it is none. */
export function tolerantJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
