/** HTTP to all upstreams: owns the connections, and ends what runs over them. */
import type { Clock } from '../lib/clock.ts';
import { Agent, type Connections } from './agent.ts';
import { HttpCall } from './http-call.ts';
import type { HttpReply, HttpRequest } from './post.ts';
import type { StopSignal } from '../lib/signals.ts';

export class HttpClient {
  readonly #connections: Connections;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#connections = { any: new Agent(), fresh: new Agent({ keepsAlive: false }) };
  }

  post(request: HttpRequest, signal: StopSignal): Promise<HttpReply> {
    const call = new HttpCall(request, this.#connections, this.#clock);
    call.start(signal);
    return call.reply;
  }

  /** Cuts whatever still runs; its calls fail. */
  async close(): Promise<void> {
    await Promise.all([this.#connections.any.destroy(), this.#connections.fresh.destroy()]);
  }
}
