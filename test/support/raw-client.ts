/** A TCP client that writes what a well-behaved WebSocket library would not: requests and frames by hand. */
import { connect, type Socket } from 'node:net';
import { eventually } from './eventually.ts';

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9 } as const;

export interface FrameOptions {
  readonly final?: boolean;
  /** The three bits that only extensions may set. */
  readonly reserved?: number;
  readonly masked?: boolean;
  /** What the header claims, in place of the payload's own length. */
  readonly claimedBytes?: bigint;
}

export function webSocketFrame(opcode: number, payload: Uint8Array, options: FrameOptions = {}): Buffer {
  const { final = true, reserved = 0, masked = true, claimedBytes = BigInt(payload.length) } = options;
  const header = Buffer.alloc(10);
  header.writeUInt8((final ? 0x80 : 0) | (reserved << 4) | opcode, 0);
  header.writeUInt8((masked ? 0x80 : 0) | 127, 1);
  header.writeBigUInt64BE(claimedBytes, 2);
  const short = claimedBytes < 126n;
  const head = short ? Buffer.of(header.readUInt8(0), (masked ? 0x80 : 0) | Number(claimedBytes)) : header;
  // A mask of zeros changes nothing.
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), payload]);
}

export class RawClient {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  ended = false;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.ended = true;
    });
  }

  get received(): Buffer {
    return this.#received;
  }

  get text(): string {
    return this.#received.toString('latin1');
  }

  write(data: string | Uint8Array): void {
    this.#socket.write(data);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The code of the close frame behind the upgrade's answer, once it has come. */
  get closeCode(): number | undefined {
    const start = this.#received.indexOf('\r\n\r\n');
    let frames = start < 0 ? Buffer.alloc(0) : this.#received.subarray(start + 4);
    // Of a server, so without a mask; up to 64 KiB each.
    while (frames.length >= 4) {
      if ((frames.readUInt8(0) & 0x0f) === OPCODE.close) return frames.readUInt16BE(2);
      const short = frames.readUInt8(1);
      frames = frames.subarray(short < 126 ? 2 + short : 4 + frames.readUInt16BE(2));
    }
    return undefined;
  }

  async upgraded(): Promise<void> {
    await eventually('the upgrade is answered', () => this.text.startsWith('HTTP/1.1 101 '));
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** An upgrade request; a header given as undefined is left out. */
export function upgradeRequest(
  headers: Readonly<Record<string, string | undefined>>,
  { method = 'GET', path = '/' } = {},
): string {
  const all: Record<string, string | undefined> = {
    host: 'mesh.test',
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}: ${value}`,
  );
  return [`${method} ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}
