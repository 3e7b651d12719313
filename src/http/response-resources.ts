/** The other resources of a response: itself, its input items, its end. What is kept here is answered here. */
import { type Answer, isQuery, type Operation } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import type { KeptUpstream, ResponseHistory } from '../core/history.ts';
import { INPUT_ITEMS_PAGE, INPUT_ITEMS_PAGE_MAX, OPERATION_QUERY_CHARS_MAX } from '../core/limits.ts';
import type { JsonObject } from '../lib/json.ts';
import type { ResponseRoute } from './route.ts';
import type { Asking } from './serve-call.ts';

/** The answer, or the upstream that has to be asked for it. */
export type Found = { readonly kind: 'here'; readonly value: unknown } | FoundUpstream;

interface FoundUpstream {
  readonly kind: 'upstream';
  readonly at: KeptUpstream;
  readonly operation: Operation;
}

/** Throws `response_not_found`, and what else is wrong with the question. */
export function foundFor(route: ResponseRoute, method: string, history: ResponseHistory): Found {
  const query = new URLSearchParams(route.query);
  if (query.get('stream') === 'true')
    throw new ClawError(
      'unsupported_parameter',
      'stream: a response that is over is told whole; leave it out',
      {
        param: 'stream',
      },
    );
  const here = method === 'DELETE' ? deleted(route, history) : read(route, query, history);
  return here === undefined ? atUpstream(route, method, history) : { kind: 'here', value: here };
}

function read({ id, of }: ResponseRoute, query: URLSearchParams, history: ResponseHistory): unknown {
  switch (of) {
    case 'response':
      return history.find(id)?.response;
    case 'input_items': {
      const items = history.inputItems(id);
      return items === undefined ? undefined : pageOf(items, query);
    }
    case 'cancel': {
      const cancelled = history.cancel(id);
      if (cancelled !== undefined || history.find(id) === undefined) return cancelled;
      throw new ClawError(
        'bad_request',
        `response ${id} has ended: only one that is running can be cancelled`,
      );
    }
  }
}

/** One that its upstream keeps too is deleted there first: who deletes a response wants it gone. */
function deleted({ id }: ResponseRoute, history: ResponseHistory): unknown {
  if (history.upstreamOf(id) !== undefined || !history.delete(id)) return undefined;
  return { id, object: 'response', deleted: true };
}

function atUpstream({ id, of, query }: ResponseRoute, method: string, history: ResponseHistory): Found {
  const at = history.upstreamOf(id);
  if (at === undefined) throw notFound(id);
  if (!isQuery(query))
    throw new ClawError(
      'bad_request',
      `the query is longer than ${OPERATION_QUERY_CHARS_MAX} letters, or no query`,
    );
  const kind = method === 'DELETE' ? 'delete' : of === 'response' ? 'retrieve' : of;
  return { kind: 'upstream', at, operation: { kind, responseId: at.id, query } };
}

/** The question as a call to the one who can answer it. */
export function askingOf({ at: { target: home }, operation }: FoundUpstream): Asking {
  const bytes = Buffer.from(JSON.stringify({ model: home.id }));
  return { dialect: 'responses', operation, home, read: () => Promise.resolve({ bytes, release: () => {} }) };
}

function notFound(id: string): ClawError {
  return new ClawError('response_not_found', `No response found with id '${id}'.`);
}

/** The same answer; a response that is deleted at its upstream, or was not there, is forgotten here. */
export function forgetting(answer: Answer, id: string, history: ResponseHistory): Answer {
  return async (call, signal) => {
    const reply = await answer(call, signal);
    if (reply.status < 400 || reply.status === 404) history.forget(id);
    return reply;
  };
}

function pageOf(items: readonly JsonObject[], query: URLSearchParams) {
  const order = query.get('order') ?? 'desc';
  if (order !== 'asc' && order !== 'desc') throw notValid('order', 'must be asc or desc');
  const limit = Number(query.get('limit') ?? INPUT_ITEMS_PAGE);
  if (!Number.isInteger(limit) || limit < 1 || limit > INPUT_ITEMS_PAGE_MAX)
    throw notValid('limit', `must be a whole number from 1 to ${INPUT_ITEMS_PAGE_MAX}`);
  const sorted = order === 'asc' ? items : items.toReversed();
  const after = query.get('after');
  const at = after === null ? -1 : sorted.findIndex(({ id }) => id === after);
  if (after !== null && at < 0) throw notValid('after', 'is the id of none of these items');
  const data = sorted.slice(at + 1, at + 1 + limit);
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: at + 1 + limit < sorted.length,
  };
}

function notValid(param: string, what: string): ClawError {
  return new ClawError('bad_request', `\`${param}\` ${what}`, { param });
}
