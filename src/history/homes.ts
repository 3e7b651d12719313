/** Where upstreams keep the responses that are forgotten here: a bounded memory of ids alone. */
import type { TargetKey } from '../core/call.ts';
import type { KeptUpstream } from '../core/history.ts';
import { RESPONSE_HOMES_MAX } from '../core/limits.ts';
import { AgingMap } from '../lib/aging-map.ts';

export class Homes {
  readonly #homes = new AgingMap<string, KeptUpstream>();

  get(id: string): KeptUpstream | undefined {
    return this.#homes.get(id);
  }

  /** `upstreamId`: what the upstream calls it, where that is another name. */
  add(id: string, target: TargetKey, upstreamId = id): void {
    this.#homes.put(id, { target, id: upstreamId });
    if (this.#homes.size > RESPONSE_HOMES_MAX) this.#homes.takeOldest();
  }

  delete(id: string): void {
    this.#homes.delete(id);
  }
}
