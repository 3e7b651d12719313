/**
 * The one shape that all dialects translate through: richer than each, owned by none.
 * A conversation is a list of turns, an answer a list of items, a stream of it the same items one after the other.
 * What only one dialect can say travels in `extras` and `hosted`, so that the others can refuse or leave it knowingly.
 */
import type { Dialect } from '../core/call.ts';
import type { JsonObject } from '../lib/json.ts';
import type {
  HubAnnotation,
  HubBlob,
  HubCall,
  HubCallKind,
  HubHostedItem,
  HubItem,
  HubLogprob,
} from './hub-item.ts';

// --- The request ----------------------------------------------------------------------------------------------------

export interface HubRequest {
  /** As the client named it. */
  readonly model: string;
  /** Said before all turns, where the dialect has a place of its own for it. */
  readonly instructions?: string;
  readonly turns: readonly HubTurn[];
  readonly tools: readonly HubTool[];
  /** Tools that the conversation itself told of, behind those declared: found by a search, or handed in on the way. */
  readonly addedTools?: readonly HubTool[];
  readonly toolChoice?: HubToolChoice;
  readonly parallelToolCalls?: boolean;
  /** The client reads one call of an answer and no id of it: the form of chat before there were tools. */
  readonly singleCall?: boolean;
  readonly sampling: HubSampling;
  readonly outputTokensMax?: number;
  readonly format?: HubFormat;
  readonly verbosity?: string;
  readonly reasoning?: HubReasoningWish;
  /** Asked for the probability of each token, with so many alternatives. */
  readonly logprobs?: { readonly top: number };
  readonly stream: boolean;
  /** Asked for the usage inside the stream, where the dialect leaves that to the client. */
  readonly streamUsage: boolean;
  readonly store?: boolean;
  /** The response that the conversation goes on from, as the client named it; all that it holds is in `turns`. */
  readonly continues?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly safetyIdentifier?: string;
  readonly promptCacheKey?: string;
  readonly promptCacheRetention?: string;
  readonly serviceTier?: string;
  readonly extras: readonly HubExtra[];
}

/** A parameter that one dialect alone can say. */
export interface HubExtra {
  readonly dialect: Dialect;
  /** As in the request, for the error: `previous_response_id`, `messages[2].audio`. */
  readonly param: string;
  readonly value: unknown;
  /** Whether the answer would be another one without it: other dialects must then refuse the request. */
  readonly needed: boolean;
  /** What a client can send in its place. */
  readonly instead?: string;
}

export interface HubSampling {
  readonly temperature?: number;
  readonly topP?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
}

export interface HubReasoningWish {
  readonly effort?: string;
  readonly summary?: string;
  /** Asked for the opaque blob that carries the reasoning to the next turn. */
  readonly blob?: boolean;
}

export type HubFormat =
  | { readonly kind: 'text' }
  | { readonly kind: 'json' }
  | {
      readonly kind: 'schema';
      readonly name: string;
      readonly description?: string;
      readonly schema: JsonObject;
      readonly strict?: boolean;
    };

export type HubTurn =
  | { readonly role: 'system' | 'developer' | 'user'; readonly parts: readonly HubPart[] }
  | { readonly role: 'assistant'; readonly items: readonly HubItem[] }
  /** The result of one call. */
  | {
      readonly role: 'tool';
      readonly kind: HubCallKind;
      readonly callId: string;
      readonly parts: readonly HubPart[];
    };

/** What a user, a system or a tool can say. `param` is the part's place in the request, for errors. */
export type HubPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'image'; readonly source: HubSource; readonly detail?: string; readonly param: string }
  | { readonly kind: 'file'; readonly source: HubSource; readonly filename?: string; readonly param: string }
  | { readonly kind: 'audio'; readonly data: string; readonly format: string; readonly param: string };

/** Data is inline, as a `data:` URL or plain base64; an id is known to one provider alone. */
export type HubSource =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'data'; readonly data: string }
  | { readonly kind: 'id'; readonly id: string };

export type HubTool = HubFunctionTool | HubCustomTool | HubHostedTool | HubNamespace;

