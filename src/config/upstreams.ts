/** From what the configuration says of models and providers to what is called: one upstream for each model. Pure. */

import type { Dialect, Headers } from '../core/call.ts';
import type { Card } from '../core/card.ts';
import { SSE_EVENT_BYTES_MAX } from '../core/limits.ts';
import type { UpstreamSpec } from '../core/upstream-spec.ts';
import { API_NAMES } from '../core/views.ts';
import type { Config, ModelConfig, ProviderConfig } from './schema.ts';

export interface Resolved {
  readonly upstreams: readonly UpstreamSpec[];
  /** The cards of those that other nodes are told of. */
  readonly announced: readonly Card[];
  readonly warnings: readonly string[];
}

export function resolveUpstreams(config: Config): Resolved {
  const upstreams: UpstreamSpec[] = [];
  const announced: Card[] = [];
  const warnings = [...notYetUsed(config)];
  config.models.forEach((model, index) => {
    const provider = Object.hasOwn(config.providers, model.provider)
      ? config.providers[model.provider]
      : undefined;
    const baseUrl = model.baseUrl ?? provider?.baseUrl;
    if (baseUrl === undefined) {
      warnings.push(noUpstream(model, index));
      return;
    }
    const lender = provider !== undefined && sameOrigin(baseUrl, provider.baseUrl) ? provider : undefined;
    if (lender === undefined && provider !== undefined && lacksKey(model, provider))
      warnings.push(keyStays(model, index));
    const upstream = specOf({ model, lender, baseUrl, config });
    upstreams.push(upstream);
    if (model.share === 'mesh') announced.push(upstream.card);
  });
  return { upstreams, announced, warnings };
}

interface Parts {
  readonly model: ModelConfig;
  /** The provider, where the model is called at its origin: its key and headers are for no other. */
  readonly lender: ProviderConfig | undefined;
  readonly baseUrl: string;
  readonly config: Config;
}

function specOf({ model, lender, baseUrl, config }: Parts): UpstreamSpec {
  const apiKey = model.apiKey ?? lender?.apiKey;
  const headers: Headers = { ...lender?.headers, ...model.headers };
  return {
    card: cardOf(model, dialectOf(model.api ?? lender?.api)),
    baseUrl,
    ...(apiKey === undefined ? {} : { apiKey }),
    headers,
    silenceMs: model.timeouts?.upstreamMs ?? lender?.timeouts?.upstreamMs ?? config.timeouts.upstreamMs,
    eventBytesMax: config.limits.sseEventBytesMax,
  };
}

function cardOf(model: ModelConfig, dialect: Dialect): Card {
  const { id, provider, description, contextWindow, maxTokens, input, reasoning, cost } = model;
  return {
    id,
    provider,
    dialect,
    ...(description === undefined ? {} : { description }),
    ...(contextWindow === undefined ? {} : { contextWindow }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(input === undefined ? {} : { input }),
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(cost === undefined ? {} : { cost }),
  };
}

function dialectOf(api: ModelConfig['api']): Dialect {
  return api === API_NAMES.responses ? 'responses' : 'chat';
}

function sameOrigin(one: string, other: string): boolean {
  return new URL(one).origin === new URL(other).origin;
}

function lacksKey(model: ModelConfig, provider: ProviderConfig): boolean {
  return model.apiKey === undefined && provider.apiKey !== undefined;
}

function noUpstream(model: ModelConfig, index: number): string {
  const { provider, id } = model;
  return (
    `models[${index}] (${provider}/${id}) has no upstream and is not offered: ` +
    `give it a "baseUrl", or describe "${provider}" in "providers"`
  );
}

function keyStays(model: ModelConfig, index: number): string {
  const { provider, id } = model;
  return (
    `models[${index}] (${provider}/${id}) has a "baseUrl" of another host than providers.${provider}, ` +
    'whose key is not sent there: give the model an "apiKey" of its own if it needs one'
  );
}

function notYetUsed(config: Config): string[] {
  const warnings: string[] = [];
  if (config.openclaw !== undefined)
    warnings.push(
      '"openclaw" is not yet used by this version: neither its models nor its gateway are called',
    );
  for (const [name, provider] of Object.entries(config.providers)) {
    if (provider.discover === true)
      warnings.push(
        `providers.${name}.discover is not yet used by this version: list its models in "models"`,
      );
  }
  if (config.proxyModels.length > 0)
    warnings.push(
      '"proxyModels" is not yet used by this version: every model is listed as its owner describes it',
    );
  if (config.limits.sseEventBytesMax > SSE_EVENT_BYTES_MAX)
    warnings.push(
      `limits.sseEventBytesMax is over ${SSE_EVENT_BYTES_MAX}: other nodes hold no more of one event, ` +
        'so a longer one reaches only the clients of this node',
    );
  return warnings;
}
