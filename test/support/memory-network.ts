/**
 * A network without sockets: hosts that dial and listen as `lib/socket.ts` does, on a clock that a test moves.
 * Faults: `onWire` sees each connection as it is dialled and can set its lanes' faults; `reaches` parts hosts.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../../src/lib/clock.ts';
import {
  type Dial,
  type DialOptions,
  type Listener,
  type ListenOptions,
  type Socket,
  UPGRADE_REFUSED,
} from '../../src/lib/socket.ts';
import { Lane, MemorySocket } from './memory-socket.ts';

/** One connection, from its dial to its end. */
export interface Wire {
  readonly from: string;
  readonly to: string;
  /** What the dialler sends, and what it gets. */
  readonly there: Lane;
  readonly back: Lane;
  /** Both ends lose the connection at once, as when a cable's two ends notice. */
  cut(): void;
}

export interface Host {
  readonly dial: Dial;
  readonly listen: <P>(options: ListenOptions<P>) => Promise<Listener>;
}

/** Takes a knock: hands over the socket that `accept` makes, or says no. */
type Door = (knock: DialOptions, accept: (caps: ListenOptions<unknown>) => Socket) => 'in' | 'refused';

const FIRST_PORT = 40_000;

export class MemoryNetwork {
  readonly #clock: Clock;
  readonly #doors = new Map<string, Door>();
  readonly #wires: Wire[] = [];
  #nextPort = FIRST_PORT;

  /** Called with each new connection before anything travels on it. */
  onWire: (wire: Wire) => void = () => {};
  /** Whether new connections get from one host to another; a dial that does not hears nothing until its time is up. */
  reaches: (from: string, to: string) => boolean = () => true;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Every connection that was ever dialled, in order. */
  get wires(): readonly Wire[] {
    return this.#wires;
  }

  /** The network as the machine of this name sees it; others reach it as `ws://name:port`. */
  host(name: string): Host {
    return {
      dial: (url, options) => this.#dial(name, url, options),
      listen: (options) => this.#listen(name, options),
    };
  }

  #listen<P>(name: string, options: ListenOptions<P>): Promise<Listener> {
    const port = options.port === 0 ? this.#nextPort++ : options.port;
    const key = `${name}:${port}`;
    if (this.#doors.has(key)) return Promise.reject(new Error(`listen EADDRINUSE ${key}`));
    this.#doors.set(key, (knock, accept) => {
      if (knock.subprotocol !== options.subprotocol) return 'refused';
      const headers: IncomingHttpHeaders = { ...knock.headers };
      const pass = options.admit(headers);
      if (pass === undefined) return 'refused';
      options.onSocket(accept(options), pass);
      return 'in';
    });
    const close = () => {
      this.#doors.delete(key);
      return Promise.resolve();
    };
    return Promise.resolve({ port, close });
  }

  #dial(from: string, remote: string, options: DialOptions): Socket {
    const clock = this.#clock;
    const url = new URL(remote);
    let far: MemorySocket | undefined;
    const near = new MemorySocket({
      clock,
      caps: options,
      remote,
      openMs: options.openMs,
      out: () => there,
    });
    const there = new Lane(clock, {
      arrived: (item) => {
        if (item.kind === 'knock') knock();
        else far?.arrived(item);
      },
      left: () => near.left(),
    });
    const back = new Lane(clock, { arrived: (item) => near.arrived(item), left: () => far?.left() });
    const knock = () => {
      const answer = this.#doors.get(url.host)?.(options, (caps) => {
        back.push({ kind: 'opened' });
        far = new MemorySocket({ clock, caps, remote: `${from}:${this.#nextPort++}`, out: () => back });
        return far;
      });
      if (answer === undefined) back.push({ kind: 'refused', reason: `connect ECONNREFUSED ${url.host}` });
      if (answer === 'refused') back.push({ kind: 'refused', reason: UPGRADE_REFUSED });
    };
    const cut = () => {
      near.cut();
      far?.cut();
      back.clear();
    };
    const wire = { from, to: url.hostname, there, back, cut };
    this.#wires.push(wire);
    this.onWire(wire);
    if (this.reaches(from, url.hostname)) there.push({ kind: 'knock' });
    return near;
  }
}
