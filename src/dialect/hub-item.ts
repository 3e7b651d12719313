/** What an assistant says or does, as a list of items: the middle of the hub, in requests and replies alike. */
import type { Dialect } from '../core/call.ts';
import type { JsonObject } from '../lib/json.ts';

export type HubCallKind = 'function' | 'custom';

/** One thing that the assistant says or does. Ids are those of the dialect it was read from, and mean nothing elsewhere. */
export type HubItem = HubReasoning | HubMessage | HubCall | HubHostedItem;

export interface HubReasoning {
  readonly kind: 'reasoning';
  /** What the provider tells of the reasoning, in parts. */
  readonly summary: readonly string[];
  /** The reasoning itself, where it is shown. */
  readonly text: string;
  /** Opaque, and good only for the one who made it. */
  readonly blob?: HubBlob;
}

export interface HubBlob {
  readonly dialect: Dialect;
  /** Whose it is, where that is known: another provider of the same dialect cannot read it. */
  readonly provider?: string;
  readonly data: string;
}

export interface HubMessage {
  readonly kind: 'message';
  readonly parts: readonly HubSaid[];
  /** Commentary or final answer, where the model tells them apart. */
  readonly phase?: string;
  readonly complete: boolean;
}

export type HubSaid =
  | {
      readonly kind: 'text';
      readonly text: string;
      readonly annotations: readonly HubAnnotation[];
      readonly logprobs: readonly HubLogprob[];
    }
  | { readonly kind: 'refusal'; readonly text: string };

export interface HubCall {
  readonly kind: 'call';
  readonly call: HubCallKind;
  readonly callId: string;
  readonly name: string;
  readonly namespace?: string;
  /** JSON text of a function, never empty; free text of a custom tool. */
  readonly input: string;
  readonly complete: boolean;
}

/** What a provider's own tool did, as it was written. */
export interface HubHostedItem {
  readonly kind: 'hosted';
  readonly type: string;
  readonly raw: JsonObject;
}

export type HubAnnotation =
  | {
      readonly kind: 'url';
      readonly url: string;
      readonly title: string;
      readonly start: number;
      readonly end: number;
    }
  | { readonly kind: 'other'; readonly dialect: Dialect; readonly raw: JsonObject };

export interface HubLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[] | null;
  readonly top: readonly Omit<HubLogprob, 'top'>[];
}
