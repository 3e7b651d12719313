/**
 * The connections to all upstreams. The only import of undici, whose dispatcher with a handler costs a twelfth of
 * `fetch`. Knows sockets; what is asked over them is the call's.
 */
import { Socket } from 'node:net';
import { buildConnector, type Dispatcher, Agent as UndiciAgent } from 'undici';
import { UPSTREAM_CONNECT_MS, UPSTREAM_HEADER_BYTES_MAX } from '../core/limits.ts';
import { lookupAllowed } from './address.ts';
import { endSafely } from './socket-end.ts';

export type HttpHandler = Dispatcher.DispatchHandler;
export type HttpController = Dispatcher.DispatchController;

/** Kept ones where there are any, and such as are made for one call. */
export type Connections = Readonly<Record<'any' | 'fresh', Agent>>;

export class Agent {
  readonly #agent: UndiciAgent;
  /** Sockets that are still being connected. */
  readonly #connecting = new Set<Socket>();

  /** `keepsAlive: false`: each call gets a connection of its own. */
  constructor({ keepsAlive = true } = {}) {
    const connect = buildConnector({ timeout: UPSTREAM_CONNECT_MS, lookup: lookupAllowed });
    this.#agent = new UndiciAgent({
      // undici's own guards are off: they give up after 300 s whatever comes, and know nothing of our pauses.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: UPSTREAM_HEADER_BYTES_MAX,
      pipelining: keepsAlive ? 1 : 0,
      connect: (options, callback) => {
        const socket: unknown = connect(options, (...result) => {
          if (socket instanceof Socket) this.#connecting.delete(socket);
          const [error, connected] = result;
          if (error === null) endSafely(connected);
          callback(...result);
        });
        if (socket instanceof Socket) this.#connecting.add(socket);
      },
    });
  }

  dispatch(request: UndiciAgent.DispatchOptions, handler: HttpHandler): void {
    this.#agent.dispatch(request, handler);
  }

  /** Cuts all connections, also those that are not made yet: undici leaves these open until they are or time out. */
  async destroy(): Promise<void> {
    await this.#agent.destroy();
    for (const socket of this.#connecting) socket.destroy(new Error('the connections are closed'));
  }
}
