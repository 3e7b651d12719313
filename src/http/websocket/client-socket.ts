/**
 * One WebSocket of a client: a message asks for a response, one at a time, and its events come back. Ends after an hour,
 * when the client is not heard any more, and when the daemon stops; a response that runs has its end before.
 */
import type { IncomingMessage } from 'node:http';
import { ClawError } from '../../core/errors.ts';
import type { CallId } from '../../core/ids.ts';
import {
  CLIENT_PING_MS,
  CLIENT_SILENCE_MS,
  CLIENT_SOCKET_MS,
  CLIENT_STALL_MS,
  REQUEST_BODY_BYTES_MAX,
  SOCKET_UNSENT_BYTES_MAX,
} from '../../core/limits.ts';
import type { Budget } from '../../lib/budget.ts';
import type { Cancel, Clock } from '../../lib/clock.ts';
import type { TextSocket } from '../../lib/socket.ts';
import { asClawError } from '../error-reply.ts';
import { type HeldBody, heldBytes } from '../read-body.ts';
import { Visit } from '../visit.ts';
import { type CreateMessage, readCreate } from './create-message.ts';
import { errorMessage } from './event-messages.ts';
import { MessageOutlet } from './message-outlet.ts';

export interface ClientSocketParts {
  readonly socket: TextSocket;
  /** That asked for the socket: its headers are those of each call. */
  readonly request: IncomingMessage;
  readonly clock: Clock;
  readonly budget: Budget;
  readonly newId: () => CallId;
  /** Resolves when the call is over. Never rejects. */
  readonly serve: (visit: Visit, asked: Asked) => Promise<void>;
  readonly closed: () => void;
}

/** A message, its bytes out of the budget. */
export interface Asked {
  readonly held: HeldBody;
  readonly warmsUp: boolean;
}

interface Turn extends Asked {
  readonly streamId: string | undefined;
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly outlet: MessageOutlet; next?: Turn }
  | { readonly kind: 'closed' };

const IDLE = { kind: 'idle' } as const;

/** Why no more responses are begun. */
type Last = 'old' | 'stopping';

export class ClientSocket {
  readonly #parts: ClientSocketParts;
  readonly #timers: readonly Cancel[];
  #state: State = IDLE;
  #last: Last | undefined;
  #heardAt: number;
  /** Bytes of a message that is not whole yet, out of the budget. */
  #receivedBytes = 0;

  constructor(parts: ClientSocketParts) {
    const { clock, socket } = parts;
    this.#parts = parts;
    this.#heardAt = clock.now();
    this.#timers = [
      clock.after(CLIENT_SOCKET_MS, () => this.#endAfterThis('old')),
      clock.every(CLIENT_PING_MS, () => this.#ping()),
    ];
    socket.attach({
      open: () => {},
      received: (bytes) => this.#received(bytes),
      message: (bytes) => this.#take(bytes),
      drained: () => this.#running?.outlet.drained(),
      ponged: () => this.#heard(),
      closed: () => this.#closed(),
    });
  }

  /** The daemon stops: a response that runs may end, and no other begins. */
  drain(): void {
    this.#endAfterThis('stopping');
  }

  destroy(): void {
    this.#parts.socket.destroy();
  }

  get #running(): Extract<State, { kind: 'running' }> | undefined {
    return this.#state.kind === 'running' ? this.#state : undefined;
  }

  #take(bytes: Uint8Array): void {
    this.#heard();
    this.#forgetReceived();
    const isOver = this.#state.kind === 'closed' || (this.#state.kind === 'idle' && this.#last !== undefined);
    if (isOver) return;
    let create: CreateMessage | undefined;
    try {
      create = readCreate(bytes);
      this.#checkFree();
      const { warmsUp, streamId } = create;
      this.#begin({ held: heldBytes(create.body, this.#parts.budget), warmsUp, streamId });
    } catch (thrown) {
      this.#refuse(asClawError(thrown), create?.streamId);
    }
  }

  /** A client that sends, and neither ends what it sends nor reads, is given up. */
  #received(bytes: number): void {
    const { budget, socket } = this.#parts;
    if (socket.unsentBytes > REQUEST_BODY_BYTES_MAX || !budget.take(bytes)) return socket.destroy();
    this.#receivedBytes += bytes;
  }

  #forgetReceived(): void {
    this.#parts.budget.give(this.#receivedBytes);
    this.#receivedBytes = 0;
  }

  /** A client that has the last event of a response may ask at once, though this node is not done with it. */
  #checkFree(): void {
    const running = this.#running;
    if (running === undefined || (running.outlet.isTold && running.next === undefined)) return;
    const text = 'this socket has a response in progress: wait for its last event, or open another socket';
    throw new ClawError('response_already_in_flight', text);
  }

  #begin(turn: Turn): void {
    if (this.#state.kind === 'running') this.#state.next = turn;
    else this.#run(turn);
  }

  #run({ streamId, ...asked }: Turn): void {
    const { socket, request, clock, newId, serve } = this.#parts;
    const outlet = new MessageOutlet(socket, streamId);
    this.#state = { kind: 'running', outlet };
    void serve(new Visit(newId(), request, outlet, clock), asked).then(() => this.#settled());
  }

  #settled(): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#state = IDLE;
    if (running.next !== undefined && this.#last === undefined) this.#run(running.next);
    else if (this.#last !== undefined) {
      running.next?.held.release();
      this.#end(this.#last);
    }
  }

  #refuse(error: ClawError, streamId?: string): void {
    const { socket } = this.#parts;
    // It goes on asking and reads nothing.
    if (socket.unsentBytes > SOCKET_UNSENT_BYTES_MAX) return socket.destroy();
    const { status, retryAfterSeconds: seconds } = error;
    const headers = seconds === undefined ? {} : { headers: { 'retry-after': String(Math.ceil(seconds)) } };
    socket.send(Buffer.from(errorMessage(status, error.body(), { streamId, ...headers })));
  }

  #endAfterThis(last: Last): void {
    this.#last ??= last;
    if (this.#state.kind === 'idle') this.#end(this.#last);
  }

  #end(last: Last): void {
    const { socket } = this.#parts;
    if (last === 'stopping') return socket.close(1001, 'this node is stopping');
    const minutes = CLIENT_SOCKET_MS / 60_000;
    this.#refuse(
      new ClawError(
        'websocket_connection_limit_reached',
        `a socket is kept for ${minutes} minutes: open a new one and go on there`,
      ),
    );
    socket.close(1000, `${minutes} minutes are over`);
  }

  #heard(): void {
    this.#heardAt = this.#parts.clock.now();
  }

  /** A client that waits for events reads, and so answers; one that does its own work may not look for minutes. */
  #ping(): void {
    const { clock, socket } = this.#parts;
    const reads = this.#running !== undefined && socket.unsentBytes === 0;
    const quietMs = clock.now() - this.#heardAt;
    if (quietMs >= (reads ? CLIENT_STALL_MS : CLIENT_SILENCE_MS)) socket.destroy();
    // Behind what is unsent it would come late, and hide from `Uptake` that nothing of that is taken.
    else if (socket.unsentBytes === 0) socket.ping();
  }

  #closed(): void {
    const running = this.#running;
    this.#state = { kind: 'closed' };
    for (const cancel of this.#timers) cancel();
    this.#forgetReceived();
    running?.next?.held.release();
    running?.outlet.lost();
    this.#parts.closed();
  }
}
