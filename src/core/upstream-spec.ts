/** One model of this node and where it is answered: what the configuration comes to, and all that `upstream` needs. */
import type { Headers } from './call.ts';
import type { Card } from './card.ts';

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
}
