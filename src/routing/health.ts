/** Which owners failed lately, and when each may be tried again. Knows times and keys; asks nobody. */
import type { Reply, Target } from '../core/call.ts';
import type { ClawError } from '../core/errors.ts';
import { COOL_DOWN_MS, COOL_DOWN_MS_MAX, COOLING_MAX } from '../core/limits.ts';
import type { Clock } from '../lib/clock.ts';
import { type Failing, failingOf, isOfOwner } from './failing.ts';

type State =
  | { readonly kind: 'cooling'; readonly until: number }
  /** Its time is over, and one call tries whether it is well again. */
  | { readonly kind: 'probing' };

/** An owner whose key is not here is well. */
export class Health {
  readonly #clock: Clock;
  readonly #states = new Map<string, State>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a call should go there while another target can answer it. */
  isFit(target: Target): boolean {
    return this.#states.size === 0 || scopesOf(target).every((key) => this.#isFit(key));
  }

  /** A call goes there: the first after the cool-down is the probe. */
  began(target: Target): void {
    for (const key of this.#known(target)) {
      if (this.#isFit(key)) this.#states.set(key, { kind: 'probing' });
    }
  }

  /** Its upstream has answered: well, or with a refusal that is its own trouble. */
  answered(target: Target, { status, headers }: Reply): void {
    if (isOfOwner(status)) return this.#cool(keyOf(target, 'model'), Number(headers['retry-after']));
    for (const key of this.#known(target)) this.#states.delete(key);
  }

  failed(target: Target, error: ClawError): void {
    const failing = failingOf(error);
    if (failing !== 'nothing') return this.#cool(keyOf(target, failing), error.retryAfterSeconds);
    // It said nothing of its owner: the next call may be the probe.
    for (const key of this.#known(target)) {
      if (this.#states.get(key)?.kind === 'probing') this.#cool(key, 0, 0);
    }
  }

  #cool(key: string, retryAfterSeconds = 0, leastMs = COOL_DOWN_MS): void {
    const wished = Number.isFinite(retryAfterSeconds) ? retryAfterSeconds * 1_000 : 0;
    const ms = Math.min(Math.max(wished, leastMs), COOL_DOWN_MS_MAX);
    this.#states.delete(key);
    this.#states.set(key, { kind: 'cooling', until: this.#clock.now() + ms });
    // Bounded: those that failed longest ago are forgotten first.
    for (const oldest of this.#states.keys()) {
      if (this.#states.size <= COOLING_MAX) break;
      this.#states.delete(oldest);
    }
  }

  #isFit(key: string): boolean {
    const state = this.#states.get(key);
    if (state === undefined) return true;
    return state.kind === 'cooling' && state.until <= this.#clock.now();
  }

  #known(target: Target): readonly string[] {
    return this.#states.size === 0 ? [] : scopesOf(target).filter((key) => this.#states.has(key));
  }
}

function scopesOf(target: Target): readonly string[] {
  return [keyOf(target, 'node'), keyOf(target, 'model')];
}

function keyOf({ node, card }: Target, failing: Exclude<Failing, 'nothing'>): string {
  return failing === 'node' ? node : `${node}/${card.provider}/${card.id}`;
}
