/**
 * Where the answer to one call is written, as far as those who write it look: Node's response to an HTTP request is one
 * as it is, and so is the answer to a message of a WebSocket.
 */
import type { OutgoingHttpHeaders } from 'node:http';

export interface Outlet {
  readonly headersSent: boolean;
  /** `end` was called. */
  readonly writableEnded: boolean;
  /** And all of it has been taken by the system. */
  readonly writableFinished: boolean;
  /** The client has left, or all is told. */
  readonly destroyed: boolean;
  /** False: nothing may come behind this answer on its connection. */
  shouldKeepAlive: boolean;
  /** The connection under it; null while it belongs to an earlier answer. */
  readonly socket: Connection | null;
  writeHead(status: number, headers: OutgoingHttpHeaders): Outlet;
  flushHeaders(): void;
  /** False: wait for `drain` before there is more. `taken` runs when the bytes have left this process. */
  write(bytes: Uint8Array | string, taken?: () => void): boolean;
  end(bytes?: Uint8Array): unknown;
  /** Gives the client up. */
  destroy(): unknown;
  on(event: OutletEvent, listener: () => void): this;
  once(event: OutletEvent, listener: () => void): this;
  off(event: OutletEvent, listener: () => void): this;
}

export type OutletEvent = 'drain' | 'finish' | 'close';

export interface Connection {
  /** Of those that were written since it began, so many have not left this process. */
  readonly writableLength: number;
  readonly bytesWritten: number;
  cork(): void;
  uncork(): void;
  /** Ends it as soon as what is written has left. */
  destroySoon(): void;
}
