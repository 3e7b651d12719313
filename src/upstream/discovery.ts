/** One server that is asked which models it has. Owns its last list, for how long that counts, and what is logged of it. */
import type { Card } from '../core/card.ts';
import { ClawError } from '../core/errors.ts';
import {
  DISCOVERY_MISSES_MAX,
  ERROR_BODY_BYTES_MAX,
  REFUSED_ID_CHARS_MAX,
  REFUSED_IDS_SHOWN_MAX,
} from '../core/limits.ts';
import type { DiscoverySpec, UpstreamSpec } from '../core/upstream-spec.ts';
import { shapes } from '../dialect/dialects.ts';
import type { Log } from '../lib/log.ts';
import type { StopSignal } from '../lib/signals.ts';
import { refusedLiteral } from './address.ts';
import { type ServerName, serverOfReply } from './compat/known-servers.ts';
import { headFault } from './head-fault.ts';
import type { GetReply, HttpGetter } from './http-get.ts';
import { listRequest } from './list-request.ts';
import { type Asked, type ModelList, readModelList } from './model-list.ts';
import { Place } from './place.ts';
import { refusal } from './refusal.ts';

export interface DiscoveryParts {
  readonly nodeName: string;
  readonly getter: HttpGetter;
  readonly log: Log;
}

type State =
  | { readonly kind: 'unasked' }
  | { readonly kind: 'listed'; readonly cards: readonly Card[] }
  /** The last list still counts. */
  | { readonly kind: 'missed'; readonly cards: readonly Card[]; readonly misses: number }
  /** It gave no list, or none for too long; this has been logged. */
  | { readonly kind: 'absent' };

export class Discovery {
  readonly #spec: DiscoverySpec;
  readonly #asked: Asked;
  readonly #parts: DiscoveryParts;
  readonly #place: Place;
  #state: State = { kind: 'unasked' };
  #server: ServerName | undefined;
  /** What was last logged as left out of the list. */
  #toldRefused = '';

  constructor(spec: DiscoverySpec, asked: Asked, parts: DiscoveryParts) {
    this.#spec = spec;
    this.#asked = asked;
    this.#parts = parts;
    this.#place = new Place(parts.nodeName, { ...spec, card: { provider: spec.provider } });
  }

  /** The models that count as this server's now, each as what is called for it. */
  get found(): readonly UpstreamSpec[] {
    const { provider: _provider, dialect: _dialect, ...server } = this.#spec;
    return this.#cards.map((card) => ({ ...server, card }));
  }

  get baseUrl(): string {
    return this.#spec.baseUrl;
  }

  /** What runs there, where it has said so. */
  get server(): ServerName | undefined {
    return this.#server;
  }

  /** Asks once. Never rejects: a server that cannot be asked has missed a round. */
  async look(signal: StopSignal): Promise<void> {
    try {
      const { headers, list } = await this.#ask(signal);
      if (signal.aborted) return;
      this.#server = serverOfReply(headers, list.owners);
      this.#listed(list);
    } catch (error) {
      if (!signal.aborted)
        this.#missed(ClawError.from(error, 'internal', 'the list of models could not be read'));
    }
  }

  get #cards(): readonly Card[] {
    const state = this.#state;
    return state.kind === 'listed' || state.kind === 'missed' ? state.cards : [];
  }

  async #ask(signal: StopSignal) {
    const refused = refusedLiteral(new URL(this.#spec.baseUrl));
    if (refused !== undefined) throw new ClawError('upstream_unreachable', this.#place.say(refused.message));
    const shape = shapes[this.#spec.dialect];
    const reply = await this.#parts.getter.get(listRequest(this.#spec, this.#place, shape), signal);
    checkHead(reply, this.#place);
    return {
      headers: reply.headers,
      list: readModelList(reply.text, this.#spec, this.#asked, shape.modelList),
    };
  }

  #listed(list: ModelList): void {
    const { cards } = list;
    const before = this.#state;
    const same = before.kind === 'listed' && idsOf(before.cards) === idsOf(cards);
    this.#state = { kind: 'listed', cards };
    if (!same) this.#parts.log.info({ ...this.#at, models: cards.length }, 'models found');
    this.#tellRefused(list);
  }

  #missed({ message: reason }: ClawError): void {
    const state = this.#state;
    const { log } = this.#parts;
    switch (state.kind) {
      case 'unasked':
        this.#state = { kind: 'absent' };
        // Most machines run one of the usual servers or none: that the others are not there is no news.
        if (this.#asked === 'named')
          log.warn({ ...this.#at, reason }, 'no list of models yet: it is asked again');
        return;
      case 'listed':
        this.#state = { kind: 'missed', cards: state.cards, misses: 1 };
        log.warn({ ...this.#at, reason }, 'no list of models: the last one counts for a while');
        return;
      case 'missed':
        if (state.misses < DISCOVERY_MISSES_MAX) {
          this.#state = { ...state, misses: state.misses + 1 };
          return;
        }
        this.#state = { kind: 'absent' };
        log.warn({ ...this.#at, reason, models: state.cards.length }, 'models lost: their server is gone');
        return;
      case 'absent':
    }
  }

  /** Once for each change of what is left out, not once a round. */
  #tellRefused({ refused, unread }: ModelList): void {
    const shown = refused
      .slice(0, REFUSED_IDS_SHOWN_MAX)
      .map((id) => this.#place.quote(id, REFUSED_ID_CHARS_MAX));
    const told = refused.length + unread === 0 ? '' : JSON.stringify([refused.length, unread, shown]);
    if (told === this.#toldRefused) return;
    this.#toldRefused = told;
    if (told === '') return;
    const fields = { ...this.#at, refused: refused.length, unread, ids: shown };
    this.#parts.log.warn(fields, 'models left out: their ids are no printable text, or the list is too long');
  }

  get #at() {
    return { provider: this.#spec.provider, at: this.#place.origin };
  }
}

function checkHead(reply: GetReply, place: Place): void {
  const { status } = reply;
  if (status >= 400) {
    const { error } = refusal(reply, reply.text.slice(0, ERROR_BODY_BYTES_MAX), place);
    throw new ClawError('upstream_error', error.message);
  }
  const fault = headFault(reply, place);
  if (fault !== undefined) throw fault;
}

function idsOf(cards: readonly Card[]): string {
  return JSON.stringify(cards.map(({ id }) => id));
}
