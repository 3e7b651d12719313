/** What one connection remembers beyond what all do: its last answer, also one that was not to be stored. */
import type { Call } from '../core/call.ts';
import type {
  ConnectionHistory,
  Home,
  KeptResponse,
  KeptUpstream,
  ResponseHistory,
  ResumedCall,
  Told,
} from '../core/history.ts';
import type { JsonObject } from '../lib/json.ts';
import { previousOf } from './input.ts';
import type { Kept, KeptParts } from './kept.ts';
import type { LastAnswers } from './last-answers.ts';
import { openedCall } from './opened-call.ts';
import type { RunningStreams } from './running.ts';
import { type Knowledge, resumed } from './resumption.ts';

export type Whose = Pick<KeptParts, 'home' | 'stored'>;

/** The memory that all connections have together. */
export interface SharedHistory extends ResponseHistory, Knowledge {
  /** Whether anything is kept for longer than a connection lasts. */
  readonly isOn: boolean;
  readonly running: RunningStreams;
  readonly lastAnswers: LastAnswers;
  /** The answer as it can be kept; undefined where it did not end well. */
  keptOf(request: Uint8Array, whose: Whose, told: Told): Kept | undefined;
  /** `body`: the request, parsed. What it refers to must be kept here too, or at its upstream. */
  keep(call: Pick<Call, 'body'>, body: JsonObject, home: Home | undefined, told: Told): void;
}

export class Session implements ConnectionHistory, Knowledge {
  readonly #shared: SharedHistory;
  #isClosed = false;

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
        if (continues !== undefined) this.#forgetLast(continues);
      },
    });
  }

  targets(model: string): ReturnType<Knowledge['targets']> {
    return this.#shared.targets(model);
  }

  response(id: string): Kept | undefined {
    const last = this.#last;
    return last?.id === id ? last : this.#shared.response(id);
  }

  withItem(id: string): Kept | undefined {
    const last = this.#last;
    return last?.hasItem(id) === true ? last : this.#shared.withItem(id);
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
    this.#forgetLast(id);
    return this.#shared.delete(id);
  }

  forget(id: string): void {
    this.#forgetLast(id);
    this.#shared.forget(id);
  }

  session(): ConnectionHistory {
    return new Session(this.#shared);
  }

  close(): void {
    this.#isClosed = true;
    this.#shared.lastAnswers.forget(this);
  }

  get #last(): Kept | undefined {
    return this.#shared.lastAnswers.get(this);
  }

  #forgetLast(id: string): void {
    if (this.#last?.id === id) this.#shared.lastAnswers.forget(this);
  }

  #resumed(call: Call, body: JsonObject): Call {
    try {
      return resumed(call, body, this);
    } catch (thrown) {
      // Refused here it has failed no less than where its upstream refuses it.
      const previous = previousOf(body);
      if (previous !== undefined) this.#forgetLast(previous);
      throw thrown;
    }
  }

  #keep(request: Call, body: JsonObject, home: Home | undefined, told: Told): void {
    const stored = body.store !== false;
    const kept = this.#shared.keptOf(request.body, { home, stored }, told);
    this.#shared.lastAnswers.forget(this);
    // A call may outlast its connection.
    if (kept !== undefined && !this.#isClosed) this.#shared.lastAnswers.put(this, kept);
    if (stored) this.#shared.keep(request, body, home, told);
  }

  #isOwn(id: string): boolean {
    return this.#last?.id === id && this.#shared.response(id) === undefined;
  }
}
