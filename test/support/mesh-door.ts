/** A mesh node behind a real port of loopback, and those who knock at it: by the rules, by hand, or with the rules broken. */
import { randomBytes } from 'node:crypto';
import { CALLS_MAX, PROCESS_BUFFER_BYTES_MAX } from '../../src/core/limits.ts';
import { Budget } from '../../src/lib/budget.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { createLog, Secrets } from '../../src/lib/log.ts';
import { dialSocket, listenSockets } from '../../src/lib/socket.ts';
import type { PeerAddress } from '../../src/mesh/dialer.ts';
import { GATE_HEADER, Gate } from '../../src/mesh/gate.ts';
import type { HandshakeOptions } from '../../src/mesh/handshake.ts';
import type { Identity } from '../../src/mesh/identity.ts';
import { Mesh } from '../../src/mesh/mesh.ts';
import { SUBPROTOCOL } from '../../src/protocol/frame.ts';
import { first, NETWORK_KEY, second } from './identities.ts';
import { RawClient, upgradeRequest } from './raw-client.ts';
import { realClock } from './real-clock.ts';
import { DIAL, handshakeOf } from './recorded-link.ts';
import { RudePeer } from './rude-peer.ts';
import { ScriptedOwner } from './scripted-answer.ts';

export interface DoorOptions {
  readonly clock?: Clock;
  readonly identity?: Identity;
  readonly networkKey?: Uint8Array;
  readonly peers?: readonly PeerAddress[];
}

export class MeshDoor implements AsyncDisposable {
  readonly mesh: Mesh;
  readonly owner = new ScriptedOwner();
  readonly logged: string[] = [];
  readonly #clients: { destroy(): void }[] = [];

  private constructor({ clock, identity, networkKey, peers }: Required<DoorOptions>) {
    this.mesh = new Mesh(
      {
        clock,
        log: createLog({
          clock,
          level: 'debug',
          secrets: new Secrets(),
          write: (line) => this.logged.push(line),
        }),
        identity,
        networkKey,
        randomBytes,
        chance: () => 0.5,
        dial: dialSocket,
        listen: listenSockets,
        answer: this.owner.answer,
        buffers: new Budget(PROCESS_BUFFER_BYTES_MAX),
        slots: new Budget(CALLS_MAX),
        onChange: () => {},
      },
      {
        name: 'door',
        version: '1.0.0',
        bootEpoch: 1,
        listen: { host: '127.0.0.1', port: 0 },
        peers,
        cards: [],
      },
    );
  }

  /** `second` behind its port, unless it is said otherwise. */
  static async open(options: DoorOptions = {}): Promise<MeshDoor> {
    const most = { clock: realClock, identity: second, networkKey: NETWORK_KEY, peers: [] };
    const door = new MeshDoor({ ...most, ...options });
    await door.mesh.start();
    return door;
  }

  get port(): number {
    const { port } = this.mesh;
    if (port === undefined) throw new Error('the door is closed');
    return port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  get linked(): number {
    return this.mesh.remotes.filter(({ state }) => state.kind === 'linked').length;
  }

  /** A connection on which a test writes by hand. */
  knock(text?: string): RawClient {
    const client = new RawClient(this.port);
    this.#clients.push(client);
    if (text !== undefined) client.write(text);
    return client;
  }

  /** A node that knows the gate and the handshake and keeps no other rule. */
  rude(more: Partial<HandshakeOptions> = {}, identity: Identity = first): RudePeer {
    const pass = new Gate(NETWORK_KEY).pass(randomBytes);
    const socket = dialSocket(this.url, {
      ...DIAL,
      subprotocol: SUBPROTOCOL,
      headers: { [GATE_HEADER]: pass.header },
    });
    this.#clients.push(socket);
    return new RudePeer(socket, handshakeOf('initiator', identity, { prologue: pass.prologue, ...more }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.mesh.close();
  }
}

/** The upgrade of one who holds the network key, with more headers, or some of these replaced. */
export function knockWithPass(
  more: Readonly<Record<string, string | undefined>> = {},
  networkKey: Uint8Array = NETWORK_KEY,
): string {
  return upgradeRequest({
    'sec-websocket-protocol': SUBPROTOCOL,
    [GATE_HEADER]: new Gate(networkKey).pass(randomBytes).header,
    ...more,
  });
}
