/** From what the configuration says of models and providers to what is called: one upstream for each model. */
import type { Card } from '../core/card.ts';
import { SSE_EVENT_BYTES_MAX } from '../core/limits.ts';
import type { Offer, UpstreamSpec } from '../core/upstream-spec.ts';
import type { Secrets } from '../lib/log.ts';
import type { Environment } from './expand.ts';
import { type Gateway, gatewayOf } from './gateway.ts';
import type { OpenclawFile } from './openclaw.ts';
import { lend } from './openclaw-provider.ts';
import { isOwnProxy } from './own-proxy.ts';
import type { Config, ModelConfig, ProviderConfig } from './schema.ts';
import { discoveryOf, gatewaySpecOf, lenderOf, specOf } from './spec.ts';
import type { Warning } from './warning.ts';

export interface Resolved {
  readonly offer: Offer;
  readonly warnings: readonly Warning[];
}

/** What stands around our own configuration. */
export interface Surroundings {
  /** Absent too where nothing of ours asks for it. */
  readonly openclaw: OpenclawFile;
  readonly env: Environment;
  /** Told of each key that is found in OpenClaw's file. */
  readonly secrets: Secrets;
}

/** Whether OpenClaw's file is to be read: somebody names it, or a model has no other upstream. */
export function wantsOpenclaw(config: Config): boolean {
  return config.openclaw?.config !== undefined || config.models.some((model) => !hasOwnWay(model, config));
}

export function resolveUpstreams(config: Config, around: Surroundings): Resolved {
  const search = new Search(config, around);
  const upstreams: UpstreamSpec[] = [];
  const announced: Card[] = [];
  config.models.forEach((model, index) => {
    const spec = search.specOf(model, index);
    if (spec === undefined) return;
    upstreams.push(spec);
    const share = model.share ?? (spec.gateway === undefined ? 'mesh' : 'none');
    if (share === 'mesh') announced.push(spec.card);
  });
  const discoveries = Object.entries(config.providers).flatMap(([name, provider]) =>
    provider.discover === true && !isOwnProxy(provider.baseUrl, config.proxy)
      ? [discoveryOf(name, provider, config)]
      : [],
  );
  return {
    offer: { upstreams, announced, discoveries, looksAround: isBare(config) },
    warnings: [
      ...eventsForHere(config),
      ...ownListed(config),
      ...unusedFile(config, around.openclaw),
      ...search.warnings,
    ],
  };
}

/** Where each model is answered: its own address, its provider's, what OpenClaw says of that, OpenClaw's gateway. */
class Search {
  readonly warnings: Warning[] = [];
  readonly #config: Config;
  readonly #around: Surroundings;
  #gateway: Gateway | undefined;

  constructor(config: Config, around: Surroundings) {
    this.#config = config;
    this.#around = around;
  }

  /** Undefined where the model is not offered; the reason is in the warnings. */
  specOf(model: ModelConfig, index: number): UpstreamSpec | undefined {
    const at = `models[${index}] (${model.provider}/${model.id})`;
    const spec = this.#found(model, at);
    if (spec === undefined || !isOwnProxy(spec.baseUrl, this.#config.proxy)) return spec;
    return this.#refuse({
      what: `${at} is not offered: ${new URL(spec.baseUrl).origin} is this node's own proxy, which would ask itself`,
      mend: `give it, or "${model.provider}", the "baseUrl" of the server that runs it`,
    });
  }

