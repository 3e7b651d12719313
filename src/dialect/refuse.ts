/** What a dialect cannot say is refused by the name of its parameter: an answer to a lesser question is a wrong one. */
import type { Dialect } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import type { HubRequest } from './hub.ts';

/** `reason` says what the client can do instead, or why it cannot be. */
export function unsupported(param: string, reason: string): ClawError {
  return new ClawError('unsupported_parameter', `${param}: ${reason}`, { param });
}

/** A content part of a kind that messages of this role have not. */
export function misplaced(param: string, type: string): ClawError {
  return new ClawError(
    'bad_request',
    `${param}: a message of this role cannot hold a part of type "${type}"`,
    {
      param,
    },
  );
}

/** The parameters of other dialects that the answer does not depend on. */
export function foreignExtras(request: HubRequest, dialect: Dialect): readonly string[] {
  return request.extras
    .filter((extra) => extra.dialect !== dialect && !extra.needed)
    .map(({ param }) => param);
}

/** Throws for a parameter of another dialect that the answer depends on. */
export function refuseForeign(request: HubRequest, dialect: Dialect, apiName: string): void {
  const foreign = request.extras.find((extra) => extra.needed && extra.dialect !== dialect);
  if (foreign === undefined) return;
  const instead = foreign.instead === undefined ? '' : `; ${foreign.instead}`;
  throw unsupported(foreign.param, `not supported by this model, whose API is ${apiName}${instead}`);
}
