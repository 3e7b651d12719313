/** What is asked of a Responses server beside new answers: where, with which method, with a body or without. */
import { isQuery, type Operation } from '../core/call.ts';
import { assertNever, ClawError } from '../core/errors.ts';
import { isResponseId } from '../core/ids.ts';
import type { UpstreamSpec } from '../core/upstream-spec.ts';
import { shapes } from '../dialect/dialects.ts';
import type { Place } from './place.ts';

export interface OperationRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly path: string;
  readonly hasBody: boolean;
}

/** Throws `unsupported_operation` where the upstream has nothing of the kind. The caller may be another node. */
export function operationRequest(
  operation: Operation,
  { baseUrl, card, gateway }: UpstreamSpec,
  place: Place,
): OperationRequest {
  if (card.dialect !== 'responses' || card.agent === true || gateway !== undefined)
    throw new ClawError('unsupported_operation', place.say(`this model cannot do "${operation.kind}"`));
  const { pathname, searchParams } = new URL(baseUrl);
  const root = `${pathname.replace(/\/+$/, '')}${shapes.responses.path}`;
  const at = (path: string, query = '') => {
    const own = searchParams.toString();
    const whole = [own, query].filter((part) => part !== '').join('&');
    return `${root}/${path}${whole === '' ? '' : `?${whole}`}`;
  };
  switch (operation.kind) {
    case 'compact':
    case 'input_tokens':
      return { method: 'POST', path: at(operation.kind), hasBody: true };
    case 'retrieve':
    case 'delete':
    case 'cancel':
    case 'input_items': {
      const { kind, responseId, query } = operation;
      if (!isResponseId(responseId) || !isQuery(query))
        throw new ClawError('bad_request', place.say('no response can have this id'));
      const id = encodeURIComponent(responseId);
      if (kind === 'retrieve') return { method: 'GET', path: at(id, query), hasBody: false };
      if (kind === 'delete') return { method: 'DELETE', path: at(id), hasBody: false };
      return { method: kind === 'cancel' ? 'POST' : 'GET', path: at(`${id}/${kind}`, query), hasBody: false };
    }
    default:
      return assertNever(operation);
  }
}
