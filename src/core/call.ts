/** The shape that flows through everything: a `Call` goes in, a `Reply` comes out. */
import type { StopSignal } from '../lib/signals.ts';
import type { Card } from './card.ts';
import type { Dialect } from './dialect.ts';
import type { ClawError } from './errors.ts';
import { HOPS_HEADER, LEFT_OUT_HEADER } from './header-names.ts';
import type { CallId, NodeId } from './ids.ts';
import { OPERATION_QUERY_CHARS_MAX } from './limits.ts';

export type { Dialect };

/** Lower-case names, one value each. */
export type Headers = Readonly<Record<string, string>>;

/** Which model: as the client wrote it until the router has resolved it, the card's own id and provider after. */
export interface ModelRef {
  readonly id: string;
  readonly provider?: string;
}

/** One place that can answer, by name: what is left of a `Target` when the catalog has changed. */
export interface TargetKey {
  readonly node: NodeId;
  readonly provider: string;
  readonly id: string;
}

/**
 * What is asked beside a new answer: the other resources of the Responses API. `compact` and `input_tokens` have a body as
 * a call has; the rest name a response that the target keeps, and their body is `{}` with the model in it.
 */
export type Operation =
  | { readonly kind: 'compact' | 'input_tokens' }
  | {
      readonly kind: 'retrieve' | 'delete' | 'cancel' | 'input_items';
      readonly responseId: string;
      /** Behind the `?`, without it; empty where there is none. */
      readonly query: string;
    };

/** Whether that can stand behind a `?`: printable, and nothing that ends it. */
export function isQuery(text: string): boolean {
  return text.length <= OPERATION_QUERY_CHARS_MAX && /^[\x21\x24-\x7e]*$/.test(text);
}

export interface Call {
  readonly id: CallId;
  /** The entry: the node whose proxy was called. */
  readonly origin: NodeId;
  readonly dialect: Dialect;
  readonly model: ModelRef;
  /** Whether the client asked for a stream of events; decides the form of the reply. */
  readonly stream: boolean;
  /** Only names in `CALL_HEADERS`. */
  readonly headers: Headers;
  /** The whole JSON, in the call's dialect. Nobody writes into it. */
  readonly body: Uint8Array;
  /** Groups the calls of one conversation. */
  readonly session?: string;
  /** Absent: a new answer. */
  readonly operation?: Operation;
  /** The only target that can answer: it keeps what the call refers to. */
  readonly home?: TargetKey;
  /** The response that the conversation goes on from, as the client named it. The body need not name it any more. */
  readonly continues?: string;
  /** With a `home`: the same call with all that it refers to written out, for a home that knows nothing of it any more. */
  readonly writtenOut?: () => Call;
  /** Another target is asked where this one refuses: it is not to wait for what that one may have. Absent: it is the last. */
  readonly others?: boolean;
  /** Told of whatever shows that the call is alive. */
  readonly report: (progress: Progress) => void;
}

/** What a waiting client can be told. */
export type Progress =
  /** The target that is being tried, also as the route header writes it. */
  | {
      readonly kind: 'trying';
      readonly route: string;
      readonly target: TargetKey;
      /** What its upstream speaks. */
      readonly dialect: Dialect;
    }
  | { readonly kind: 'accepted' }
  | Standing;

/** What an owner that has taken a call does before its answer begins. */
export type Standing =
  | { readonly kind: 'waiting' }
  /** The upstream loads the model. */
  | { readonly kind: 'loading' }
  /** The upstream reads the prompt; in tokens. */
  | { readonly kind: 'prefill'; readonly done: number; readonly total: number };

/**
 * A reply with a status below 400 holds what the call asked for. One of 400 and above is the upstream's own refusal:
 * its body is an `ErrorBody` as JSON, the same in every dialect, and is small.
 */
export interface Reply {
  readonly status: number;
  /** Only names in `REPLY_HEADERS`, and what nodes add on the way. */
  readonly headers: Headers;
  /**
   * In the call's dialect. Pulled, never pushed. Ends normally only when the reply is whole, else throws a `ClawError`.
   * In a stream each chunk holds whole events, so that an error event may follow any of them.
   * It must be iterated or left (`return`): that is what frees its source.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** Settles once, when the body has ended, failed or been left. Never rejects. */
  readonly ended: Promise<Outcome>;
}

export type Outcome =
  | { readonly kind: 'complete'; readonly bytes: number; readonly finish?: string; readonly usage?: Usage }
  | { readonly kind: 'failed'; readonly bytes: number; readonly error: ClawError }
  /** The client left: no failure of anyone. */
  | { readonly kind: 'cancelled'; readonly bytes: number };

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/**
 * Answers a call, or throws a `ClawError` while there is no reply yet. `signal` governs the whole life of the call, the
 * body included: when it aborts, the upstream's connection is closed.
 */
export type Answer = (call: Call, signal: StopSignal) => Promise<Reply>;

/** One place that can answer a call: a local upstream or a remote owner. */
export interface Target {
  readonly card: Card;
  readonly node: NodeId;
  /** The node's name, for people. */
  readonly nodeName: string;
  readonly place: 'local' | 'remote';
  readonly answer: Answer;
}

/** Headers of the client that reach the upstream: they steer caches and sessions, and grant nothing. */
export const CALL_HEADERS: readonly string[] = [
  'x-session-affinity',
  'x-session-id',
  'session_id',
  'session-id',
  'x-client-request-id',
  'openai-beta',
  HOPS_HEADER,
];

/** Headers of the upstream that reach the client: what clients act on (form, retry, rate), and what its owner says of it. */
export const REPLY_HEADERS: readonly string[] = [
  'content-type',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'openai-processing-ms',
  'x-ratelimit-limit-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-requests',
  'x-ratelimit-reset-tokens',
  LEFT_OUT_HEADER,
];
