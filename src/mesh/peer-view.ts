/** What `peers` shows of a node, or of an address where none was met yet. */
import type { PeerView } from '../core/views.ts';
import type { Dialer } from './dialer.ts';
import type { Peer } from './peer.ts';

export function viewOfPeer(peer: Peer, self: string, dialer: Dialer | undefined): PeerView {
  const { link } = peer;
  return {
    id: peer.id,
    name: peer.name,
    status: link === undefined ? 'down' : 'direct',
    rttMs: link?.rttMs === undefined ? null : Math.round(link.rttMs * 100) / 100,
    path: link === undefined ? [] : [self, peer.name],
    models: peer.cards.map(({ id }) => id),
    version: peer.version,
    url: dialer?.address.url ?? null,
    reason: reasonOf(peer, dialer),
  };
}

function reasonOf({ state }: Peer, dialer: Dialer | undefined): string | null {
  if (state.kind === 'linked') return null;
  if (state.kind === 'leaving') return 'it is stopping: running calls may end, new ones go elsewhere';
  // What the last dial met says more than how the last link ended.
  return dialer?.reason ?? state.reason;
}

export function viewOfAddress(dialer: Dialer): PeerView {
  return {
    id: dialer.node ?? null,
    name: null,
    status: 'down',
    rttMs: null,
    path: [],
    models: [],
    version: null,
    url: dialer.address.url,
    reason: dialer.reason ?? 'not tried yet',
  };
}
