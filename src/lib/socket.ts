/** WebSockets as the house sees them: whole messages of one kind, hard caps on both ends. The only import of ws. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { listenOn } from './listen.ts';
import { isUpgrade, refuse } from './upgrade.ts';

/** The reason of a dial that got a 404: the other end takes no WebSockets there, or none from this node. */
export const UPGRADE_REFUSED = 'the upgrade was refused';

export interface SocketEvents {
  /** A dialled socket is open; never called for an accepted one, which is open from the start. */
  open(): void;
  message(bytes: Uint8Array): void;
  /** Bytes have left: `unsentBytes` fell. */
  drained(): void;
  /** So many bytes of a text socket have come in, those of a message that is not whole among them. */
  received?(bytes: number): void;
  /** The other side has answered a ping. */
  ponged?(): void;
  /** Once, and the last that is heard. 1006 where the connection was lost without a close, or never came about. */
  closed(code: number, reason: string): void;
}

export interface Socket {
  /** Must be called once, before anything can arrive: in the turn in which the socket was handed over. */
  attach(events: SocketEvents): void;
  send(bytes: Uint8Array): void;
  readonly unsentBytes: number;
  /** Where the other side connects from, or the URL that was dialled. */
  readonly remote: string;
  /** Asks the other side to close; the connection is cut when it does not in time. */
  close(code: number, reason: string): void;
  /** Cuts the connection at once. */
  destroy(): void;
}

/** Its messages are text in UTF-8, checked as such. */
export interface TextSocket extends Socket {
  ping(): void;
}

export interface SocketCaps {
  readonly messageBytesMax: number;
  readonly fragmentsMax: number;
  /** Pieces that a message which is not whole may have come in from the system. */
  readonly chunksMax: number;
  readonly closeMs: number;
}

export interface DialOptions extends SocketCaps {
  readonly subprotocol: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly openMs: number;
}

export type Dial = (url: string, options: DialOptions) => Socket;

/** `P` is what the gate learned of the one who knocks. */
export interface ListenOptions<P> extends SocketCaps {
  readonly host: string;
  readonly port: number;
  readonly subprotocol: string;
  /** For a connection that has not yet asked for an upgrade. */
  readonly openMs: number;
  /** Connections that have not been upgraded; one more is cut. */
  readonly pendingMax: number;
  /** Decides on the upgrade's headers alone. A refusal, undefined, looks like a page that does not exist. */
  admit(headers: IncomingHttpHeaders): P | undefined;
  onSocket(socket: Socket, pass: P): void;
}

export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

class WsSocket implements TextSocket {
  readonly #ws: WebSocket;
  readonly #kind: { readonly binary: boolean };
  readonly #tcp: Duplex | undefined;
  readonly remote: string;
  #events: SocketEvents | undefined;
  #error = '';
  readonly #flushed = () => this.#events?.drained();

  constructor(ws: WebSocket, remote: string, tcp?: Duplex) {
    this.#ws = ws;
    this.#kind = tcp === undefined ? BINARY : TEXT;
    this.#tcp = tcp;
    this.remote = remote;
    // An error is always followed by close; without this listener it would end the process.
    ws.on('error', ({ message }) => {
      this.#error = message === 'Unexpected server response: 404' ? UPGRADE_REFUSED : message;
    });
  }

  get unsentBytes(): number {
    return this.#ws.bufferedAmount;
  }

  attach(events: SocketEvents): void {
    this.#events = events;
    this.#ws.on('open', () => events.open());
    this.#ws.on('message', (data, isBinary) => {
      const { binary } = this.#kind;
      if (isBinary === binary && Buffer.isBuffer(data)) events.message(data);
      else this.#ws.close(1003, `${binary ? 'binary' : 'text'} messages only`);
    });
    // Before the listener of ws, which may tell of the message that these bytes complete.
    this.#tcp?.prependListener('data', ({ length }: Buffer) => events.received?.(length));
    this.#ws.on('pong', () => events.ponged?.());
    this.#ws.once('close', (code, reason) => events.closed(code, reason.toString('utf8') || this.#error));
  }

  send(bytes: Uint8Array): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.send(bytes, this.#kind, this.#flushed);
  }

  ping(): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.ping();
  }

  close(code: number, reason: string): void {
    this.#ws.close(code, reason);
  }

  destroy(): void {
    this.#ws.terminate();
  }
}

