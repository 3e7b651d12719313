/** The guard of the upstream's silence: one timer a call, armed anew only when it fires. */
import type { Cancel, Clock } from '../lib/clock.ts';

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'listening' }
  /** We stopped reading ourselves: the silence is ours. */
  | { readonly kind: 'muted' };

export class Silence {
  readonly #clock: Clock;
  #ms: number;
  readonly #onSilent: () => void;
  #state: State = { kind: 'idle' };
  #heardAt = 0;
  #timer: Cancel = () => {};

  constructor(clock: Clock, ms: number, onSilent: () => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#onSilent = onSilent;
  }

  start(): void {
    this.#state = { kind: 'listening' };
    this.heard();
    this.#arm(this.#ms);
  }

  /** Something came. Costs a reading of the clock, no timer. */
  heard(): void {
    this.#heardAt = this.#clock.now();
  }

  /** Since something came, or since it began. */
  get lastedMs(): number {
    return this.#clock.now() - this.#heardAt;
  }

  /** From now on less silence is borne. */
  shorten(ms: number): void {
    if (ms >= this.#ms || this.#state.kind === 'idle') return;
    this.#ms = ms;
    this.#arm(ms);
  }

  mute(): void {
    if (this.#state.kind === 'listening') this.#state = { kind: 'muted' };
  }

  unmute(): void {
    if (this.#state.kind !== 'muted') return;
    this.#state = { kind: 'listening' };
    this.heard();
  }

  stop(): void {
    this.#state = { kind: 'idle' };
    this.#timer();
  }

  #arm(ms: number): void {
    this.#timer();
    this.#timer = this.#clock.after(ms, () => this.#check());
  }

  #check(): void {
    if (this.#state.kind === 'idle') return;
    const silentMs = this.#state.kind === 'muted' ? 0 : this.#clock.now() - this.#heardAt;
    // A millisecond is nothing here, and real timers may fire a fraction of one early.
    if (silentMs >= this.#ms - 1) this.#onSilent();
    else this.#arm(this.#ms - silentMs);
  }
}
