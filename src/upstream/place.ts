/** Where a model is answered, as the messages of errors name it; knows the secrets that must not be in them. */
import { ClawError } from '../core/errors.ts';
import { namesSecret } from '../core/header-names.ts';
import { ERROR_TEXT_CHARS_MAX } from '../core/limits.ts';
import type { GatewaySpec, UpstreamSpec } from '../core/upstream-spec.ts';
import { Secrets } from '../lib/log.ts';
import { gatewayAdvice } from './gateway.ts';

/** What looks like a key, ours or not: providers echo the one they got, whole or with stars in it. */
const KEY_LIKE = /\b(?:sk|pk|rk|gsk|xai|hf|AIza)[-_][\w*.-]{4,}|\bBearer\s+[^\s"',]{4,}/gi;

/** What a place is known by. Without a model it is the server itself. */
export type PlaceSpec = Pick<UpstreamSpec, 'baseUrl' | 'apiKey' | 'headers' | 'gateway'> & {
  readonly card: { readonly provider: string; readonly id?: string };
};

export class Place {
  /** Scheme, host and port; never a path or a query. */
  readonly origin: string;
  readonly #suffix: string;
  readonly #node: string;
  readonly #provider: string;
  readonly #gateway: GatewaySpec | undefined;
  readonly #secrets = new Secrets();

  constructor(node: string, spec: PlaceSpec) {
    this.origin = new URL(spec.baseUrl).origin;
    this.#node = node;
    this.#provider = spec.card.provider;
    this.#gateway = spec.gateway;
    const model = spec.card.id === undefined ? '' : `, model ${spec.card.id}`;
    this.#suffix = ` (node ${node}, provider ${spec.card.provider}${model})`;
    if (spec.apiKey !== undefined) this.#secrets.add(spec.apiKey);
    for (const [name, value] of Object.entries(spec.headers)) {
      if (namesSecret(name)) this.#secrets.add(value);
    }
  }

  /** Our own words, and behind them where it happened. */
  say(text: string): string {
    return `${text}${this.#suffix}`;
  }

  /** An error that was thrown where nobody knew the place. */
  fault(thrown: unknown): ClawError {
    const { code, message } = ClawError.from(thrown, 'upstream_protocol', 'the reply cannot be read');
    return new ClawError(code, this.say(message), { cause: thrown });
  }

  /** The way to mend a refusal, where it is known. `said` is the upstream's own text. */
  advice(status: number, said: string): string | undefined {
    if (this.#gateway !== undefined)
      return gatewayAdvice(status, said, { node: this.#node, gateway: this.#gateway });
    if (status !== 401 && status !== 403) return undefined;
    // It is this node's, not the one that the client sent.
    return `check the apiKey of provider ${this.#provider} on node ${this.#node}; your own key is not at fault`;
  }

  /** Text of the upstream, fit to be shown: without keys and not too long. */
  quote(text: string, charsMax = ERROR_TEXT_CHARS_MAX): string {
    const clean = this.#secrets.scrub(text).replace(KEY_LIKE, '[secret]').trim();
    return clean.length <= charsMax ? clean : `${clean.slice(0, charsMax)}…`;
  }

  /** Bytes of a reply that passes: untouched, but for our key, which some servers echo in the error that ends a stream. */
  clean(bytes: Uint8Array): Uint8Array {
    return this.#secrets.scrubBytes(bytes);
  }
}
