/** How long a client has been told nothing: when it is time for a sign of life. One that has yet to take something has it. */
import { EDGE_SWEEP_MS, KEEPALIVE_MS } from '../core/limits.ts';
import type { Swept } from './sweep.ts';
import type { Uptake } from './uptake.ts';
import type { Visit } from './visit.ts';

const KEEPALIVE_TICKS = KEEPALIVE_MS / EDGE_SWEEP_MS;

export class Quiet implements Swept {
  readonly #visit: Visit;
  readonly #uptake: Uptake;
  readonly #showLife: () => void;
  /** Since it was told something. */
  #ticks = 0;

  constructor(visit: Visit, uptake: Uptake, showLife: () => void) {
    this.#visit = visit;
    this.#uptake = uptake;
    this.#showLife = showLife;
  }

  /** It has just been told something. */
  end(): void {
    this.#ticks = 0;
  }

  /** It has waited since it asked, not since it got a head. */
  countFromRequest(): void {
    this.#ticks = Math.ceil(this.#visit.elapsedMs() / EDGE_SWEEP_MS);
  }

  tick(): void {
    if (this.#visit.gone || this.#uptake.check() === 'waiting') this.end();
    else if (++this.#ticks >= KEEPALIVE_TICKS) this.#showLife();
  }
}
