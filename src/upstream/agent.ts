/**
 * The connections to all upstreams. The only import of undici, whose dispatcher with a handler costs a twelfth of
 * `fetch`. Knows sockets; what is asked over them is the call's.
 */
import { Socket } from 'node:net';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { UPSTREAM_CONNECT_MS, UPSTREAM_HEADER_BYTES_MAX } from '../core/limits.ts';
import { lookupAllowed } from './address.ts';
import { endSafely } from './socket-end.ts';

export type { Agent };
export type HttpHandler = Dispatcher.DispatchHandler;
export type HttpController = Dispatcher.DispatchController;

/** Sockets that are still being connected. */
const connecting = new WeakMap<Agent, Set<Socket>>();

/** `keepsAlive: false`: each call gets a connection of its own. */
export function newAgent({ keepsAlive = true } = {}): Agent {
  const connect = buildConnector({ timeout: UPSTREAM_CONNECT_MS, lookup: lookupAllowed });
  const pending = new Set<Socket>();
  const agent = new Agent({
    // undici's own guards are off: they give up after 300 s whatever comes, and know nothing of our pauses.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: UPSTREAM_HEADER_BYTES_MAX,
    pipelining: keepsAlive ? 1 : 0,
    connect: (options, callback) => {
      const socket: unknown = connect(options, (...result) => {
        if (socket instanceof Socket) pending.delete(socket);
        const [error, connected] = result;
        if (error === null) endSafely(connected);
        callback(...result);
      });
      if (socket instanceof Socket) pending.add(socket);
    },
  });
  connecting.set(agent, pending);
  return agent;
}

/** Cuts all connections, also those that are not made yet: undici leaves these open until they are or time out. */
export async function destroyAgent(agent: Agent): Promise<void> {
  await agent.destroy();
  for (const socket of connecting.get(agent) ?? []) socket.destroy(new Error('the connections are closed'));
}
