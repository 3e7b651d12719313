/** What one dialect provides. A new dialect is a file that exports a `DialectShape`, and one line in `dialects.ts`. */
import type { Dialect, Usage } from '../core/call.ts';
import type { ClawError } from '../core/errors.ts';
import type { HubAnswer, HubEvent, HubProgress, HubReply, HubRequest } from './hub.ts';

/** How a reply ended, in the dialect's own words. */
export interface Ending {
  readonly finish: string;
  readonly usage?: Usage;
}

/** Looks on while a stream passes untouched. One for each stream; it never delays or changes a byte. */
export interface StreamWatch {
  /** One or more whole events. Costs a search of the bytes; only an event that ends the stream is parsed. */
  see(events: Uint8Array): void;
  /** Set once the dialect's own end has passed: without it a stream that stops was cut. */
  readonly ending: Ending | undefined;
  /** The events that tell the client, in its dialect, that the stream broke. Ends at an event border. */
  failure(error: ClawError): Uint8Array;
}

/** Reads another server's stream into the hub. One for each stream. */
export interface StreamReader {
  /** The data of one SSE event, and its name where it had one. Throws a `ClawError` for what cannot be understood. */
  read(data: string, name: string | undefined): readonly HubEvent[];
  /** The upstream has ended. Throws `upstream_truncated` unless the dialect's own end was seen. */
  end(): readonly HubEvent[];
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
  streamReader(tools: DialectTools): StreamReader;
  streamWriter(context: WriteContext): StreamWriter;
}
