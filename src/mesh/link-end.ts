/** How a link ended, in words for the local log and `peers`. The other side is told a close code alone. */
import { UPGRADE_REFUSED } from '../lib/socket.ts';
import { CLOSE } from '../protocol/frame.ts';

export interface LinkEnd {
  readonly code: number;
  readonly reason: string;
}

/** What the heartbeat found. */
export const DEATHS = {
  silent: { code: CLOSE.silent, reason: 'nothing was heard for 15 s' },
  stalled: { code: CLOSE.stalled, reason: 'the socket took no byte for 10 s' },
} as const;

const MEANINGS: Readonly<Record<number, string>> = {
  [CLOSE.goingAway]: 'the peer stopped',
  1003: 'the peer took a message for text',
  1006: 'the connection was lost',
  1009: 'the peer found a message too large',
  [CLOSE.refused]: 'the peer refused this node',
  [CLOSE.silent]: 'the peer heard nothing for 15 s',
  [CLOSE.replaced]: 'replaced by another link',
  [CLOSE.version]: 'no common wire version: update the older node',
  [CLOSE.strikes]: 'the peer counted three breaches by this node',
  [CLOSE.stalled]: 'this node took too little of what was sent',
  [CLOSE.protocol]: 'the peer did not understand a frame',
};

/** For a socket that was open once. Only with 1006 the reason is of this side; the other side's words stay unsaid. */
export function meaningOf(code: number, reason: string): string {
  const meaning = MEANINGS[code] ?? `closed with ${code}`;
  return code === 1006 && reason !== '' ? `${meaning}: ${reason}` : meaning;
}

/** For a dial that led to no connection. */
export function noConnection(reason: string): string {
  // The gate looks the same to all whom it refuses, so both causes are named.
  if (reason === UPGRADE_REFUSED)
    return 'refused at the door: it has another network key, or is no mesh port';
  return `no connection: ${reason}`;
}
