/** Whether a client takes what is written to it. One that takes nothing for too long is given up, and its call with it. */
import { ClawError } from '../core/errors.ts';
import { CLIENT_STALL_MS, EDGE_SWEEP_MS } from '../core/limits.ts';
import type { Sweep, Swept } from './sweep.ts';
import type { Visit } from './visit.ts';

const STALL_TICKS = CLIENT_STALL_MS / EDGE_SWEEP_MS;

export class Uptake implements Swept {
  readonly #visit: Visit;
  readonly #sweep: Sweep;
  /** Bytes of the connection that the system had taken at the last look. */
  #takenBytes = 0;
  #ticks = 0;

  constructor(visit: Visit, sweep: Sweep) {
    this.#visit = visit;
    this.#sweep = sweep;
  }

  /** Looks after a reply that says nothing by itself. */
  tick(): void {
    const { gone, response } = this.#visit;
    if (gone || response.writableFinished) this.#sweep.remove(this);
    else this.check();
  }

  /** Once a tick: what was written is taken, or some of it waits for the client. */
  check(): 'taken' | 'waiting' {
    const { socket } = this.#visit.response;
    // A pipelined request: the connection still belongs to the reply before.
    if (socket === null) return 'waiting';
    const unsent = socket.writableLength;
    const taken = socket.bytesWritten - unsent;
    if (unsent === 0 || taken !== this.#takenBytes) this.#ticks = 0;
    else if (++this.#ticks >= STALL_TICKS) this.#giveUp();
    this.#takenBytes = taken;
    return unsent === 0 ? 'taken' : 'waiting';
  }

  #giveUp(): void {
    const seconds = CLIENT_STALL_MS / 1000;
    const text = `the client took no byte for ${seconds} s while there was something to send: it was given up`;
    this.#visit.cut.abort(new ClawError('cancelled', text));
    this.#visit.response.destroy();
  }
}
