/** A failure in an upstream's own words, which came with a status of success: as the error that a client is told. */
import type { ClawError } from '../core/errors.ts';
import { ERROR_WORD_CHARS_MAX } from '../core/limits.ts';
import { failureError } from '../dialect/failure.ts';
import type { HubFailure } from '../dialect/hub.ts';
import type { Place } from './place.ts';

/** How an upstream that ends its stream with an error is told of. */
export const BROKE_OFF = 'the upstream broke off its answer with an error';

/** `how`: what the upstream did, as `the upstream broke off its answer`. Its own code, type and status are kept. */
export function toldFailure(
  { message, code, type, param }: HubFailure,
  place: Place,
  how: string,
): ClawError {
  const word = (value: string | undefined) =>
    value === undefined ? undefined : place.quote(value, ERROR_WORD_CHARS_MAX);
  return failureError({
    message: place.say(`${how}: ${place.quote(message)}`),
    code: word(code),
    type: word(type),
    param: word(param),
  });
}
