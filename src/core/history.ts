/**
 * What an entry remembers of Responses calls, so that a client can refer to what it did not send again. The edge asks and
 * tells; `history/` keeps.
 */
import type { JsonObject } from '../lib/json.ts';
import type { Call, Dialect, TargetKey } from './call.ts';
import type { ClawError } from './errors.ts';

/** Who answered, and what its upstream speaks. */
export interface Home {
  readonly target: TargetKey;
  readonly dialect: Dialect;
}

/** How an answer ended, as the client got it: nothing of it is read unless somebody refers to it. */
export interface Told {
  /** The last events of a stream, or all of a whole reply. In their order. */
  readonly bytes: readonly Uint8Array[];
  /** The upstream's own id of the response, where the client was told another. */
  readonly upstreamId?: string;
}

/** One answer that a client may refer to. */
export interface KeptResponse {
  /** `resp_…`, as the client saw it. */
  readonly id: string;
  /** The whole Response object. */
  readonly response: JsonObject;
}

/** A response that is at its upstream too, or there alone. */
export interface KeptUpstream {
  readonly target: TargetKey;
  /** What the upstream calls it. */
  readonly id: string;
}

/** A stream that is on its way to a client. */
export interface RunningStream {
  /** The first events, as the client got them; undefined before that. */
  readonly begun: () => Uint8Array | undefined;
  /** What has passed by now. */
  readonly told: () => Told;
  readonly home: () => Home | undefined;
  /** Ends it for the client, and at its upstream. */
  readonly cut: () => void;
}

/** One Responses call of a client, and the memory of what comes of it. */
export interface ResumedCall {
  /**
   * As its upstream can answer it: what is kept here is written out in its body, what a target keeps makes that target its
   * `home`. The very same call where it refers to nothing.
   */
  readonly call: Call;
  /** Whether `keep` has any use: without it nobody need hold the reply's bytes. */
  readonly keeps: boolean;
  /** Can be referred to, or cut, from now until `over`: a client may go on from an answer before it is over here. */
  runs(stream: RunningStream): void;
  /** Whatever came of it; the last that is told. */
  over(): void;
  /** The answer has ended well. `home`: undefined where no target was asked. */
  keep(home: Home | undefined, told: Told): void;
  /** The call failed: what it continued can no longer be continued from a connection's own memory. */
  failed(error: ClawError): void;
}

export interface ResponseHistory {
  /** `body` is the call's JSON, parsed. Throws `previous_response_not_found` (400) and `item_not_found` (404). */
  open(call: Call, body: JsonObject): ResumedCall;
  find(id: string): KeptResponse | undefined;
  /** The items that the response was made from, oldest first, with what it referred to; each has an id. */
  inputItems(id: string): readonly JsonObject[] | undefined;
  /** Where the response is kept but here, as far as is known. */
  upstreamOf(id: string): KeptUpstream | undefined;
  /** Cuts the response where it is running: as it is then, or undefined. */
  cancel(id: string): JsonObject | undefined;
  /** Forgets it here; whether there was one. */
  delete(id: string): boolean;
  /** It is gone at its upstream too. */
  forget(id: string): void;
  /** Knows all of this one, and for its own calls also the last answer that was not to be stored: for one WebSocket. */
  session(): ConnectionHistory;
}

export interface ConnectionHistory extends ResponseHistory {
  /** The connection has closed: what only it knew is forgotten. */
  close(): void;
}
