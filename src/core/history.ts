/**
 * What an entry remembers of Responses calls, so that a client can refer to what it did not send again. The edge asks and
 * tells; `history/` keeps.
 */
import type { Call, Dialect, TargetKey } from './call.ts';
import type { ClawError } from './errors.ts';

/** Who answered, and what its upstream speaks. */
export interface Home {
  readonly target: TargetKey;
  readonly dialect: Dialect;
}

/** One answer that a client may refer to. */
export interface KeptResponse {
  /** `resp_…`, as the client saw it. */
  readonly id: string;
  readonly home: Home;
  /** The client's JSON, as it was sent; what it referred to is not written out in it. */
  readonly request: Uint8Array;
  /** The whole Response object as JSON, as the client got it. */
  readonly response: Uint8Array;
  /** Milliseconds since 1970. */
  readonly keptAt: number;
}

export interface ResponseHistory {
  /**
   * The call as its upstream can answer it: what is kept here is written out in its body, what a target keeps makes that
   * target its `home`. Throws `previous_response_not_found` (400) and `item_not_found` (404). A call that refers to nothing
   * comes back as it is. `body` is the call's JSON, parsed.
   */
  resumed(call: Call, body: Readonly<Record<string, unknown>>): Call;
  /** The answer has ended well. `response` as in `KeptResponse`. Keeps nothing where the client asked for that. */
  keep(call: Call, home: Home, response: Uint8Array): void;
  /** The call failed: what it continued can no longer be continued from a connection's own memory. */
  failed(call: Call, error: ClawError): void;
  find(id: string): KeptResponse | undefined;
  /** The items that the response was made from, oldest first, with what it referred to. */
  inputItems(id: string): readonly unknown[] | undefined;
  /** Whether there was one. */
  delete(id: string): boolean;
  /** Knows all of this one, and for its own calls also the last answer that was not to be stored: for one WebSocket. */
  session(): ResponseHistory;
}
