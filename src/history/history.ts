/** The memory of an entry: answers that went out, found by their ids and by those of their items. */
import type { Call, Target } from '../core/call.ts';
import type {
  ConnectionHistory,
  Home,
  KeptResponse,
  KeptUpstream,
  ResumedCall,
  Told,
} from '../core/history.ts';
import { RESPONSES_BYTES_MAX } from '../core/limits.ts';
import type { Clock } from '../lib/clock.ts';
import type { JsonObject } from '../lib/json.ts';
import { Conversation } from './conversation.ts';
import { Homes } from './homes.ts';
import { withId } from './input.ts';
import { Kept } from './kept.ts';
import { LastAnswers } from './last-answers.ts';
import { ResponseStore, type StoreEvents, type StoreLimits } from './response-store.ts';
import { type Knowledge, resumed } from './resumption.ts';
import { RunningStreams } from './running.ts';
import { Session, type SharedHistory, type Whose } from './session.ts';
import { openedCall } from './opened-call.ts';
import { endedIn, ownBytes, underWayIn } from './told.ts';

export interface HistoryParts {
  readonly clock: Clock;
  /** Null: nothing is kept. */
  readonly limits: StoreLimits | null;
  readonly targets: (model: string) => readonly Pick<Target, 'node' | 'card'>[];
  /** The same on disk, where it is to be there. */
  readonly disk?: StoreEvents;
}

export class History implements SharedHistory {
  readonly targets: Knowledge['targets'];
  readonly store: ResponseStore;
  readonly running = new RunningStreams();
  readonly lastAnswers: LastAnswers;
  readonly #clock: Clock;
  readonly isOn: boolean;
  readonly #homes = new Homes();

  constructor({ clock, limits, targets, disk }: HistoryParts) {
    this.#clock = clock;
    this.targets = targets;
    this.isOn = limits !== null;
    this.lastAnswers = new LastAnswers(limits?.bytesMax ?? RESPONSES_BYTES_MAX);
    this.store = new ResponseStore(clock, limits ?? { keepMs: 0, bytesMax: 0 }, {
      added: (kept) => disk?.added(kept),
      used: (kept) => disk?.used(kept),
      removed: (kept) => {
        disk?.removed(kept);
        const target = kept.upstream();
        if (target !== undefined) this.#homes.add(kept.id, target, kept.parts.upstreamId);
      },
    });
  }

  open(call: Call, body: JsonObject): ResumedCall {
    const isKept = this.isOn && body.store !== false;
    return openedCall(this.running, resumed(call, body, this), {
      keeps: isKept,
      keep: (home, told) => {
        if (isKept) this.keep(call, body, home, told);
      },
      failed: () => {},
    });
  }

  keep(call: Pick<Call, 'body'>, body: JsonObject, home: Home | undefined, told: Told): void {
    if (!this.isOn) return;
    const kept = this.keptOf(call.body, { home, stored: true }, told);
    if (kept !== undefined) return this.store.add(kept);
    // Under way at its upstream, and only that knows what will come of it.
    const id = body.background === true && home?.dialect === 'responses' ? underWayIn(told) : undefined;
    if (id !== undefined && home !== undefined) this.#homes.add(id, home.target, told.upstreamId);
  }

  keptOf(request: Uint8Array, whose: Whose, told: Told): Kept | undefined {
    const ended = endedIn(told);
    if (ended === undefined) return undefined;
    return new Kept({
      id: ended.id,
      ...whose,
      upstreamId: told.upstreamId,
      request: ownBytes(request),
      answer: ended.json,
      keptAt: this.#clock.wall(),
    });
  }

  response(id: string): Kept | undefined {
    const kept = this.store.get(id);
    if (kept !== undefined) return kept;
    this.running.settle();
    return this.store.get(id);
  }

  withItem(id: string): Kept | undefined {
    const kept = this.store.withItem(id);
    if (kept !== undefined) return kept;
    this.running.settle();
    return this.store.withItem(id);
  }

  cancel(id: string): JsonObject | undefined {
    return this.running.cancel(id);
  }

  find(id: string): KeptResponse | undefined {
    const kept = this.response(id);
    return kept === undefined ? undefined : { id, response: kept.response() };
  }

  inputItems(id: string): readonly JsonObject[] | undefined {
    const kept = this.response(id);
    if (kept === undefined) return undefined;
    return new Conversation(this, { own: [], mayKnow: true })
      .items(kept.request())
      .map((item, index) => withId(item, id, index));
  }

  upstreamOf(id: string): KeptUpstream | undefined {
    const kept = this.response(id);
    if (kept === undefined) return this.#homes.get(id);
    const target = kept.upstream();
    return target === undefined ? undefined : { target, id: kept.parts.upstreamId ?? id };
  }

  delete(id: string): boolean {
    return this.store.delete(id);
  }

  forget(id: string): void {
    this.store.delete(id);
    this.#homes.delete(id);
  }

  session(): ConnectionHistory {
    return new Session(this);
  }
}
