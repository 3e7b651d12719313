/** One call and the owners that it is offered to, one after the other, until one has begun to answer. */
import type { Call, Dialect, Reply, Target } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import { ROUTE_HEADER } from '../core/header-names.ts';
import { TRIES_MAX } from '../core/limits.ts';
import { errorOfRefusal } from '../core/refusal.ts';
import { changed } from '../lib/changed.ts';
import type { Clock } from '../lib/clock.ts';
import type { StopSignal } from '../lib/signals.ts';
import { isOfOwner, mayTryAnother } from './failing.ts';
import { replaceable } from './replaceable.ts';
import { type FailedTry, routeOf } from './route.ts';

export interface TriesParts {
  readonly clock: Clock;
  /** This node's name. */
  readonly entry: string;
  /** The best of several. */
  readonly pick: (targets: readonly Target[]) => Target | undefined;
  /** Asks one. It hears of each failure by itself. */
  readonly ask: (target: Target, call: Call, signal: StopSignal, route: string) => Promise<Reply>;
  /** Whether the first events of a stream hold nothing of an answer yet. */
  readonly isPrelude: (events: Uint8Array, dialect: Dialect) => boolean;
}

export class Tries {
  readonly #parts: TriesParts;
  readonly #call: Call;
  readonly #signal: StopSignal;
  #untried: readonly Target[];
  #failed: readonly FailedTry[] = [];

  constructor(parts: TriesParts, targets: readonly Target[], call: Call, signal: StopSignal) {
    this.#parts = parts;
    this.#untried = targets;
    this.#call = call;
    this.#signal = signal;
  }

  /**
   * The reply of the first owner that answers, or the refusal of the last. What breaks before its answer begins is
   * replaced by the next one's, as long as there is one.
   */
  async answer(): Promise<Reply> {
    for (;;) {
      const target = this.#take();
      const route = routeOf(target, { entry: this.#parts.entry, failed: this.#failed });
      let error: ClawError;
      try {
        const call = this.#hasNext ? changed(this.#call, { others: true }) : this.#call;
        const reply = await this.#parts.ask(target, call, this.#signal, route);
        if (!this.#hasNext) return reply;
        if (!isOfOwner(reply.status)) return this.#guarded(reply, target, route);
        error = await errorOfRefusal(reply);
      } catch (thrown) {
        error = ClawError.from(thrown, 'internal', 'the call could not be answered');
      }
      this.#note(target, error, route);
    }
  }

  get #hasNext(): boolean {
    return this.#untried.length > 0 && this.#failed.length + 1 < TRIES_MAX;
  }

  #take(): Target {
    const target = this.#parts.pick(this.#untried);
    if (target === undefined)
      throw new ClawError('no_owner', `no node that has model ${this.#call.model.id} takes calls`);
    if (this.#untried.length === 1) this.#untried = [];
    else this.#untried = this.#untried.filter((one) => one !== target);
    return target;
  }

  #guarded(reply: Reply, target: Target, route: string): Reply {
    if (reply.status >= 400) return reply;
    const { dialect, stream } = this.#call;
    const isPrelude = (chunk: Uint8Array) => stream && this.#parts.isPrelude(chunk, dialect);
    return replaceable(reply, { clock: this.#parts.clock, isPrelude }, async (error) => {
      this.#note(target, error, route);
      const other = await this.answer();
      // The client may have the head of a 200 by now, and no refusal can follow that as it is.
      if (other.status < 400) return other;
      throw await errorOfRefusal(other);
    });
  }

  /** Remembers a failed try. Throws what the client is told where no other owner could do better. */
  #note(target: Target, error: ClawError, route: string): void {
    const another = this.#hasNext && mayTryAnother(error);
    const told = error.withHeaders({ [ROUTE_HEADER]: route });
    this.#failed = [...this.#failed, { target, error: told }];
    if (another) return;
    // The word of an upstream tells a client more than that the node tried after it could not be reached.
    const upstreams = this.#failed.filter(({ error: { code } }) => code === 'upstream_error');
    const best = mayTryAnother(error) ? (upstreams.at(-1)?.error ?? told) : told;
    throw best.withHeaders({ [ROUTE_HEADER]: route });
  }
}
