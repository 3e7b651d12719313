/** How the events of a dialect's streams follow each other as bytes: as server-sent events, or one a line. */
import { asBuffer } from './bytes.ts';
import { EventFramer } from './event-framer.ts';
import { LineFramer, LineReader } from './lines.ts';
import { SseReader, sseComment, wholeEvents } from './sse.ts';
import type { StreamEvent } from './stream-event.ts';

/** Cuts bytes at the borders of events, and changes none. One for each stream. */
export interface Framer {
  push(chunk: Uint8Array): Uint8Array;
  finish(): Uint8Array;
}

/** Reads events out of bytes. One for each stream. */
export interface EventReader {
  read(bytes: Uint8Array): readonly StreamEvent[];
  end(): readonly StreamEvent[];
}

export interface Framing {
  /** The media type of a stream, which an upstream is asked for. */
  readonly mediaType: string;
  /** With its parameters, as a client is told it. */
  readonly contentType: string;
  /** Whether a stream begins as a whole reply does: what it is, its head alone tells then. */
  readonly looksWhole: boolean;
  framer(eventBytesMax: number): Framer;
  reader(eventCharsMax: number): EventReader;
  /** The events of a chunk that holds whole ones. */
  events(chunk: Uint8Array): readonly StreamEvent[];
  /** Whether these whole events are more than comments: a search of the bytes. */
  hasEvent(events: Uint8Array): boolean;
  /** What readers skip; empty where nothing is skipped. */
  comment(text: string): string;
}

const DATA = Buffer.from('data:');

export const sse: Framing = {
  mediaType: 'text/event-stream',
  contentType: 'text/event-stream; charset=utf-8',
  looksWhole: false,
  framer: (eventBytesMax) => new EventFramer(eventBytesMax),
  reader: (eventCharsMax) => new SseReader(eventCharsMax),
  events: wholeEvents,
  // Most begin with it, and only what begins otherwise is searched.
  hasEvent: (events) => events[0] === DATA[0] || asBuffer(events).includes(DATA),
  comment: sseComment,
};

export const lines: Framing = {
  mediaType: 'application/x-ndjson',
  contentType: 'application/x-ndjson',
  looksWhole: true,
  framer: (eventBytesMax) => new LineFramer(eventBytesMax),
  reader: (eventCharsMax) => new LineReader(eventCharsMax),
  events: (chunk) => new LineReader(Number.POSITIVE_INFINITY).read(chunk),
  hasEvent: (events) => events.length > 0,
  comment: () => '',
};
