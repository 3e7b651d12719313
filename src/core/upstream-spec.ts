/** The models of this node and where each is answered: what the configuration comes to, and all that `upstream` needs. */
import type { Dialect, Headers } from './call.ts';
import type { Card } from './card.ts';
import type { Compat } from './compat.ts';

export interface UpstreamSpec {
  readonly card: Card;
  /** The API's root, without a final slash: `http://127.0.0.1:11434/v1`. http or https, no user information. */
  readonly baseUrl: string;
  /** Sent as `Authorization: Bearer`, to this origin and nowhere else. */
  readonly apiKey?: string;
  /** Of the provider, overridden by the model's. */
  readonly headers: Headers;
  /** The guard: the longest silence of the upstream. */
  readonly silenceMs: number;
  readonly eventBytesMax: number;
  /** As configured, over what is known of the server. */
  readonly compat?: Compat;
  /** Whether what the server gets wrong is mended; left out: unless it is OpenAI itself. */
  readonly repair?: boolean;
  /** Behind `baseUrl` is an OpenClaw gateway: an agent is asked, and told which model to use. */
  readonly gateway?: GatewaySpec;
}

export interface GatewaySpec {
  /** In a form that the gateway takes: `openclaw/default`. */
  readonly agent: string;
}

/** A server that is asked which models it has; each that is not configured by hand becomes one of this node's. */
export interface DiscoverySpec {
  readonly provider: string;
  readonly baseUrl: string;
  readonly apiKey?: string;
  readonly headers: Headers;
  readonly dialect: Dialect;
  readonly silenceMs: number;
  readonly eventBytesMax: number;
  readonly compat?: Compat;
  readonly repair?: boolean;
}

/** All that this node has to offer, as the configuration says it. */
export interface Offer {
  /** One for each configured model that can be called. */
  readonly upstreams: readonly UpstreamSpec[];
  /** The cards among them that other nodes are told of. What is discovered is told of too. */
  readonly announced: readonly Card[];
  readonly discoveries: readonly DiscoverySpec[];
  /** Nothing is configured: the usual ports of this machine are looked at, and `echo` is there until one answers. */
  readonly looksAround: boolean;
}
