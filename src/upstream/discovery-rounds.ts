/** All servers that are asked for their models, round after round. Owns the one timer and what a close must end. */
import { DISCOVERY_MS, DISCOVERY_START_MS } from '../core/limits.ts';
import type { UpstreamSpec } from '../core/upstream-spec.ts';
import type { Cancel, Clock } from '../lib/clock.ts';
import type { ServerName } from './compat/known-servers.ts';
import type { Discovery } from './discovery.ts';

export interface DiscoveryRoundsParts {
  readonly clock: Clock;
  /** A server has answered, or has missed a round. */
  readonly onLook: () => void;
}

export class DiscoveryRounds {
  readonly #discoveries: readonly Discovery[];
  readonly #parts: DiscoveryRoundsParts;
  readonly #closing = new AbortController();
  #stopTimer: Cancel = () => {};
  /** The round that runs, or the last one. */
  #round: Promise<unknown> = Promise.resolve();
  #asking = 0;

  constructor(discoveries: readonly Discovery[], parts: DiscoveryRoundsParts) {
    this.#discoveries = discoveries;
    this.#parts = parts;
  }

  get found(): readonly UpstreamSpec[] {
    return this.#discoveries.flatMap(({ found }) => found);
  }

  /** What runs at that address, where it has said so. */
  serverAt(baseUrl: string): ServerName | undefined {
    return this.#discoveries.find((one) => one.baseUrl === baseUrl && one.server !== undefined)?.server;
  }

  /** The first round, for as long as a start can wait for it; the others follow. */
  async start(): Promise<void> {
    if (this.#discoveries.length === 0) return;
    const { clock } = this.#parts;
    this.#stopTimer = clock.every(DISCOVERY_MS, () => this.#look());
    this.#look();
    await new Promise<void>((resolve) => {
      const enough = clock.after(DISCOVERY_START_MS, resolve);
      void this.#round.then(() => {
        enough();
        resolve();
      });
    });
  }

  /** Nothing is asked any more, and nothing that was asked is still open. */
  async close(): Promise<void> {
    this.#stopTimer();
    this.#closing.abort();
    await this.#round;
  }

  /** Each answer counts when it comes: a server that hangs holds up no other. */
  #look(): void {
    // A round is shorter than the time to the next. Only a stopped process comes here.
    if (this.#asking > 0) return;
    this.#round = Promise.all(
      this.#discoveries.map(async (discovery) => {
        this.#asking++;
        await discovery.look(this.#closing.signal);
        this.#asking--;
        if (!this.#closing.signal.aborted) this.#parts.onLook();
      }),
    );
  }
}
