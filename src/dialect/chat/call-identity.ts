/** Which tool call a fragment of a Chat Completions stream belongs to, by signs that each server gives in its own way. Pure. */
import { tolerantJson } from '../../lib/json.ts';

/** What is known of a call that has begun. */
export interface KnownCall {
  /** The server's own id, where it gave one. */
  readonly givenId: string | undefined;
  readonly name: string | undefined;
  /** All of its input so far; undefined where it is too long to be looked into. */
  readonly input: string | undefined;
}

/** What a fragment says of whose it is. */
export interface CallSigns {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly input: string;
}

/**
 * A number that comes back with another id and a name, or without that id with another name, is a new call; and one that
 * comes back without any id and with input for a call whose own is whole.
 */
export function isOtherCall(known: KnownCall, { id, name, input }: CallSigns): boolean {
  if (name === undefined) return false;
  if (id && known.givenId !== undefined) return known.givenId !== id;
  if (known.name === undefined) return false;
  return known.name !== name || (!id && isNextObject(known.input ?? '', input));
}

/** The call that a fragment without a number means. */
export function unnumberedCall<T extends KnownCall>(all: readonly T[], signs: CallSigns): T | undefined {
  const { id, name } = signs;
  if (id) return all.findLast((call) => call.givenId === id);
  const last = all.at(-1);
  return last?.name !== undefined && name !== undefined ? undefined : last;
}

/** Inside of one object a `}` is never followed by a `{`, but in a text. */
function isNextObject(known: string, input: string): boolean {
  if (!known.trimEnd().endsWith('}') || !input.trimStart().startsWith('{')) return false;
  return tolerantJson(known) !== undefined;
}
