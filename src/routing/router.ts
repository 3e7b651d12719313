/** The `Answer` that finds out who can answer, has one after the other asked, and knows what is in flight. Never sees a socket. */
import type { Answer, Call, Dialect, Reply, Target } from '../core/call.ts';
import type { Card } from '../core/card.ts';
import { assertNever, ClawError } from '../core/errors.ts';
import { ROUTE_HEADER } from '../core/header-names.ts';
import { changed } from '../lib/changed.ts';
import type { Clock } from '../lib/clock.ts';
import type { StopSignal } from '../lib/signals.ts';
import type { Catalog } from './catalog.ts';
import { fitTargets, homeTarget } from './fit-targets.ts';
import { Health } from './health.ts';
import { pick } from './pick.ts';
import { type Resolution, resolve } from './resolve.ts';
import { Tries, type TriesParts } from './tries.ts';

export interface RouterParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** This node's name. */
  readonly entry: string;
  /** Wraps a target whose upstream speaks another dialect than the client; the same one costs nothing. */
  readonly translate: (answer: Answer, from: Dialect, to: Card) => Answer;
  /** Whether the first events of a stream hold nothing of an answer yet. */
  readonly isPrelude: (events: Uint8Array, dialect: Dialect) => boolean;
}

export class Router {
  readonly #parts: RouterParts;
  readonly #health: Health;
  readonly #tries: TriesParts;
  /** By node, provider and id: the catalog makes new targets whenever it changes. */
  readonly #inFlight = new Map<string, number>();

  constructor(parts: RouterParts) {
    this.#parts = parts;
    this.#health = new Health(parts.clock);
    const condition = {
      isFit: (target: Target) => this.#health.isFit(target),
      inFlight: (target: Target) => this.#inFlight.get(keyOf(target)) ?? 0,
    };
    this.#tries = {
      clock: parts.clock,
      entry: parts.entry,
      pick: (targets) => pick(targets, condition),
      ask: (target, call, signal, route) => this.#ask(target, call, signal, route),
      isPrelude: parts.isPrelude,
    };
  }

  /** Calls of this node's clients that are running. */
  get openCalls(): number {
    let open = 0;
    for (const count of this.#inFlight.values()) open += count;
    return open;
  }

  readonly answer: Answer = async (call, signal) =>
    new Tries(this.#tries, this.#targetsOf(call), call, signal).answer();

  /** The targets that a call for this name could go to now; none where it would be refused. */
  live(text: string): readonly Target[] {
    const { catalog } = this.#parts;
    const found = resolve(text, catalog.callable);
    return catalog.live(text) ?? (found.kind === 'found' ? found.targets : []);
  }

  async #ask(target: Target, call: Call, signal: StopSignal, route: string): Promise<Reply> {
    const { clock, translate } = this.#parts;
    const { id, provider, dialect } = target.card;
    call.report({ kind: 'trying', route, target: { node: target.node, provider, id }, dialect });
    this.#health.began(target);
    const answer = translate(target.answer, call.dialect, target.card);
    const startedAt = clock.now();
    const done = this.#count(keyOf(target));
    try {
      const reply = await answer(changed(call, { model: { id, provider } }), signal);
      this.#health.answered(target, reply);
      void reply.ended.then((outcome) => {
        done();
        if (outcome.kind === 'failed') this.#health.failed(target, outcome.error);
      });
      const timing = `owner;dur=${(clock.now() - startedAt).toFixed(1)}`;
      const headers = changed(reply.headers, { [ROUTE_HEADER]: route, 'server-timing': timing });
      return changed(reply, { headers });
    } catch (thrown) {
      done();
      const error = ClawError.from(thrown, 'internal', 'the call could not be answered');
      this.#health.failed(target, error);
      throw error;
    }
  }

  #targetsOf(call: Call): readonly Target[] {
    if (call.home !== undefined) return homeTarget(call.home, this.#parts.catalog);
    return fitTargets(this.#targets(call.model.id), call);
  }

  #targets(text: string): readonly Target[] {
    const { catalog } = this.#parts;
    const exact = catalog.live(text);
    if (exact !== undefined) return exact;
    const found = resolve(text, catalog.callable);
    if (found.kind === 'found') return found.targets;
    const pin = catalog.words.pinOf(text);
    throw pin === undefined || found.kind === 'ambiguous' ? errorOf(text, found) : pinnedError(text, pin);
  }

  #count(key: string): () => void {
    this.#inFlight.set(key, (this.#inFlight.get(key) ?? 0) + 1);
    return () => {
      const left = (this.#inFlight.get(key) ?? 1) - 1;
      if (left === 0) this.#inFlight.delete(key);
      else this.#inFlight.set(key, left);
    };
  }
}

function keyOf({ node, card }: Target): string {
  return `${node}/${card.provider}/${card.id}`;
}

function errorOf(text: string, found: Exclude<Resolution, { kind: 'found' }>): ClawError {
  switch (found.kind) {
    case 'offline': {
      const nodes = found.nodes.join(', ');
      return new ClawError(
        'no_owner',
        `model ${text} is on node ${nodes}, which takes no calls at present: it is down, or stopping`,
        {
          param: 'model',
        },
      );
    }
    case 'ambiguous':
      return new ClawError(
        'model_ambiguous',
        `model ${text} can mean ${found.names.join(' or ')}: write one of these`,
        {
          param: 'model',
        },
      );
    case 'unknown': {
      const hint = hintOf(found);
      return new ClawError('model_not_found', `no model ${text}: ${hint}; "clawmatrix models" lists all`, {
        param: 'model',
      });
    }
    default:
      return assertNever(found);
  }
}

function pinnedError(text: string, node: string): ClawError {
  const message =
    `model ${text} is pinned to node ${node} by "proxyModels" of this one, ` +
    'and that node is down, is stopping, or does not have it';
  return new ClawError('no_owner', message, { param: 'model' });
}

function hintOf({ nearest, known }: Extract<Resolution, { kind: 'unknown' }>): string {
  if (known === 0) return 'no model is known yet';
  return nearest.length === 0 ? 'no name is like it' : `the nearest names are ${nearest.join(', ')}`;
}
