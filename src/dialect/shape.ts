/** What one dialect provides. A new dialect is a file that exports a `DialectShape`, and one line in `dialects.ts`. */
import type { Dialect, Headers, Usage } from '../core/call.ts';
import type { ClawError, ErrorBody } from '../core/errors.ts';
import type { CallId } from '../core/ids.ts';
import type { Ability } from './ability.ts';
import type { Framing } from './framing/framing.ts';
import type { HubAnswer, HubEvent, HubFailure, HubProgress, HubReply, HubRequest } from './hub.ts';

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
  /** Of what has passed, the events that `isRepeated`. */
  readonly repeated?: readonly Uint8Array[];
}

/** Looks on while a stream passes untouched. One for each stream; it never delays or changes a byte. */
export interface StreamWatch {
  /** One or more whole events. Costs a search of the bytes; only an event that ends the stream is parsed. */
  see(events: Uint8Array): void;
  /** The same of events that neither end the stream nor tell of usage: a mender has found no sign of it in them. */
  skip(events: Uint8Array): void;
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

/** What is known where a stream must begin before there is anything of it. */
export interface HeldContext extends StreamContext {
  /** The client's own JSON, which the beginning may repeat. */
  readonly request: Uint8Array;
}

/** What the client calls a response, and what its upstream does, as far as that has said. */
export interface ResponseIds {
  readonly ours: string;
  readonly theirs: string | undefined;
}

/**
 * A stream that the entry began itself, since its client would have waited too long for an event. What comes is fitted to
 * that beginning from then on. One for each such stream.
 */
export interface HeldStream {
  readonly ids: ResponseIds;
  /** The events that the client gets first. */
  begin(): Uint8Array;
  /** One or more whole events of the upstream as they follow what was said; empty where they say nothing new. */
  fit(events: Uint8Array): Uint8Array;
  /** As in `StreamWatch`. */
  alive(): Uint8Array;
  failure(error: ClawError): Uint8Array;
}

/** Reads another server's stream into the hub. One for each stream. */
export interface StreamReader {
  /** The data of one event, and its name where it had one. Throws a `ClawError` for what cannot be understood. */
  read(data: string, name: string | undefined): readonly HubEvent[];
  /** The upstream has ended. Throws `upstream_truncated` unless the dialect's own end was seen. */
  end(): readonly HubEvent[];
}

/** What is mended of a server's replies, and what a mender may have to put in. */
export interface Mending {
  /** What the server gets wrong. Without it a reply passes as it came. */
  readonly repair: boolean;
  /** `<think>` in the content becomes reasoning, where the dialect has both. */
  readonly thinkTags: boolean;
  /** The model as the server calls it. */
  readonly model: string;
  readonly tools: Pick<DialectTools, 'randomId' | 'eventBytesMax' | 'wall'>;
}

/** Mends what servers get wrong in a stream that passes. One for each stream. */
export interface StreamMender {
  /** One or more whole events: the very same bytes where there is nothing to mend. */
  mend(events: Uint8Array): Uint8Array;
  /** Whether what it was last given is of no interest to a watch: one search does for both then. */
  readonly isQuiet: boolean;
  /** The stream has ended: the events that were kept back. */
  end(): Uint8Array;
  /** Set once the server has said that its answer failed. Neither that nor what follows it is handed on. */
  readonly failure: HubFailure | undefined;
  /** What the server has said of a failure, while it is waited for what more belongs to it. */
  readonly lastWords?: HubFailure | undefined;
}

/** What is made of a whole reply: the very same object where there was nothing to mend. */
export type MendedReply =
  | { readonly kind: 'reply'; readonly reply: unknown }
  | { readonly kind: 'failed'; readonly failure: HubFailure };

/** Puts a stream together to the whole reply that it tells, in the same dialect. One for each stream. */
export interface StreamGatherer {
  /** The data of one event. Whether the stream failed or was cut is its `StreamReader`'s to tell. */
  add(data: string): void;
  /** The whole reply, with every field that the events had. Throws `upstream_protocol` where they do not make one. */
  whole(): unknown;
}

/** Writes a stream in this dialect from the hub. One for each stream. */
export interface StreamWriter {
  /** Whole events in the dialect's framing; empty where the dialect says nothing of it. */
  write(event: HubProgress): string;
}

/** What a writer has to know of the client's request. */
export interface WriteContext {
  /** The model as the client named it. */
  readonly model: string;
  /** The client's own request, read into the hub. */
  readonly request: HubRequest;
  readonly tools: DialectTools;
  /** Whose answer it is: its blobs go back to nobody else. */
  readonly provider: string;
}

/** What a dialect takes from outside. */
export interface DialectTools {
  /** The prefix and random letters and digits behind it, for the ids that a dialect needs. */
  readonly randomId: (prefix: string) => string;
  /** The longest event of a stream that is read. */
  readonly eventBytesMax: number;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** No answer is kept for a later reference, whatever a client asks for: its Response objects say so. */
  readonly storesNothing?: boolean;
  /** Told of what of an answer cannot be carried, for the log: its client has the head already. */
  readonly note: (lost: string, call?: CallId) => void;
}

export interface ModelListing {
  /** Behind the API's root: `/api/tags`. */
  readonly path: string;
  /** Its models in OpenAI's form, each an object with an `id`; undefined where the JSON is no such list. */
  rows(list: unknown): readonly unknown[] | undefined;
}

export interface DialectShape {
  readonly name: Dialect;
  /** Behind the API's root, both in the proxy's routes and in an upstream's URL: `/chat/completions`. */
  readonly path: string;
  /** How the events of a stream follow each other. */
  readonly framing: Framing;
  /** Whether a request that does not say so asks for a stream. */
  readonly streamsByDefault?: boolean;
  /** What its servers can be relied on to know, and what of a request is emulated for them otherwise. */
  readonly abilities: ReadonlySet<Ability>;
  /** Sent with every request to an upstream; a configuration has the last word. */
  readonly headers?: Headers;
  /** How an upstream is told its key; absent: `Authorization: Bearer`. */
  authorization?(apiKey: string): Headers;
  /** Where its servers list their models, and how; absent: as OpenAI's. */
  readonly modelList?: ModelListing;
  /** The body of an error that is told with a status; absent: as OpenAI's. */
  errorBody?(body: ErrorBody): unknown;
  watch(): StreamWatch;
  /** Whether a failure tells some of these events once more, so that they are kept for it; a search. Absent: it tells none. */
  isRepeated?(events: Uint8Array): boolean;
  /** Absent where a sign of life may come before the first event of an answer. */
  held?(context: HeldContext): HeldStream;
  /** Undefined where nothing is to be mended. */
  mender(mending: Mending): StreamMender | undefined;
  /** The same for a whole reply; absent: nothing of one is. */
  mendReply?(reply: unknown, mending: Mending): MendedReply;
  /** The ending of a whole reply without a stream, or undefined where the JSON is no such reply. */
  endingOf(reply: unknown): Ending | undefined;
  /** The request with a note of the node before what it tells the model. */
  withNote(body: Uint8Array, note: string): Uint8Array;
  /** Throws `bad_request` or `unsupported_parameter` with the parameter's name. */
  readRequest(body: unknown): HubRequest;
  /** Throws `unsupported_parameter` for what this dialect cannot say and must not lose. */
  writeRequest(request: HubRequest, model: string): unknown;
  /** The parameters that `writeRequest` leaves out, as this dialect has none for them and they only steer the answer. */
  leftOut(request: HubRequest): readonly string[];
  readReply(reply: unknown, tools: DialectTools): HubReply;
  writeReply(answer: HubAnswer, context: WriteContext): unknown;
  /** A whole reply as a stream of this dialect, with every field that it has. `request` is the client's own JSON. */
  streamOf(reply: unknown, request: unknown, tools: Pick<DialectTools, 'randomId'>): string;
  gatherer(): StreamGatherer;
  streamReader(tools: DialectTools): StreamReader;
  streamWriter(context: WriteContext): StreamWriter;
}
