/** What one dialect provides. A new dialect is a file that exports a `DialectShape`, and one line in `dialects.ts`. */
import type { Dialect, Usage } from '../core/call.ts';
import type { ClawError } from '../core/errors.ts';
import type { CallId } from '../core/ids.ts';
import type { HubAnswer, HubEvent, HubProgress, HubReply, HubRequest } from './hub.ts';

/** How a reply ended, in the dialect's own words. */
export interface Ending {
  readonly finish: string;
  readonly usage?: Usage;
}

/** What is said of a stream of which no event has passed yet. */
export interface StreamContext {
  readonly callId: CallId;
  /** The model as the client named it. */
  readonly model: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
}

/** Looks on while a stream passes untouched. One for each stream; it never delays or changes a byte. */
export interface StreamWatch {
  /** One or more whole events. Costs a search of the bytes; only an event that ends the stream is parsed. */
  see(events: Uint8Array): void;
  /** Set once the dialect's own end has passed: without it a stream that stops was cut. */
  readonly ending: Ending | undefined;
  /** The events that tell the client, in its dialect, that the stream broke. Ends at an event border. */
  failure(error: ClawError, context: StreamContext): Uint8Array;
  /**
   * What tells a waiting client that the stream is alive and changes nothing of it: an event where the dialect has one
   * for this place of the stream, as many clients do not count a comment, else a comment.
   */
  alive(context: StreamContext): Uint8Array;
}

/** Reads another server's stream into the hub. One for each stream. */
export interface StreamReader {
  /** The data of one SSE event, and its name where it had one. Throws a `ClawError` for what cannot be understood. */
  read(data: string, name: string | undefined): readonly HubEvent[];
  /** The upstream has ended. Throws `upstream_truncated` unless the dialect's own end was seen. */
  end(): readonly HubEvent[];
}

/** Mends what servers get wrong in a stream that passes. One for each stream. */
export interface StreamMender {
  /** One or more whole events: the very same where there is nothing to mend. */
  mend(events: Uint8Array): Uint8Array;
}

/** Puts a stream together to the whole reply that it tells, in the same dialect. One for each stream. */
export interface StreamGatherer {
  /** The data of one SSE event. Whether the stream failed or was cut is its `StreamReader`'s to tell. */
  add(data: string): void;
  /** The whole reply, with every field that the events had. Throws `upstream_protocol` where they do not make one. */
  whole(): unknown;
}

/** Writes a stream in this dialect from the hub. One for each stream. */
export interface StreamWriter {
  /** Whole SSE events; empty where the dialect says nothing of it. */
  write(event: HubProgress): string;
}

/** What a writer has to know of the client's request. */
export interface WriteContext {
  /** The model as the client named it. */
  readonly model: string;
  /** The client's own request, read into the hub. */
  readonly request: HubRequest;
  readonly tools: DialectTools;
}

/** What a dialect takes from outside. */
export interface DialectTools {
  /** The prefix and random letters and digits behind it, for the ids that a dialect needs. */
  readonly randomId: (prefix: string) => string;
  /** The longest event of a stream that is read. */
  readonly eventBytesMax: number;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

export interface DialectShape {
  readonly name: Dialect;
  /** Behind the API's root, both in the proxy's routes and in an upstream's URL: `/chat/completions`. */
  readonly path: string;
  watch(): StreamWatch;
  /** Undefined where no server is known to get anything wrong. */
  mender(): StreamMender | undefined;
  /** The ending of a whole reply without a stream, or undefined where the JSON is no such reply. */
  endingOf(reply: unknown): Ending | undefined;
  /** Throws `bad_request` or `unsupported_parameter` with the parameter's name. */
  readRequest(body: unknown): HubRequest;
  /** Throws `unsupported_parameter` for what this dialect cannot say and must not lose. */
  writeRequest(request: HubRequest, model: string): unknown;
  /** The parameters that `writeRequest` leaves out, as this dialect has none for them and they only steer the answer. */
  leftOut(request: HubRequest): readonly string[];
  readReply(reply: unknown, tools: DialectTools): HubReply;
  writeReply(answer: HubAnswer, context: WriteContext): unknown;
  /** A whole reply as a stream of this dialect, with every field that it has. `request` is the client's own JSON. */
  streamOf(reply: unknown, request: unknown): string;
  gatherer(): StreamGatherer;
  streamReader(tools: DialectTools): StreamReader;
  streamWriter(context: WriteContext): StreamWriter;
}
