/** Which wire version two nodes speak. Pure. */
import type { Fault } from './codec.ts';
import { CLOSE, type ReadyHead, WIRE_VERSION_MAX, WIRE_VERSION_MIN } from './frame.ts';

/** Undefined where there is a version that both know. */
export function versionFault({ min, max }: Pick<ReadyHead, 'min' | 'max'>): Fault | undefined {
  if (min <= WIRE_VERSION_MAX && max >= WIRE_VERSION_MIN) return undefined;
  const own = `${WIRE_VERSION_MIN} to ${WIRE_VERSION_MAX}`;
  return { closeCode: CLOSE.version, reason: `speaks wire versions ${min} to ${max}, this node ${own}` };
}
