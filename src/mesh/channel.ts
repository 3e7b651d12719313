/** What an exchange knows of the way to the other node: a link today, a circuit through relays later. */
import type { NodeId } from '../core/ids.ts';
import type { Frame } from '../protocol/frame.ts';

export interface Channel {
  readonly peer: NodeId;
  /** Bytes of a call that may be sent to the peer before its first credit. */
  readonly window: number;
  /** What the peer can do, by the names that `ready` has for it. */
  readonly features: readonly string[];
  send(frame: Frame): void;
  /** Drops what a call still has waiting to be sent. */
  forget(number: number): void;
  /** The peer broke a rule that does not end the channel at once. The third time does. */
  strike(reason: string): void;
  /** The peer broke a rule that does. */
  breach(reason: string): void;
}
