/** Where links begin, dialled and accepted: gate, handshake, caps. Keeps those that have not ended; knows no peers. */
import type { NodeId } from '../core/ids.ts';
import {
  HANDSHAKE_MS,
  HANDSHAKES_PENDING_MAX,
  RECORD_PLAIN_BYTES_MAX,
  RECORD_TAG_BYTES,
  SOCKET_CHUNKS_MAX,
  SOCKET_CLOSE_MS,
  SOCKET_FRAGMENTS_MAX,
} from '../core/limits.ts';
import type { Clock } from '../lib/clock.ts';
import type { Dial, Listener, ListenOptions, Socket } from '../lib/socket.ts';
import { CLOSE, type ReadyHead, SUBPROTOCOL } from '../protocol/frame.ts';
import type { PeerAddress } from './dialer.ts';
import { GATE_HEADER, Gate, type GatePass } from './gate.ts';
import { newStaticKey } from './handshake.ts';
import type { Identity } from './identity.ts';
import { Link, type LinkEvents } from './link.ts';

export interface LinkMakerParts {
  readonly clock: Clock;
  readonly identity: Identity;
  readonly networkKey: Uint8Array;
  readonly randomBytes: (bytes: number) => Uint8Array;
  readonly dial: Dial;
  readonly listen: (options: ListenOptions<GatePass>) => Promise<Listener>;
}

const CAPS = {
  messageBytesMax: RECORD_PLAIN_BYTES_MAX + RECORD_TAG_BYTES,
  fragmentsMax: SOCKET_FRAGMENTS_MAX,
  chunksMax: SOCKET_CHUNKS_MAX,
  closeMs: SOCKET_CLOSE_MS,
};

export class LinkMaker {
  readonly #parts: LinkMakerParts;
  readonly #hello: ReadyHead;
  readonly #events: LinkEvents;
  readonly #gate: Gate;
  readonly #static = newStaticKey();
  /** Every link that has not ended, those that have not met their peer yet among them. */
  readonly #links = new Set<Link>();
  /** Those of them that were accepted and have not proved themselves. */
  readonly #accepted = new Set<Link>();
  #listener: Listener | undefined;

  /** `hello` is what this node says of itself on every link. */
  constructor(parts: LinkMakerParts, hello: ReadyHead, events: LinkEvents) {
    this.#parts = parts;
    this.#hello = hello;
    this.#events = events;
    this.#gate = new Gate(parts.networkKey);
  }

  /** Of the mesh, once it listens. */
  get port(): number | undefined {
    return this.#listener?.port;
  }

  async listen(address: { readonly host: string; readonly port: number }): Promise<void> {
    this.#listener = await this.#parts.listen({
      ...CAPS,
      ...address,
      subprotocol: SUBPROTOCOL,
      openMs: HANDSHAKE_MS,
      pendingMax: HANDSHAKES_PENDING_MAX,
      admit: (headers) => this.#admit(headers[GATE_HEADER]),
      onSocket: (socket, pass) => this.#accepted.add(this.#link(socket, 'responder', pass)),
    });
  }

  dial({ url, id }: PeerAddress): Link {
    const pass = this.#gate.pass(this.#parts.randomBytes);
    const socket = this.#parts.dial(url, {
      ...CAPS,
      subprotocol: SUBPROTOCOL,
      headers: { [GATE_HEADER]: pass.header },
      openMs: HANDSHAKE_MS,
    });
    return this.#link(socket, 'initiator', pass, id);
  }

  /** Ends every link, and listens no more. */
  async close(): Promise<void> {
    for (const link of [...this.#links]) link.close(CLOSE.goingAway, 'this node stops');
    await this.#listener?.close();
  }

  #admit(header: string | string[] | undefined): GatePass | undefined {
    if (typeof header !== 'string' || this.#accepted.size >= HANDSHAKES_PENDING_MAX) return undefined;
    return this.#gate.check(header);
  }

  #link(socket: Socket, role: 'initiator' | 'responder', pass: GatePass, expected?: NodeId): Link {
    const { identity, networkKey, clock } = this.#parts;
    const link = new Link({
      socket,
      clock,
      handshake: {
        role,
        identity,
        static: this.#static,
        networkKey,
        prologue: pass.prologue,
        ...(expected === undefined ? {} : { expected }),
      },
      hello: this.#hello,
      events: {
        ready: (ready) => {
          this.#accepted.delete(ready);
          this.#events.ready(ready);
        },
        frame: (from, frame) => this.#events.frame(from, frame),
        closed: (closed, end) => {
          this.#links.delete(closed);
          this.#accepted.delete(closed);
          this.#events.closed(closed, end);
        },
      },
    });
    this.#links.add(link);
    return link;
  }
}
