/** HTTP to all upstreams: owns the connections, and ends what runs over them. */
import type { Clock } from '../lib/clock.ts';
import { destroyAgent, newAgent } from './agent.ts';
import { type Connections, HttpCall } from './http-call.ts';
import type { HttpReply, HttpRequest } from './post.ts';

export class HttpClient {
  readonly #connections: Connections;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#connections = { any: newAgent(), fresh: newAgent({ keepsAlive: false }) };
  }

  post(request: HttpRequest, signal: AbortSignal): Promise<HttpReply> {
    const call = new HttpCall(request, this.#connections, this.#clock);
    call.start(signal);
    return call.reply;
  }

  /** Cuts whatever still runs; its calls fail. */
  async close(): Promise<void> {
    await Promise.all([destroyAgent(this.#connections.any), destroyAgent(this.#connections.fresh)]);
  }
}
