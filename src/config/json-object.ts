/** The members of parsed JSON that nobody has checked yet. */
import { isObject, type JsonObject } from '../lib/json.ts';

/** The value where it is an object, else undefined. */
export function objectOf(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

/** The value's own member of that name: what every object has by birth is none. */
export function member(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** The member at the end of the way. */
export function memberAt(value: unknown, ...way: readonly string[]): unknown {
  return way.reduce(member, value);
}
