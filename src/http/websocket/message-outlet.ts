/**
 * The answer to one message of a WebSocket. Whoever serves calls writes to it as to Node's response: a head, the bytes
 * of events, an end. The client gets each event as a message, and a refusal as one `error`; the socket stays.
 */
import { EventEmitter } from 'node:events';
import type { OutgoingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { ClawError } from '../../core/errors.ts';
import { SOCKET_UNSENT_BYTES_MAX } from '../../core/limits.ts';
import { tolerantJson } from '../../lib/json.ts';
import type { TextSocket } from '../../lib/socket.ts';
import type { Connection, Outlet } from '../outlet.ts';
import { errorMessage, EventMessages } from './event-messages.ts';

type State =
  | 'open'
  /** All is written, and some of it has not left yet. */
  | 'ended'
  | 'finished'
  /** The socket closed before that. */
  | 'lost';

interface Head {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
}

const text = z.string().nullable().catch(null);
const Refusal = z.object({
  error: z.object({ message: z.string(), type: z.string(), param: text, code: text }),
});

/** What clients act on. */
const ERROR_HEADERS = ['retry-after', 'retry-after-ms'];

export class MessageOutlet extends EventEmitter implements Outlet {
  shouldKeepAlive = true;
  readonly socket: Connection;
  readonly #socket: TextSocket;
  readonly #streamId: string | undefined;
  readonly #events: EventMessages;
  #state: State = 'open';
  #head: Head | undefined;
  #refusal = '';
  #sentBytes = 0;
  #isFull = false;
  #isTold = false;
  /** Run once nothing is unsent. */
  #taken: (() => void)[] = [];

  constructor(socket: TextSocket, streamId: string | undefined) {
    super();
    this.#socket = socket;
    this.#streamId = streamId;
    this.#events = new EventMessages(streamId);
    this.socket = this.#connection();
  }

  get headersSent(): boolean {
    return this.#head !== undefined;
  }

  get writableEnded(): boolean {
    return this.#state === 'ended' || this.#state === 'finished';
  }

  get writableFinished(): boolean {
    return this.#state === 'finished';
  }

  get destroyed(): boolean {
    return this.#state === 'finished' || this.#state === 'lost';
  }

  /** The client has the last event: it may ask for the next response while this one still ends. */
  get isTold(): boolean {
    return this.#isTold;
  }

  writeHead(status: number, headers: OutgoingHttpHeaders): this {
    this.#head = { status, headers };
    return this;
  }

  /** There is no head of its own: what it says is in the first message. */
  flushHeaders(): void {}

  write(chunk: Uint8Array | string, taken?: () => void): boolean {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (this.#state === 'open') this.#tell(bytes);
    if (taken !== undefined) this.#whenTaken(taken);
    this.#isFull = this.#socket.unsentBytes >= SOCKET_UNSENT_BYTES_MAX;
    return !this.#isFull;
  }

  end(bytes?: Uint8Array): void {
    if (bytes !== undefined) this.write(bytes);
    if (this.#state !== 'open') return;
    if (this.#head !== undefined && this.#head.status >= 400) this.#refuse(this.#head);
    this.#state = 'ended';
    this.#whenTaken(() => this.#finish());
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Bytes of the socket have left. */
  drained(): void {
    const { unsentBytes } = this.#socket;
    if (unsentBytes === 0) for (const run of this.#taken.splice(0)) run();
    if (!this.#isFull || unsentBytes >= SOCKET_UNSENT_BYTES_MAX / 2) return;
    this.#isFull = false;
    this.emit('drain');
  }

  /** The socket has closed. */
  lost(): void {
    if (this.destroyed) return;
    this.#state = 'lost';
    this.#taken = [];
    this.emit('close');
  }

  #connection(): Connection {
    const socket = this.#socket;
    const sentBytes = () => this.#sentBytes;
    return {
      get writableLength() {
        return socket.unsentBytes;
      },
      get bytesWritten() {
        return sentBytes();
      },
      // Each message is one write already.
      cork() {},
      uncork() {},
      // The response has failed, and its client was told: that ends the response, not the socket.
      destroySoon: () => this.end(),
    };
  }

  #tell(bytes: Uint8Array): void {
    if (this.#head !== undefined && this.#head.status >= 400) {
      this.#refusal += Buffer.from(bytes).toString();
      return;
    }
    for (const { text: message, isLast } of this.#events.read(bytes)) {
      this.#send(message);
      this.#isTold ||= isLast;
    }
  }

  #refuse({ status, headers }: Head): void {
    const told = Refusal.safeParse(tolerantJson(this.#refusal));
    const body = told.success
      ? told.data
      : new ClawError('internal', 'this node refused the call and did not say why').body();
    const waiting = ERROR_HEADERS.filter((name) => headers[name] !== undefined);
    const shown = Object.fromEntries(waiting.map((name) => [name, String(headers[name])]));
    const more = waiting.length === 0 ? {} : { headers: shown };
    this.#send(errorMessage(status, body, { streamId: this.#streamId, ...more }));
    this.#isTold = true;
  }

  #send(message: string): void {
    const bytes = Buffer.from(message);
    this.#sentBytes += bytes.length;
    this.#socket.send(bytes);
  }

  #whenTaken(run: () => void): void {
    this.#taken.push(run);
    // Nobody tells of bytes that left at once, or of none.
    if (this.#socket.unsentBytes === 0) process.nextTick(() => this.drained());
  }

  #finish(): void {
    if (this.#state !== 'ended') return;
    this.#state = 'finished';
    this.emit('finish');
    this.emit('close');
  }
}
