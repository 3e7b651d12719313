/** Server-sent events: bytes into events, and events into bytes. Knows nothing of what the data means. */
import { createParser, type EventSourceParser, type ParseError } from 'eventsource-parser';
import { ClawError } from '../../core/errors.ts';
import { SSE_EVENT_BYTES_MAX } from '../../core/limits.ts';
import type { StreamEvent } from './stream-event.ts';

const encoder = new TextEncoder();

/** Line feeds only: naive readers know no other line end. */
export function sseEvent(data: string, name?: string): string {
  return name === undefined ? `data: ${data}\n\n` : `event: ${name}\ndata: ${data}\n\n`;
}

/** A line that readers skip. */
export function sseComment(text: string): string {
  return `: ${text}\n\n`;
}

export const SSE_DONE = sseEvent('[DONE]');
export const SSE_KEEPALIVE = sseComment('keepalive');

export function sseBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Reads one stream, whatever the sizes of its chunks. One for each stream. */
export class SseReader {
  readonly #decoder = new TextDecoder();
  readonly #parser: EventSourceParser;
  #events: StreamEvent[] = [];
  #fault: ClawError | undefined;

  /** `eventCharsMax` bounds what is held of an event that is not whole. */
  constructor(eventCharsMax = SSE_EVENT_BYTES_MAX) {
    this.#parser = createParser({
      maxBufferSize: eventCharsMax,
      onEvent: ({ event, data }) => {
        // Some servers keep a connection alive with events that say nothing.
        if (data !== '') this.#events.push({ name: event, data });
      },
      onError: (error) => this.#note(error, eventCharsMax),
    });
  }

  /** The events that these bytes complete. Throws `stream_buffer_exceeded`. */
  read(bytes: Uint8Array): readonly StreamEvent[] {
    return this.#feed(this.#decoder.decode(bytes, { stream: true }));
  }

  /** An event that lacks its final empty line counts: some servers close without it. */
  end(): readonly StreamEvent[] {
    return this.#feed(`${this.#decoder.decode()}\n\n`);
  }

  #feed(text: string): readonly StreamEvent[] {
    // A parser that met its limit refuses all further text with an error of its own.
    if (this.#fault === undefined) this.#parser.feed(text);
    if (this.#fault !== undefined) throw this.#fault;
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #note(error: ParseError, eventCharsMax: number): void {
    // The other faults are lines that are no SSE: the standard says to skip them.
    if (error.type !== 'max-buffer-size-exceeded') return;
    this.#fault = new ClawError(
      'stream_buffer_exceeded',
      `the upstream sent an event of more than ${eventCharsMax} characters`,
    );
  }
}

/** The events of a chunk that holds whole ones. */
export function wholeEvents(chunk: Uint8Array): readonly StreamEvent[] {
  const reader = new SseReader(Number.POSITIVE_INFINITY);
  return [...reader.read(chunk), ...reader.end()];
}
