/** Names of HTTP headers that mean the same in every folder. All in lower case. */

/** Where a call went, told with every reply. */
export const ROUTE_HEADER = 'x-clawmatrix-route';

/** The parameters of a request that its upstream was not told of, told with every reply. */
export const LEFT_OUT_HEADER = 'x-clawmatrix-left-out';

/** Set by the daemon or by HTTP itself: a second opinion would send a key elsewhere or break the message's framing. */
const OWNED: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-request-id',
]);

/** Whether neither a caller nor a configuration can set it. */
export function isOwned(header: string): boolean {
  return OWNED.has(header.toLowerCase());
}

const SECRET_NAME = /key|token|secret|auth|cookie|password|signature/i;

/** Whether its value is taken for a secret, whatever it is: those are kept out of logs and messages. */
export function namesSecret(header: string): boolean {
  return SECRET_NAME.test(header);
}

/** How many nodes' proxies a call came through. Set by each of them, and sent to every upstream: one may be another. */
export const HOPS_HEADER = 'x-clawmatrix-hops';
