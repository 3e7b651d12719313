/**
 * The short forms in which a case may write events, made whole. A chunk may be `{"delta": …, "finish": …}` or
 * `{"usage": …}`; an event of Responses may leave its number away, and of its response what follows from the rest.
 */
import type { Dialect } from './case.ts';
import { isObject } from './difference.ts';
import { expectedResponse } from './response-object.ts';

type Json = Readonly<Record<string, unknown>>;
export type Event = Json | string;

/** Who says it: the upstream, or ours in the place of one. */
export type Speaker = { readonly who: 'upstream' } | { readonly who: 'ours'; readonly request: Json };

export const UPSTREAM: Speaker = { who: 'upstream' };
const CREATED = 1_767_225_600;

export function wholeEvents(events: readonly Event[], dialect: Dialect, speaker: Speaker): readonly Event[] {
  return dialect === 'chat'
    ? events.map((event) => wholeChunk(event, speaker))
    : wholeResponses(events, speaker);
}

function wholeChunk(event: Event, speaker: Speaker): Event {
  if (typeof event === 'string' || !isShort(event)) return event;
  const { delta, finish = null, usage, ...choice } = event;
  const head =
    speaker.who === 'ours'
      ? { id: '<chatcmpl>', object: 'chat.completion.chunk', created: '<created>', model: '<model>' }
      : { id: 'chatcmpl-up', object: 'chat.completion.chunk', created: CREATED, model: '<up>' };
  if (delta === undefined) return { ...head, choices: [], usage };
  const asked = speaker.who === 'ours' && wantsUsage(speaker.request);
  const tail = usage !== undefined ? { usage } : asked ? { usage: null } : {};
  return { ...head, choices: [{ index: 0, delta, ...choice, finish_reason: finish }], ...tail };
}

function isShort(event: Json): boolean {
  return !('choices' in event) && ('delta' in event || ('usage' in event && !('object' in event)));
}

function wantsUsage({ stream_options: options }: Json): boolean {
  return isObject(options) && options.include_usage === true;
}

function wholeResponses(events: readonly Event[], speaker: Speaker): readonly Event[] {
  const done: unknown[] = [];
  return events.map((event, sequence_number) => {
    if (typeof event === 'string') return event;
    if (event.type === 'response.output_item.done') done.push(event.item);
    return { sequence_number, ...withResponse(event, [...done], speaker) };
  });
}

const STATUS = /^response\.(created|queued|in_progress|completed|incomplete|failed)$/;

function withResponse(event: Json, done: readonly unknown[], speaker: Speaker): Json {
  const kind = STATUS.exec(String(event.type))?.[1];
  if (kind === undefined || (event.response !== undefined && !isObject(event.response))) return event;
  const hasEnded = kind === 'completed' || kind === 'incomplete';
  const state = {
    status: kind === 'created' ? 'in_progress' : kind,
    ...(hasEnded ? { output: done } : {}),
    ...event.response,
  };
  if (speaker.who === 'ours') return { ...event, response: expectedResponse(speaker.request, state) };
  const head = { id: 'resp_up', object: 'response', created_at: CREATED, model: '<up>' };
  return { ...event, response: { ...head, output: [], usage: null, error: null, ...state } };
}
