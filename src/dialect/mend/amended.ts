/** JSON that is changed only where it must be: whoever gets the very same object back knows that nothing was to mend. */
import type { JsonObject } from '../../lib/json.ts';

/** The object with these members; those that are undefined are taken out of it. */
export function amended(object: JsonObject, members: JsonObject): JsonObject {
  if (has(object, members)) return object;
  const all = Object.entries({ ...object, ...members });
  return Object.fromEntries(all.filter(([, value]) => value !== undefined));
}

/** In place of `Object.entries`, which makes a list for each member: this is asked of every reply. */
function has(object: JsonObject, members: JsonObject): boolean {
  for (const name in members) {
    const value = members[name];
    if (value === undefined ? Object.hasOwn(object, name) : object[name] !== value) return false;
  }
  return true;
}

/** The list with each of its items mended. */
export function amendedList<T>(list: readonly T[], mend: (item: T, at: number) => T): readonly T[] {
  const mended = list.map(mend);
  return mended.every((item, at) => item === list[at]) ? list : mended;
}

/** A text that says something. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** What must be a text, and is sent as the object that it says by some servers. Null says nothing. */
export function asText(value: unknown): string | undefined {
  if (typeof value === 'string' || value === undefined) return value;
  return value === null ? '' : JSON.stringify(value);
}

export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
