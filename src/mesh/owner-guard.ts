/** The entry's guard of an owner: it must take a call soon, and then show life in it. Counts looks; ends nothing. */
import { OWNER_ACK_MS, OWNER_SILENCE_MS } from '../core/limits.ts';

/**
 * How often the exchange lets each of its calls look. Looks are counted, not times compared: a machine that slept did
 * not hear its owner's silence.
 */
export const GUARD_LOOK_MS = 1_000;

export class OwnerGuard {
  #owner: 'unheard' | 'heard' = 'unheard';
  #quietLooks = 0;

  /** A frame of the call came. Costs nothing that counts. */
  heard(): void {
    this.#owner = 'heard';
    this.#quietLooks = 0;
  }

  /** What the owner failed to do, once it has. */
  look(): string | undefined {
    this.#quietLooks += 1;
    const ms = this.#owner === 'unheard' ? OWNER_ACK_MS : OWNER_SILENCE_MS;
    if (this.#quietLooks * GUARD_LOOK_MS <= ms) return undefined;
    const seconds = ms / 1_000;
    if (this.#owner === 'unheard') return `did not take the call within ${seconds} s`;
    return `said nothing of the call for ${seconds} s`;
  }
}
