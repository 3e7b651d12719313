/** Meshes on the memory network and a fake clock, wired as the daemon wires them. */
import type { Card } from '../../src/core/card.ts';
import type { NodeId } from '../../src/core/ids.ts';
import { CALLS_MAX, PROCESS_BUFFER_BYTES_MAX } from '../../src/core/limits.ts';
import type { PeerView } from '../../src/core/views.ts';
import { Budget } from '../../src/lib/budget.ts';
import { createLog, Secrets } from '../../src/lib/log.ts';
import type { PeerAddress } from '../../src/mesh/dialer.ts';
import type { Identity } from '../../src/mesh/identity.ts';
import { Mesh } from '../../src/mesh/mesh.ts';
import type { Peer } from '../../src/mesh/peer.ts';
import { Chance } from './chance.ts';
import { FakeClock } from './fake-clock.ts';
import { NETWORK_KEY } from './identities.ts';
import { MemoryNetwork } from './memory-network.ts';
import { ScriptedOwner } from './scripted-answer.ts';

export interface NodeOptions {
  readonly identity: Identity;
  readonly peers?: readonly (string | PeerAddress)[];
  readonly listens?: boolean;
  readonly cards?: readonly Card[];
  readonly epoch?: number;
  readonly networkKey?: Uint8Array;
  readonly seed?: number;
}

export class MeshNode {
  readonly name: string;
  readonly mesh: Mesh;
  readonly owner = new ScriptedOwner();
  readonly buffers = new Budget(PROCESS_BUFFER_BYTES_MAX);
  readonly slots = new Budget(CALLS_MAX);
  readonly logged: string[] = [];
  changes = 0;

  constructor(world: MeshWorld, name: string, options: NodeOptions) {
    const { identity, peers = [], listens = true, cards = [], epoch = 1, networkKey = NETWORK_KEY } = options;
    const chance = new Chance(options.seed ?? 1);
    const { dial, listen } = world.network.host(name);
    this.name = name;
    this.mesh = new Mesh(
      {
        clock: world.clock,
        log: createLog({
          clock: world.clock,
          level: 'debug',
          secrets: new Secrets(),
          write: (line) => this.logged.push(line),
        }),
        identity,
        networkKey,
        randomBytes: (bytes) => chance.bytes(bytes),
        chance: () => chance.next(),
        dial,
        listen,
        answer: this.owner.answer,
        buffers: this.buffers,
        slots: this.slots,
        onChange: () => this.changes++,
      },
      {
        name,
        version: `1.0.${epoch}`,
        bootEpoch: epoch,
        listen: listens ? { host: '0.0.0.0', port: 1 } : null,
        peers: peers.map((peer) => (typeof peer === 'string' ? { url: `ws://${peer}:1` } : peer)),
        cards,
      },
    );
  }

  peer(id: NodeId): Peer {
    const peer = this.mesh.remotes.find((one) => one.id === id);
    if (peer === undefined) throw new Error(`${this.name} has not met ${id}`);
    return peer;
  }

  view(id: NodeId): PeerView {
    const view = this.mesh.views().find((one) => one.id === id);
    if (view === undefined) throw new Error(`${this.name} does not show ${id}`);
    return view;
  }

  /** Of each peer whether it is linked. */
  get linked(): readonly NodeId[] {
    return this.mesh.remotes.filter(({ state }) => state.kind === 'linked').map(({ id }) => id);
  }
}

export class MeshWorld {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly #nodes: MeshNode[] = [];
  #made = 0;

  /** Made and started; what it dials is under way. */
  async node(name: string, options: NodeOptions): Promise<MeshNode> {
    // Chance must differ between nodes, also those that were stopped, or their nonces would be the same.
    const node = new MeshNode(this, name, { seed: 1_000 + this.#made++, ...options });
    this.#nodes.push(node);
    await node.mesh.start();
    return node;
  }

  /** Stops a node as its process would when it is told to. */
  async stop(node: MeshNode): Promise<void> {
    this.#nodes.splice(this.#nodes.indexOf(node), 1);
    await node.mesh.close();
    this.clock.turn();
  }

  /** Stops all; nothing may be left. */
  async close(): Promise<void> {
    for (const node of [...this.#nodes]) await this.stop(node);
    this.clock.advance(2_000);
    if (this.clock.pending > 0) throw new Error(`${this.clock.pending} timers are left`);
  }
}
