/** How a Responses stream tells that it broke: flat and nested fields, and `response.failed`, as each client reads another. */
import type { ClawError } from '../../core/errors.ts';
import { sseBytes, sseEvent } from '../framing/sse.ts';
import { type ResponseFacts, type ResponseState, responseObject } from './response-object.ts';

/** What the client has had of the stream. */
export interface BrokenResponse {
  readonly facts: ResponseFacts;
  /** Whether `response.created` was in it. */
  readonly begun: boolean;
  /** The number of the next event. */
  readonly sequence: number;
  /** The items that were done, where that is known. */
  readonly output: readonly unknown[];
}

export function failureEvents(error: ClawError, broken: BrokenResponse): Uint8Array {
  const { facts, begun, output } = broken;
  const { message: said, type, param, code } = error.body().error;
  const message = withPatience(said, error);
  // The one code that clients parse: Codex takes its waiting time from the message then.
  const told = error.status === 429 ? 'rate_limit_exceeded' : (code ?? 'server_error');
  let { sequence } = broken;
  const event = (name: string, fields: object) =>
    sseEvent(JSON.stringify({ type: name, sequence_number: sequence++, ...fields }), name);
  const response = (state: ResponseState) => ({ response: responseObject(facts, state) });

  let text = '';
  // Parsers that build on the created response throw at any other first event.
  if (!begun) text += event('response.created', response({ status: 'in_progress', output: [] }));
  text += event('error', { code: told, message, param, error: { type, code: told, message, param } });
  text += event('response.failed', response({ status: 'failed', output, error: { code: told, message } }));
  return sseBytes(text);
}

/** A rate limit without a head to carry `Retry-After`: Codex reads the time out of the words. */
function withPatience(message: string, { status, retryAfterSeconds: seconds }: ClawError): string {
  if (status !== 429 || seconds === undefined || /try again in/i.test(message)) return message;
  return `${message}; try again in ${seconds} s`;
}
