/** Two nodes that call each other, or one node and a peer that keeps no rules, on a clock that a test moves. */
import { expect } from 'vitest';
import type { Answer, Call } from '../../src/core/call.ts';
import { ask, ExchangeNode, type Got, type MadeCall, makeCall } from './exchange-node.ts';
import { FakeClock } from './fake-clock.ts';
import { first, second } from './identities.ts';
import { MemoryNetwork, type Wire } from './memory-network.ts';
import { DIAL, HELLO, handshakeOf, listening } from './recorded-link.ts';
import { RudePeer } from './rude-peer.ts';

interface Most {
  readonly bytes?: number;
  readonly calls?: number;
  /** In place of the scripted owner. */
  readonly answer?: Answer;
}

export class ExchangeWorld {
  readonly clock: FakeClock;
  readonly network: MemoryNetwork;
  /** `first`, and by that the one that numbers its calls odd. */
  readonly entry: ExchangeNode;
  readonly owner: ExchangeNode;

  constructor(
    most: { readonly entry?: Most; readonly owner?: Most } = {},
    clock: FakeClock = new FakeClock(),
  ) {
    this.clock = clock;
    this.network = new MemoryNetwork(clock);
    this.entry = new ExchangeNode(this.clock, first, second.id, most.entry);
    this.owner = new ExchangeNode(this.clock, second, first.id, most.owner);
  }

  /** The connection that was dialled last. */
  get wire(): Wire {
    const wire = this.network.wires.at(-1);
    if (wire === undefined) throw new Error('no wire');
    return wire;
  }

  /** The entry dials the owner; both are linked. */
  link(): this {
    const port = this.network.wires.length + 1;
    const accept = listening((socket) => this.owner.join(socket, 'responder'));
    void this.network.host('owner').listen({ ...accept, port });
    this.entry.join(this.network.host('entry').dial(`ws://owner:${port}`, DIAL), 'initiator');
    this.clock.turn();
    return this;
  }

  /** A peer without rules in the place of the entry, linked with the owner. */
  rudeEntry(): RudePeer {
    const port = this.network.wires.length + 1;
    const accept = listening((socket) => this.owner.join(socket, 'responder'));
    void this.network.host('owner').listen({ ...accept, port });
    const socket = this.network.host('rude').dial(`ws://owner:${port}`, DIAL);
    return this.#greeted(new RudePeer(socket, handshakeOf('initiator', first)));
  }

  /** A peer without rules in the place of the owner, linked with the entry. */
  rudeOwner(): RudePeer {
    const rude: RudePeer[] = [];
    const accept = listening((socket) => rude.push(new RudePeer(socket, handshakeOf('responder', second))));
    void this.network.host('rude').listen(accept);
    this.entry.join(this.network.host('entry').dial('ws://rude:1', DIAL), 'initiator');
    this.clock.turn();
    const [peer] = rude;
    if (peer === undefined) throw new Error('the entry did not dial');
    return this.#greeted(peer);
  }

  #greeted(rude: RudePeer): RudePeer {
    this.clock.turn();
    rude.say({ type: 'ready', head: HELLO });
    this.clock.turn();
    return rude;
  }

  /** A call by the entry. */
  call(
    more: Partial<Call> = {},
    options: { read?: boolean } = {},
  ): Got & MadeCall & { cancel(reason?: unknown): void } {
    const made = makeCall(more);
    const stop = new AbortController();
    const got = ask(this.entry.answer, made.call, stop.signal, options);
    return Object.assign(got, made, { cancel: (reason?: unknown) => stop.abort(reason) });
  }

  /** Lets frames cross and promises settle until nothing moves; no time passes. */
  async rest(rounds = 60): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      this.clock.turn();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Lets time pass, in steps in which promises can settle. */
  async pass(ms: number, stepMs = 1_000): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.clock.advance(Math.min(stepMs, left));
      await this.rest(3);
    }
  }

  /** Whatever happened: nothing is held any more, and no timer outlives the links. */
  async close(): Promise<void> {
    for (const node of [this.entry, this.owner]) {
      node.owner.stubborn = false;
      for (const call of node.owner.calls) if (!call.over) call.fail(new Error('the test is over'));
    }
    await this.rest(5);
    for (const node of [this.entry, this.owner]) {
      if (node.isLinked) node.link.close(1001, 'the test is over');
    }
    await this.rest(10);
    this.clock.advance(2_000);
    const nothing = { bytes: 0, slots: 0, calls: 0 };
    expect([this.entry.held, this.owner.held]).toEqual([nothing, nothing]);
    expect(this.clock.pending).toBe(0);
  }
}
