/** The models that this node answers itself, configured and found. Owns which they are now, and who answers them. */
import type { Answer, ModelRef } from '../core/call.ts';
import type { Card } from '../core/card.ts';
import { CARDS_PER_NODE_MAX } from '../core/limits.ts';
import type { Offer, UpstreamSpec } from '../core/upstream-spec.ts';
import type { DialectTools } from '../dialect/shape.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { compatOf, serverOfHost, serverOfName } from './compat/known-servers.ts';
import { ServerProbes } from './compat/server-probes.ts';
import { Discovery } from './discovery.ts';
import { DiscoveryRounds } from './discovery-rounds.ts';
import { echoAnswer, echoCard } from './echo.ts';
import { HttpGetter } from './http-get.ts';
import { LOCAL_SERVERS, type LocalServer, lookAt } from './local-servers.ts';
import { shared } from './shared.ts';
import { Upstreams } from './upstream.ts';

export interface OwnModelsParts {
  /** This node's name, for messages. */
  readonly nodeName: string;
  readonly clock: Clock;
  readonly tools: DialectTools;
  readonly log: Log;
  /** The longest silence of a server that was found, not configured. */
  readonly silenceMs: number;
  /** `cards` and `announced` have changed. */
  readonly onChange: () => void;
  /** The node's own proxy is no model server, whichever port it has. */
  readonly proxyPort: number;
  /** Where nothing is configured. */
  readonly localServers?: readonly LocalServer[];
}

export class OwnModels {
  readonly #offer: Offer;
  readonly #parts: OwnModelsParts;
  readonly #upstreams: Upstreams;
  readonly #getter: HttpGetter;
  readonly #rounds: DiscoveryRounds;
  readonly #probes: ServerProbes;
  readonly #echo: Answer;
  #found: readonly UpstreamSpec[] = [];
  /** What all of them came to, and was told to the upstreams. */
  #told = '';
  #answerShared: Answer;
  #leftOut = 0;

  constructor(offer: Offer, parts: OwnModelsParts) {
    const { nodeName, clock, log, tools, silenceMs } = parts;
    this.#offer = offer;
    this.#parts = parts;
    this.#echo = echoAnswer(tools);
    this.#getter = new HttpGetter(clock);
    const asking = { nodeName, getter: this.#getter, log };
    const listed = new Set(offer.discoveries.map(({ baseUrl }) => baseUrl));
    this.#probes = new ServerProbes(offer.upstreams, listed, {
      ...asking,
      clock,
      onKnown: () => this.#looked(),
    });
    const named = offer.discoveries.map((spec) => new Discovery(spec, 'named', asking));
    const bounds = { silenceMs, eventBytesMax: tools.eventBytesMax };
    const usual = this.#usualServers().map(
      (server) => new Discovery(lookAt(server, bounds), 'usual', asking),
    );
    this.#rounds = new DiscoveryRounds([...named, ...usual], { clock, onLook: () => this.#looked() });
    this.#upstreams = new Upstreams(this.#fitted(offer.upstreams), { nodeName, clock });
    this.#answerShared = this.#sharing();
  }

  /** All that this node answers now. */
  get cards(): readonly Card[] {
    return this.#isBare ? [echoCard] : this.#upstreams.cards;
  }

  /** Those of them that other nodes are told of: a found model is shared as a configured one is. */
  get announced(): readonly Card[] {
    return [...this.#offer.announced, ...this.#found.map(({ card }) => card)];
  }

  /** Answers a call for any of the cards. */
  readonly answer: Answer = (call, signal) =>
    this.#offer.looksAround && isEcho(call.model)
      ? this.#echo(call, signal)
      : this.#upstreams.answer(call, signal);

  /** Answers a call for what is announced at its moment. */
  readonly answerShared: Answer = (call, signal) => this.#answerShared(call, signal);

  /** Looks for models, for a bounded time; what is found later is told by `onChange`. */
  async start(): Promise<void> {
    this.#probes.start();
    await this.#rounds.start();
    if (!this.#isBare) return;
    const ports = this.#usualServers().map(({ provider, port }) => `${provider} ${port}`);
    this.#parts.log.info(
      { looked: ports.join(', ') },
      'no models found on this machine yet: the built-in model echo is there',
    );
  }

  /** Looks no more, and cuts the calls that still run. */
  async close(): Promise<void> {
    await this.#rounds.close();
    await this.#probes.close();
    await this.#getter.close();
    await this.#upstreams.close();
  }

  /** Nothing is configured, and nothing has been found yet. */
  get #isBare(): boolean {
    return this.#offer.looksAround && this.#upstreams.cards.length === 0;
  }

  #usualServers(): readonly LocalServer[] {
    const { localServers = LOCAL_SERVERS, proxyPort } = this.#parts;
    return this.#offer.looksAround ? localServers.filter(({ port }) => port !== proxyPort) : [];
  }

  #looked(): void {
    const { upstreams } = this.#offer;
    const configured = new Set(upstreams.map(({ card }) => keyOf(card)));
    const fresh = this.#rounds.found.filter(({ card }) => !configured.has(keyOf(card)));
    const found = fresh.slice(0, Math.max(0, CARDS_PER_NODE_MAX - upstreams.length));
    this.#tellLeftOut(fresh.slice(found.length));
    const fitted = this.#fitted([...upstreams, ...found]);
    if (specsText(fitted) === this.#told) return;
    this.#told = specsText(fitted);
    this.#upstreams.replace(fitted);
    // What a server turns out to be changes what it is sent, and no card.
    if (cardsText(found) === cardsText(this.#found)) return;
    this.#found = found;
    this.#answerShared = this.#sharing();
    this.#parts.onChange();
  }

  /** Each with what is known of its server: by its host, by its own word, or else by what people call it. */
  #fitted(specs: readonly UpstreamSpec[]): readonly UpstreamSpec[] {
    return specs.map((spec) => {
      const { baseUrl, card } = spec;
      if (spec.gateway !== undefined) return spec;
      const said = this.#rounds.serverAt(baseUrl) ?? this.#probes.serverAt(baseUrl);
      const server = serverOfHost(baseUrl) ?? said ?? serverOfName(baseUrl, card.provider);
      const compat = compatOf(server, card.dialect, spec.compat);
      return compat === undefined ? spec : { ...spec, compat };
    });
  }

  #sharing(): Answer {
    return shared(this.#upstreams.answer, this.announced, this.#parts.nodeName);
  }

  /** Once for each change of how many, not once a round. */
  #tellLeftOut(specs: readonly UpstreamSpec[]): void {
    if (specs.length === this.#leftOut) return;
    this.#leftOut = specs.length;
    if (specs.length === 0) return;
    const providers = [...new Set(specs.map(({ card }) => card.provider))].join(', ');
    this.#parts.log.warn(
      { leftOut: specs.length, of: providers },
      `models left out: a node has ${CARDS_PER_NODE_MAX} at most; name those that you want in "models" in place of "discover"`,
    );
  }
}

function isEcho({ id, provider }: ModelRef): boolean {
  return id === echoCard.id && (provider ?? echoCard.provider) === echoCard.provider;
}

function keyOf({ provider, id }: Card): string {
  return `${provider}/${id}`;
}

function specsText(specs: readonly UpstreamSpec[]): string {
  return JSON.stringify(specs.map(({ card, compat }) => [card, compat]));
}

function cardsText(specs: readonly UpstreamSpec[]): string {
  return JSON.stringify(specs.map(({ card }) => card));
}
