/** What of a call and its reply crosses the mesh: only what the other end is sure to take. Pure. */
import {
  CALL_HEADERS,
  type Call,
  type Headers,
  type Operation,
  type Outcome,
  REPLY_HEADERS,
  type Reply,
} from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import type { CallId, NodeId } from '../core/ids.ts';
import { CARRIED_HEADER_CHARS_MAX } from '../core/limits.ts';
import {
  type EndHead,
  HEADER_VALUE,
  type OperationHead,
  type RequestHead,
  type ResponseHead,
} from '../protocol/frame.ts';

/** Asked at both ends: by the sender, because a head that is refused ends the link; by the receiver, who trusts none. */
export function carriedHeaders(headers: Headers, names: readonly string[]): Headers {
  const carried: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined && value.length <= CARRIED_HEADER_CHARS_MAX && HEADER_VALUE.test(value))
      carried[name] = value;
  }
  return carried;
}

/** The call that a request's head and body are, at the owner. */
export function carriedCall(
  head: RequestHead,
  origin: NodeId,
  body: Uint8Array,
  report: Call['report'],
): Call {
  const operation = head.operation === undefined ? undefined : operationOf(head.operation);
  return {
    id: head.id as CallId,
    origin,
    dialect: head.dialect,
    model: { id: head.model, provider: head.provider },
    stream: head.stream,
    headers: carriedHeaders(head.headers, CALL_HEADERS),
    body,
    report,
    ...(head.session === undefined ? {} : { session: head.session }),
    ...(operation === undefined ? {} : { operation }),
    ...(head.others === undefined ? {} : { others: head.others }),
  };
}

/** An operation as it travels; the other end checks it again. */
export function operationHeadOf(operation: Operation): OperationHead {
  if (!('responseId' in operation)) return { kind: operation.kind };
  return { kind: operation.kind, id: operation.responseId, query: operation.query };
}

/** Undefined for one that this node does not know, or that lacks what it is about: such a call is refused. */
export function operationOf({ kind, id, query = '' }: OperationHead): Operation | undefined {
  switch (kind) {
    case 'compact':
    case 'input_tokens':
      return { kind };
    case 'retrieve':
    case 'delete':
    case 'cancel':
    case 'input_items':
      return id === undefined ? undefined : { kind, responseId: id, query };
    default:
      return undefined;
  }
}

/** Throws for a status that no reply of HTTP has in the end. */
export function responseHeadOf({ status, headers }: Reply): ResponseHead {
  if (Number.isInteger(status) && status >= 200 && status <= 599)
    return { status, headers: carriedHeaders(headers, REPLY_HEADERS) };
  throw new ClawError('upstream_protocol', `the upstream answered with status ${status}`);
}

/** How a whole reply ended; an upstream's odd figures are left out. */
export function endHeadOf(bytes: number, { finish, usage }: Extract<Outcome, { kind: 'complete' }>): EndHead {
  const counted = usage !== undefined && isCount(usage.inputTokens) && isCount(usage.outputTokens);
  return {
    bytes,
    ...(finish === undefined ? {} : { finish: finish.slice(0, 64) }),
    ...(counted ? { usage: { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens } } : {}),
  };
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
