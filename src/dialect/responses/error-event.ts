/** The error event of a Responses stream: its fields flat and nested, as each client reads another form. */
import { isObject, type JsonObject } from '../../lib/json.ts';
import { readFailure } from '../failure.ts';
import type { HubFailure } from '../hub.ts';
import { amended } from '../mend/amended.ts';

/** `name`: that the event came with. */
export function isErrorEvent({ type, object, error }: JsonObject, name: string | undefined): boolean {
  if (type === 'error' || name === 'error' || object === 'error') return true;
  return (type ?? undefined) === undefined && Boolean(error);
}

/** In the flat form `type` is the event's own, not the error's. */
export function failureOfEvent({ error, message, code, param }: JsonObject): HubFailure {
  return readFailure(error || { message, code, param });
}

export function errorEvent(event: JsonObject, failure: HubFailure): JsonObject {
  const { message, code = null, param = null, type = 'server_error' } = failure;
  const nested = isObject(event.error) ? event.error : { type };
  return amended(event, {
    type: 'error',
    code,
    message,
    param,
    error: amended(nested, { code, message, param }),
  });
}
