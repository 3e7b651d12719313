/**
 * The connections to all upstreams. The only import of undici, whose dispatcher with a handler costs a twelfth of
 * `fetch`. Knows sockets; what is asked over them is the call's.
 */
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { UPSTREAM_CONNECT_MS, UPSTREAM_HEADER_BYTES_MAX } from '../core/limits.ts';
import { lookupAllowed } from './address.ts';
import { endSafely } from './socket-end.ts';

export type { Agent };
export type HttpHandler = Dispatcher.DispatchHandler;
export type HttpController = Dispatcher.DispatchController;

export function newAgent(): Agent {
  const connect = buildConnector({ timeout: UPSTREAM_CONNECT_MS, lookup: lookupAllowed });
  return new Agent({
    // undici's own guards are off: they give up after 300 s whatever comes, and know nothing of our pauses.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: UPSTREAM_HEADER_BYTES_MAX,
    connect: (options, callback) => {
      connect(options, (...result) => {
        const [error, socket] = result;
        if (error === null) endSafely(socket);
        callback(...result);
      });
    },
  });
}
