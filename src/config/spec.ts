/** One model and whoever lends it an address, put together: what is called, with which key, and the card of it. Pure. */
import type { Dialect, Headers } from '../core/call.ts';
import type { Card } from '../core/card.ts';
import type { Compat } from '../core/compat.ts';
import { dialectOfApi } from '../core/dialect.ts';
import type { DiscoverySpec, UpstreamSpec } from '../core/upstream-spec.ts';
import type { Gateway } from './gateway.ts';
import type { Config, ModelConfig, ProviderConfig } from './schema.ts';

/** What a model takes from a provider wherever it says nothing of its own. */
export interface Lender {
  readonly baseUrl: string;
  readonly apiKey?: string;
  readonly dialect: Dialect;
  readonly headers: Headers;
  readonly silenceMs?: number;
  readonly traits?: Traits;
  readonly compat?: Compat;
  readonly repair?: boolean;
}

export type Traits = Partial<
  Pick<Card, 'description' | 'contextWindow' | 'maxTokens' | 'input' | 'reasoning' | 'cost'>
>;

export interface SpecParts {
  readonly model: ModelConfig;
  readonly baseUrl: string;
  /** Where the model is called at the lender's origin: its key and headers are for no other. */
  readonly lender: Lender | undefined;
  readonly config: Config;
}

export function specOf({ model, baseUrl, lender, config }: SpecParts): UpstreamSpec {
  const apiKey = model.apiKey ?? lender?.apiKey;
  const dialect = model.api === undefined ? (lender?.dialect ?? 'chat') : dialectOf(model.api);
  return {
    card: { ...keyOf(model), dialect, ...traitsOf(model, lender?.traits) },
    baseUrl,
    ...(apiKey === undefined ? {} : { apiKey }),
    headers: { ...lender?.headers, ...model.headers },
    silenceMs: model.timeouts?.upstreamMs ?? lender?.silenceMs ?? config.timeouts.upstreamMs,
    eventBytesMax: config.limits.sseEventBytesMax,
    ...waysOf(model, lender),
  };
}

/** The model's own key and headers are for its provider, so the gateway gets neither. */
export function gatewaySpecOf(model: ModelConfig, gateway: Gateway, config: Config): UpstreamSpec {
  const { baseUrl, token, agent } = gateway;
  return {
    card: { ...keyOf(model), dialect: 'chat', ...traitsOf(model, undefined), agent: true },
    baseUrl,
    ...(token === undefined ? {} : { apiKey: token }),
    headers: {},
    silenceMs: model.timeouts?.upstreamMs ?? config.timeouts.upstreamMs,
    eventBytesMax: config.limits.sseEventBytesMax,
    gateway: { agent },
  };
}

export function discoveryOf(name: string, provider: ProviderConfig, config: Config): DiscoverySpec {
  const { baseUrl, apiKey, dialect, headers, silenceMs = config.timeouts.upstreamMs } = lenderOf(provider);
  return {
    provider: name,
    baseUrl,
    ...(apiKey === undefined ? {} : { apiKey }),
    headers,
    dialect,
    silenceMs,
    eventBytesMax: config.limits.sseEventBytesMax,
    ...waysOf(provider, undefined),
  };
}

export function lenderOf(provider: ProviderConfig): Lender {
  const { baseUrl, apiKey, api, headers = {}, timeouts } = provider;
  const silenceMs = timeouts?.upstreamMs;
  return {
    baseUrl,
    ...(apiKey === undefined ? {} : { apiKey }),
    dialect: dialectOf(api),
    headers,
    ...(silenceMs === undefined ? {} : { silenceMs }),
    ...waysOf(provider, undefined),
  };
}

function dialectOf(api: ModelConfig['api']): Dialect {
  return (api === undefined ? undefined : dialectOfApi(api)) ?? 'chat';
}

function keyOf({ id, provider }: ModelConfig): Pick<Card, 'id' | 'provider'> {
  return { id, provider };
}

/** A word of the model's goes over the same word of whoever lends it an address. */
function waysOf(
  model: Pick<ModelConfig, 'compat' | 'repair'>,
  lender: Pick<Lender, 'compat' | 'repair'> | undefined,
): Pick<UpstreamSpec, 'compat' | 'repair'> {
  const repair = model.repair ?? lender?.repair;
  const compat = { ...lender?.compat, ...model.compat };
  return {
    ...(Object.keys(compat).length === 0 ? {} : { compat }),
    ...(repair === undefined ? {} : { repair }),
  };
}

function traitsOf(model: ModelConfig, lent: Traits = {}): Traits {
  const description = model.description ?? lent.description;
  const contextWindow = model.contextWindow ?? lent.contextWindow;
  const maxTokens = model.maxTokens ?? lent.maxTokens;
  const input = model.input ?? lent.input;
  const reasoning = model.reasoning ?? lent.reasoning;
  const cost = model.cost ?? lent.cost;
  return {
    ...(description === undefined ? {} : { description }),
    ...(contextWindow === undefined ? {} : { contextWindow }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(input === undefined ? {} : { input }),
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(cost === undefined ? {} : { cost }),
  };
}
