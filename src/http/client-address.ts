/** From where a request comes, as one address: whatever form it is written in, and whoever passed it on. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** The address of the client itself. What a header says of it counts from a trusted proxy alone. */
export function clientAddress(
  { socket, headers }: IncomingMessage,
  trustedProxies: ReadonlySet<string>,
): string {
  const direct = plainAddress(socket.remoteAddress);
  const forwarded = headers['x-forwarded-for'];
  if (typeof forwarded !== 'string' || !trustedProxies.has(direct)) return direct;
  // Each proxy adds at the right whom it saw: what stands left of the first stranger is the stranger's own word.
  const hops = forwarded.split(',').map((hop) => plainAddress(hop.trim()));
  const client = hops.findLast((hop) => !trustedProxies.has(hop)) ?? '';
  return isIP(client) === 0 ? direct : client;
}

/** An IPv4 address that a socket shows in IPv6 form, as it is usually written. */
export function plainAddress(address: string | undefined): string {
  const text = (address ?? '').toLowerCase().replace(/%.*$/, '');
  if (isIP(text) !== 6) return text;
  const groups = groupsOf(text);
  if (groups.slice(0, 6).join(':') !== '0:0:0:0:0:ffff') return text;
  const [high = 0, low = 0] = groups.slice(6).map((group) => Number.parseInt(group, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** What one household has: an IPv4 address, or all the 2^64 that begin like this one. */
export function householdOf(address: string): string {
  return isIP(address) === 6 ? `${groupsOf(address).slice(0, 4).join(':')}::/64` : address;
}

/** The eight groups of an IPv6 address, none left out. */
function groupsOf(address: string): string[] {
  // The parser of URLs writes every form of one address in the same way.
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const [left, right] = [head, tail].map((part) => part.split(':').filter((group) => group !== ''));
  if (left === undefined || right === undefined) return [];
  return [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
}
