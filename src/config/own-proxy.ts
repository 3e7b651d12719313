/** Whether an address is this node's own proxy: a model there would be asked of itself, and that again, without end. */
import { bareHost, isLoopback } from '../lib/host.ts';
import type { Config } from './schema.ts';

const EVERY_ADDRESS = ['0.0.0.0', '::'];

export function isOwnProxy(baseUrl: string, { host, port }: Config['proxy']): boolean {
  const url = new URL(baseUrl);
  if (url.protocol !== 'http:' || Number(url.port || 80) !== port) return false;
  const asked = bareHost(url.hostname);
  const bound = bareHost(host);
  return asked === bound || (isLoopback(asked) && (isLoopback(bound) || EVERY_ADDRESS.includes(bound)));
}
