/**
 * Which addresses an upstream may have. Private networks and loopback are what this product is for; link-local ones
 * hold the metadata services of clouds, which hand out credentials to whoever asks.
 */
import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { bareHost } from '../lib/host.ts';

const REFUSED = new BlockList();
// An IPv4 address in IPv6 form (::ffff:…) is matched by the IPv4 rules.
REFUSED.addSubnet('0.0.0.0', 8, 'ipv4');
REFUSED.addSubnet('169.254.0.0', 16, 'ipv4');
REFUSED.addSubnet('224.0.0.0', 4, 'ipv4');
REFUSED.addAddress('255.255.255.255', 'ipv4');
REFUSED.addAddress('::', 'ipv6');
REFUSED.addSubnet('fe80::', 10, 'ipv6');
REFUSED.addSubnet('ff00::', 8, 'ipv6');
/** The metadata service of AWS, in a range that is otherwise private. */
REFUSED.addAddress('fd00:ec2::254', 'ipv6');

export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';

  constructor(address: string) {
    const mend = /^0\.|^::$/.test(address)
      ? 'it is an address to listen on; to reach this machine use 127.0.0.1'
      : 'link-local, metadata and multicast addresses are no place for a model server';
    super(`${address} is not used as an upstream: ${mend}`);
  }
}

export function isRefused(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  return REFUSED.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** The host of a URL where it is an address that is refused. `connect.lookup` is not asked about those. */
export function refusedLiteral(url: URL): AddressRefused | undefined {
  const host = bareHost(url.hostname);
  return isRefused(host) ? new AddressRefused(host) : undefined;
}

/** As `dns.lookup`, without the addresses that are refused: what it returns is what is connected to. */
export const lookupAllowed: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    if (error !== null) return callback(error, '');
    const allowed = found.filter(({ address }) => !isRefused(address));
    const [first] = allowed;
    if (first === undefined) return callback(refusal(found), '');
    if (options.all === true) return callback(null, allowed);
    callback(null, first.address, first.family);
  });
};

function refusal(found: readonly LookupAddress[]): Error {
  return new AddressRefused(found[0]?.address ?? 'nothing');
}
