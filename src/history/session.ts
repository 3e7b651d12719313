/** What one connection remembers beyond what all do: its last answer, also one that was not to be stored. */
import type { Call } from '../core/call.ts';
import type {
  Home,
  KeptResponse,
  KeptUpstream,
  ResponseHistory,
  ResumedCall,
  Told,
} from '../core/history.ts';
import { previousOf } from './input.ts';
import type { JsonObject } from './json-object.ts';
import type { Kept, KeptParts } from './kept.ts';
import { openedCall } from './opened-call.ts';
import type { RunningStreams } from './running.ts';
import { type Knowledge, resumed } from './resumption.ts';

export type Whose = Pick<KeptParts, 'home' | 'stored'>;

/** The memory that all connections have together. */
export interface SharedHistory extends ResponseHistory, Knowledge {
  /** Whether anything is kept for longer than a connection lasts. */
  readonly isOn: boolean;
  readonly running: RunningStreams;
  /** The answer as it can be kept; undefined where it did not end well. */
  keptOf(request: Uint8Array, whose: Whose, told: Told): Kept | undefined;
  /** `body`: the request, parsed. What it refers to must be kept here too, or at its upstream. */
  keep(call: Pick<Call, 'body' | 'stream'>, body: JsonObject, home: Home | undefined, told: Told): void;
}

export class Session implements ResponseHistory, Knowledge {
  readonly #shared: SharedHistory;
  #last: Kept | undefined;

  constructor(shared: SharedHistory) {
    this.#shared = shared;
  }

  open(call: Call, body: JsonObject): ResumedCall {
    const open = this.#resumed(call, body);
    const { continues } = open;
    // What only this connection knows is gone with it: whoever keeps the answer keeps all of it.
    const isOwn = continues !== undefined && this.#isOwn(continues);
    const request = isOwn ? open : call;
    return openedCall(this.#shared.running, open, {
      keeps: true,
      keep: (home, told) => this.#keep(request, body, home, told),
      failed: () => {
        if (continues === this.#last?.id) this.#last = undefined;
      },
    });
  }

  targets(model: string): ReturnType<Knowledge['targets']> {
    return this.#shared.targets(model);
  }

  response(id: string): Kept | undefined {
    return this.#last?.id === id ? this.#last : this.#shared.response(id);
  }

  withItem(id: string): Kept | undefined {
    const isOfLast = this.#last?.output().some((item) => item.id === id) === true;
    return isOfLast ? this.#last : this.#shared.withItem(id);
  }

  find(id: string): KeptResponse | undefined {
    return this.#shared.find(id);
  }

  inputItems(id: string): readonly JsonObject[] | undefined {
    return this.#shared.inputItems(id);
  }

  upstreamOf(id: string): KeptUpstream | undefined {
    return this.#shared.upstreamOf(id);
  }

  cancel(id: string): JsonObject | undefined {
    return this.#shared.cancel(id);
  }

  delete(id: string): boolean {
    if (this.#last?.id === id) this.#last = undefined;
    return this.#shared.delete(id);
  }

  forget(id: string): void {
    if (this.#last?.id === id) this.#last = undefined;
    this.#shared.forget(id);
  }

  session(): ResponseHistory {
    return new Session(this.#shared);
  }

  #resumed(call: Call, body: JsonObject): Call {
    try {
      return resumed(call, body, this);
    } catch (thrown) {
      // Refused here it has failed no less than where its upstream refuses it.
      if (this.#last !== undefined && previousOf(body) === this.#last.id) this.#last = undefined;
      throw thrown;
    }
  }

  #keep(request: Call, body: JsonObject, home: Home | undefined, told: Told): void {
    const stored = body.store !== false;
    this.#last = this.#shared.keptOf(request.body, { home, stored }, told);
    if (stored) this.#shared.keep(request, body, home, told);
  }

  #isOwn(id: string): boolean {
    return this.#last?.id === id && this.#shared.response(id) === undefined;
  }
}