const BINARY = { binary: true };
const TEXT = { binary: false };

/** Options of ws that its published types do not know yet. */
function capsOf(caps: SocketCaps) {
  return {
    perMessageDeflate: false,
    maxPayload: caps.messageBytesMax,
    maxFragments: caps.fragmentsMax,
    maxBufferedChunks: caps.chunksMax,
    closeTimeout: caps.closeMs,
  };
}

export const dialSocket: Dial = (url, options) => {
  const ws = new WebSocket(url, options.subprotocol, {
    ...capsOf(options),
    headers: { ...options.headers },
    handshakeTimeout: options.openMs,
    followRedirects: false,
    // The bytes are sealed already. A mask of zeros is legal and is not applied, which halves the cost of sending.
    generateMask: () => {},
  });
  return new WsSocket(ws, url);
};

/** Listens for WebSockets. Whatever is not an upgrade that `admit` takes gets the same plain 404. */
export async function listenSockets<P>(options: ListenOptions<P>): Promise<Listener> {
  const wss = new WebSocketServer({
    noServer: true,
    ...capsOf(options),
    handleProtocols: () => options.subprotocol,
  });
  const server = createServer({
    headersTimeout: options.openMs,
    requestTimeout: options.openMs,
    connectionsCheckingInterval: Math.min(1_000, options.openMs),
    maxHeaderSize: 4_096,
    // Node's own refusal would be another one than ours.
    requireHostHeader: false,
  });
  const pending = new Set<Duplex>();
  server.on('connection', (tcp: TcpSocket) => {
    if (pending.size >= options.pendingMax) {
      tcp.destroy();
      return;
    }
    pending.add(tcp);
    tcp.once('close', () => pending.delete(tcp));
  });
  // Node answers some of these by itself, each in its own way: a stranger could tell this server from another.
  for (const event of ['request', 'checkContinue', 'checkExpectation'])
    server.on(event, ({ socket }: IncomingMessage) => refuse(socket));
  server.on('connect', (_request, tcp) => refuse(tcp));
  server.on('clientError', (_error, tcp) => refuse(tcp));
  server.on('upgrade', (request, tcp, head) => {
    tcp.on('error', () => tcp.destroy());
    const pass = isUpgrade(request, options.subprotocol) ? options.admit(request.headers) : undefined;
    if (pass === undefined) return refuse(tcp);
    const { remoteAddress = 'unknown', remotePort = 0 } = request.socket;
    wss.handleUpgrade(request, tcp, head, (ws) => {
      pending.delete(tcp);
      options.onSocket(new WsSocket(ws, `${remoteAddress}:${remotePort}`), pass);
    });
  });
  const port = await listenOn(server, options);
  return { port, close: () => closeServer(server, wss, pending) };
}

/** Takes an upgrade that a server of HTTP has checked, for messages of text. */
export function acceptText(
  request: IncomingMessage,
  head: Buffer,
  caps: SocketCaps,
  onSocket: (socket: TextSocket) => void,
): void {
  const wss = new WebSocketServer({
    noServer: true,
    ...capsOf(caps),
    clientTracking: false,
    handleProtocols: () => false,
  });
  const { remoteAddress = 'unknown', remotePort = 0 } = request.socket;
  wss.handleUpgrade(request, request.socket, head, (ws) =>
    onSocket(new WsSocket(ws, `${remoteAddress}:${remotePort}`, request.socket)),
  );
}

/** Sockets that were upgraded are not the server's any more: whoever took them closes them. */
function closeServer(server: Server, wss: WebSocketServer, pending: Set<Duplex>): Promise<void> {
  wss.close();
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const tcp of pending) tcp.destroy();
    server.closeAllConnections();
  });
}
