/** What a chunk or a whole reply of Chat Completions says of a failure, in whatever form it does. */
import { isObject, type JsonObject } from '../../lib/json.ts';
import { readFailure } from '../failure.ts';
import type { HubFailure } from '../hub.ts';
import { isList } from '../mend/amended.ts';
import { ENDED_BY_ERROR, isBroken } from './ending.ts';

/** `name`: of the event that it came in. */
export function failureIn(said: JsonObject, name?: string): HubFailure | undefined {
  const isError = said.object === 'error' || name === 'error';
  const choice = firstChoice(said);
  if (!said.error && !isError && !isBroken(choice.finish_reason)) return undefined;
  return readFailure(said.error || choice.error || (isError ? said : ENDED_BY_ERROR));
}

function firstChoice({ choices }: JsonObject): JsonObject {
  const first: unknown = isList(choices) ? choices[0] : undefined;
  return isObject(first) ? first : {};
}
