/** Two links joined by the memory network on a fake clock, or one link and a peer that keeps no rules. */
import type { HandshakeOptions } from '../../src/mesh/handshake.ts';
import type { LinkOptions } from '../../src/mesh/link.ts';
import type { ReadyHead } from '../../src/protocol/frame.ts';
import { FakeClock } from './fake-clock.ts';
import { first, second } from './identities.ts';
import { MemoryNetwork, type Wire } from './memory-network.ts';
import { DIAL, HELLO, handshakeOf, listening, RecordedLink } from './recorded-link.ts';
import { RudePeer } from './rude-peer.ts';

export interface Side {
  readonly handshake?: Partial<HandshakeOptions>;
  readonly hello?: ReadyHead;
  readonly rekey?: NonNullable<LinkOptions['rekey']>;
}

function only<T>(all: readonly T[], what: string): T {
  const [one] = all;
  if (one === undefined) throw new Error(`no ${what}`);
  return one;
}

export class LinkWorld {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork(this.clock);
  /** What `second` has accepted. */
  readonly accepted: RecordedLink[] = [];

  /** The first connection. */
  get wire(): Wire {
    return only(this.network.wires, 'wire');
  }

  listen({ handshake, ...more }: Side = {}): void {
    const accept = listening((socket) => {
      const options = handshakeOf('responder', second, handshake);
      this.accepted.push(new RecordedLink({ socket, clock: this.clock, handshake: options, ...more }));
    });
    void this.network.host('second').listen(accept);
  }

  /** `first` dials; nothing has travelled yet. */
  dial({ handshake, ...more }: Side = {}): RecordedLink {
    const socket = this.network.host('first').dial('ws://second:1', DIAL);
    const options = handshakeOf('initiator', first, handshake);
    return new RecordedLink({ socket, clock: this.clock, handshake: options, ...more });
  }

  /** Both ends after all that could be said was said: open, unless a side is not as it should be. */
  linked(near: Side = {}, far: Side = {}): { readonly near: RecordedLink; readonly far: RecordedLink } {
    this.listen(far);
    const link = this.dial(near);
    this.clock.turn();
    return { near: link, far: only(this.accepted, 'accepted link') };
  }

  /** The dialling end alone, where there may be no other. */
  linkedNear(): RecordedLink {
    this.listen();
    const link = this.dial();
    this.clock.turn();
    return link;
  }

  /** `second` has accepted a peer that keeps no rules; the handshake is over, `ready` is not said. */
  rude(side: Side = {}): { readonly rude: RudePeer; readonly link: RecordedLink } {
    this.listen(side);
    const socket = this.network.host('rude').dial('ws://second:1', DIAL);
    const rude = new RudePeer(socket, handshakeOf('initiator', first));
    this.clock.turn();
    return { rude, link: only(this.accepted, 'accepted link') };
  }

  /** The same, and it has said `ready`. */
  rudeAndReady(side: Side = {}): { readonly rude: RudePeer; readonly link: RecordedLink } {
    const both = this.rude(side);
    both.rude.say({ type: 'ready', head: HELLO });
    this.clock.turn();
    return both;
  }
}
