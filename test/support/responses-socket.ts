/** A client of Responses over WebSocket: sends messages, and reads answers as a client does that knows one at a time. */
import { WebSocket } from 'ws';
import { checkMessages } from './checked-streams.ts';
import { eventually, within } from './eventually.ts';

export interface Message {
  readonly type: string;
  readonly [name: string]: unknown;
}

export interface OpenOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly subprotocols?: readonly string[];
}

/** The last message of an answer, for a client that asks for the next one then. */
const LAST = new Set(['response.completed', 'response.incomplete', 'response.failed', 'error']);

export class ResponsesSocket implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly messages: Message[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  #readUpTo = 0;
  readonly #opened: Promise<void>;

  private constructor(url: string, { headers = {}, subprotocols = [] }: OpenOptions) {
    this.socket = new WebSocket(url.replace(/^http/, 'ws'), [...subprotocols], { headers });
    this.socket.on('message', (data, isBinary) => {
      if (isBinary) throw new Error('a binary message');
      this.messages.push(JSON.parse(String(data)));
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    this.#opened = new Promise((resolve, reject) => {
      this.socket.once('open', resolve).once('error', reject);
    });
    this.socket.on('error', () => {});
  }

  /** `url` of HTTP, as of a request. Rejects with "Unexpected server response: STATUS" where the upgrade is refused. */
  static async open(url: string, options: OpenOptions = {}): Promise<ResponsesSocket> {
    const client = new ResponsesSocket(url, options);
    await within('the socket opens', client.#opened);
    return client;
  }

  send(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The messages from the last one that was read up to the end of the answer. */
  async answer(): Promise<readonly Message[]> {
    const end = await eventually('the last message of the answer', () => {
      const at = this.messages.findIndex(({ type }, index) => index >= this.#readUpTo && LAST.has(type));
      return at < 0 ? undefined : at + 1;
    });
    const answer = this.messages.slice(this.#readUpTo, end);
    this.#readUpTo = end;
    checkMessages(answer);
    return answer;
  }

  /** Sends a `response.create` with these members, and reads its answer. */
  async create(members: object): Promise<readonly Message[]> {
    this.send({ type: 'response.create', ...members });
    return this.answer();
  }

  async close(): Promise<{ readonly code: number; readonly reason: string }> {
    this.socket.close();
    return this.ended();
  }

  ended(): Promise<{ readonly code: number; readonly reason: string }> {
    return eventually('the socket has closed', () => this.closed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
    await this.ended();
  }
}