export interface HubFunctionTool {
  readonly kind: 'function';
  readonly name: string;
  readonly description?: string;
  readonly parameters?: JsonObject;
  readonly strict?: boolean;
  /** Not to be shown to the model before a search has found it. */
  readonly deferred?: boolean;
}

/** Takes free text, by a grammar where it has one. */
export interface HubCustomTool {
  readonly kind: 'custom';
  readonly name: string;
  readonly description?: string;
  readonly format?: HubGrammar;
  readonly deferred?: boolean;
}

/** Run by the provider: as it was written. `param` is its place in the request. */
export interface HubHostedTool {
  readonly kind: 'hosted';
  readonly type: string;
  readonly raw: JsonObject;
  readonly param: string;
}

/** Tools under one name: a call says the name of its tool and of the namespace. */
export interface HubNamespace {
  readonly kind: 'namespace';
  readonly name: string;
  readonly description?: string;
  readonly tools: readonly (HubFunctionTool | HubCustomTool | HubHostedTool)[];
}

export type HubGrammar =
  | { readonly kind: 'text' }
  | { readonly kind: 'grammar'; readonly syntax: string; readonly definition: string };

export type HubToolChoice =
  | { readonly kind: 'none' | 'auto' | 'required' }
  | HubToolName
  | { readonly kind: 'allowed'; readonly required: boolean; readonly tools: readonly HubToolName[] };

/** One tool of those declared. */
export type HubToolName =
  | { readonly kind: 'function' | 'custom'; readonly name: string; readonly namespace?: string }
  | { readonly kind: 'hosted'; readonly raw: JsonObject };

// --- The reply ------------------------------------------------------------------------------------------------------

export type HubReply = HubAnswer | { readonly kind: 'failed'; readonly failure: HubFailure };

export interface HubAnswer {
  readonly kind: 'answer';
  readonly items: readonly HubItem[];
  readonly ending: HubEnding;
  readonly usage?: HubUsage;
  readonly serviceTier?: string;
}

/** Whole; whole and wants calls made; cut by a limit; cut by a filter. */
export type HubEnding = 'stop' | 'calls' | 'length' | 'filter';

/** What the upstream says of its own failure. */
export interface HubFailure {
  readonly message: string;
  readonly code: string | undefined;
  readonly type: string | undefined;
  readonly param: string | undefined;
}

export interface HubUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens?: number;
  readonly reasoningTokens: number;
  /** In the provider's own money, where it tells that. */
  readonly cost?: number;
}

/**
 * The events of a stream: `started`, then each item whole before the next (`item`, its deltas, `item_done`), then one of
 * `finished` and `failed`. A function call has at least one `input` delta, and its input is never empty.
 */
export type HubEvent =
  | { readonly type: 'started' }
  | { readonly type: 'item'; readonly item: HubItemHead }
  | HubDelta
  | {
      readonly type: 'item_done';
      /** False where the answer was cut inside this item. */
      readonly complete: boolean;
      readonly blob?: HubBlob;
    }
  /** A whole item of a provider's own tool. */
  | { readonly type: 'hosted'; readonly item: HubHostedItem }
  | {
      readonly type: 'finished';
      readonly ending: HubEnding;
      readonly usage?: HubUsage;
      readonly serviceTier?: string;
    }
  | { readonly type: 'failed'; readonly failure: HubFailure };

export type HubItemHead =
  | { readonly kind: 'reasoning' }
  | { readonly kind: 'message'; readonly phase?: string }
  | Pick<HubCall, 'kind' | 'call' | 'callId' | 'name' | 'namespace'>;

export type HubDelta =
  | { readonly type: 'reasoning'; readonly of: 'summary' | 'text'; readonly text: string }
  /** The next part of a reasoning summary begins. */
  | { readonly type: 'reasoning_break' }
  | { readonly type: 'text'; readonly text: string; readonly logprobs: readonly HubLogprob[] }
  | { readonly type: 'refusal'; readonly text: string }
  | { readonly type: 'annotation'; readonly annotation: HubAnnotation }
  | { readonly type: 'input'; readonly text: string };

/** What a writer is given: a failure is told by whoever owns the connection, as it also tells failures of its own. */
export type HubProgress = Exclude<HubEvent, { type: 'failed' }>;
