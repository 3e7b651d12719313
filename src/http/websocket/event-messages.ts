/** A stream of a reply as messages: one event is one text, as it stands in its data. */
import type { ErrorBody } from '../../core/errors.ts';
import { END_EVENTS } from '../../dialect/responses/end-events.ts';
import { SseReader } from '../../dialect/framing/sse.ts';
import { isObject, tolerantJson } from '../../lib/json.ts';

export interface EventMessage {
  readonly text: string;
  /** The response has ended with it. */
  readonly isLast: boolean;
}

/** An object's beginning: what its members stand behind. */
const IS_OBJECT = /^\s*\{\s*/;

export class EventMessages {
  /** What comes has been bounded before. */
  readonly #reader = new SseReader(Number.POSITIVE_INFINITY);
  /** Stands before the members of each event. */
  readonly #prefix: string;

  constructor(streamId: string | undefined) {
    this.#prefix = prefixOf(streamId);
  }

  /**
   * The messages of some bytes of the stream. An `error` is left out: `response.failed` says the same, and a client that
   * takes the error for the end would take what follows for its next answer. So is what is no object: clients parse each.
   */
  read(bytes: Uint8Array): EventMessage[] {
    return this.#reader.read(bytes).flatMap(({ name, data }) => {
      const type = name ?? typeOf(data);
      if (type === 'error' || !IS_OBJECT.test(data)) return [];
      return [{ text: this.#marked(data), isLast: END_EVENTS.has(type) }];
    });
  }

  #marked(data: string): string {
    if (this.#prefix === '') return data;
    const members = data.replace(IS_OBJECT, '');
    return `${this.#prefix}${members.startsWith('}') ? '' : ','}${members}`;
  }
}

/** The failure of a call that has no response. */
export function errorMessage(
  status: number,
  { error }: ErrorBody,
  more: { readonly streamId?: string | undefined; readonly headers?: Readonly<Record<string, string>> } = {},
): string {
  const { type, code, message, param } = error;
  const { streamId, headers } = more;
  return JSON.stringify({
    type: 'error',
    ...(streamId === undefined ? {} : { stream_id: streamId }),
    status,
    error: { type, code, message, param },
    ...(headers === undefined ? {} : { headers }),
  });
}

function prefixOf(streamId: string | undefined): string {
  return streamId === undefined ? '' : `{"stream_id":${JSON.stringify(streamId)}`;
}

function typeOf(data: string): string {
  const event = tolerantJson(data);
  return isObject(event) && typeof event.type === 'string' ? event.type : '';
}