  #found(model: ModelConfig, at: string): UpstreamSpec | undefined {
    const config = this.#config;
    if (!hasOwnWay(model, config)) return this.#borrowed(model, at);
    const provider = providerOf(model, config);
    const baseUrl = model.baseUrl ?? provider?.baseUrl ?? '';
    const lender = provider !== undefined && sameOrigin(baseUrl, provider.baseUrl) ? provider : undefined;
    if (lender === undefined && provider?.apiKey !== undefined && model.apiKey === undefined)
      this.warnings.push(keyStays(model, at));
    return specOf({ model, baseUrl, lender: lender && lenderOf(lender), config });
  }

  #borrowed(model: ModelConfig, at: string): UpstreamSpec | undefined {
    const { openclaw } = this.#around;
    const { id, provider } = model;
    if (openclaw.kind === 'absent') return this.#byGateway(model, at);
    if (openclaw.kind !== 'read')
      return this.#refuse({
        what:
          `${at} is not offered: it has no "baseUrl", "${provider}" is not in "providers", ` +
          `and OpenClaw's configuration ${openclaw.path} cannot be used: ${openclaw.why}`,
      });
    const wanted = { provider, id, hasKey: model.apiKey !== undefined, hasApi: model.api !== undefined };
    const loan = lend(openclaw.root, wanted, this.#around);
    switch (loan.kind) {
      case 'lent': {
        const { lender } = loan;
        return specOf({ model, baseUrl: lender.baseUrl, lender, config: this.#config });
      }
      case 'refused':
        return this.#refuse({
          what: `${at} is not offered: models.providers.${provider} in ${openclaw.path} cannot be used: ${loan.why}`,
          mend: `mend it there, or describe "${provider}" in "providers"`,
        });
      case 'none':
        return this.#byGateway(model, at);
    }
  }

  #byGateway(model: ModelConfig, at: string): UpstreamSpec | undefined {
    const { openclaw } = this.#around;
    const written = this.#config.openclaw?.gateway;
    if (written === undefined) return this.#refuse(noUpstream(model, at, openclaw));
    // It travels in a header.
    if (!/^[\x21-\x7e]+$/.test(model.id))
      return this.#refuse({
        what: `${at} is not offered: OpenClaw's gateway takes no such letters in a model's name`,
      });
    if (model.apiKey !== undefined || model.headers !== undefined)
      this.warnings.push({
        what: `${at} is answered by OpenClaw's gateway, which gets neither the model's "apiKey" nor its "headers"`,
        mend: 'give the model a "baseUrl" to use them',
      });
    this.#gateway ??= this.#openGateway(written);
    return gatewaySpecOf(model, this.#gateway, this.#config);
  }

  #openGateway(written: Parameters<typeof gatewayOf>[0]): Gateway {
    const { openclaw: file, env, secrets } = this.#around;
    const gateway = gatewayOf(written, { file, env, secrets });
    this.warnings.push(...gateway.warnings);
    return gateway;
  }

  #refuse(warning: Warning): undefined {
    this.warnings.push(warning);
  }
}

function isBare({ models, peers, providers }: Config): boolean {
  return models.length === 0 && peers.length === 0 && Object.keys(providers).length === 0;
}

function hasOwnWay(model: ModelConfig, config: Config): boolean {
  return model.baseUrl !== undefined || providerOf(model, config) !== undefined;
}

function providerOf({ provider }: ModelConfig, { providers }: Config): ProviderConfig | undefined {
  return Object.hasOwn(providers, provider) ? providers[provider] : undefined;
}

function sameOrigin(one: string, other: string): boolean {
  return new URL(one).origin === new URL(other).origin;
}

function noUpstream({ provider }: ModelConfig, at: string, openclaw: OpenclawFile): Warning {
  const gateway =
    openclaw.kind === 'read' ? ', or let OpenClaw\'s gateway answer it: "openclaw": { "gateway": {} }' : '';
  return {
    what: `${at} has no upstream and is not offered`,
    mend: `give it a "baseUrl", or describe "${provider}" in "providers"${gateway}`,
  };
}

function keyStays({ provider }: ModelConfig, at: string): Warning {
  return {
    what: `${at} has a "baseUrl" of another host than providers.${provider}, whose key is not sent there`,
    mend: 'give the model an "apiKey" of its own if it needs one',
  };
}

function ownListed({ providers, proxy }: Config): Warning[] {
  return Object.entries(providers)
    .filter(([, { discover, baseUrl }]) => discover === true && isOwnProxy(baseUrl, proxy))
    .map(([name]) => ({
      what: `providers.${name} is this node's own proxy, whose models are not discovered`,
      mend: `give "${name}" the "baseUrl" of a server that runs models`,
    }));
}

/** Named, at fault, and no model asks for it: those that do tell of it themselves. */
function unusedFile(config: Config, file: OpenclawFile): Warning[] {
  if (file.kind !== 'malformed' || config.models.some((model) => !hasOwnWay(model, config))) return [];
  return [
    { what: `OpenClaw's configuration ${file.path} cannot be used: ${file.why}; no model needs it yet` },
  ];
}

/** Events that no other node takes. */
function eventsForHere(config: Config): Warning[] {
  if (config.limits.sseEventBytesMax <= SSE_EVENT_BYTES_MAX) return [];
  return [
    {
      what:
        `limits.sseEventBytesMax is over ${SSE_EVENT_BYTES_MAX}: other nodes hold no more of one event, ` +
        'so a longer one reaches only the clients of this node',
    },
  ];
}
