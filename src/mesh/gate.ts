/** The gate before the WebSocket: who does not hold the network key sees a page that does not exist. */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { GATE_NONCES_MAX } from '../core/limits.ts';

export const GATE_HEADER = 'x-clawmatrix-gate';

const ID_BYTES = 8;
const NONCE_BYTES = 16;
const MAC_BYTES = 32;

const derive = (networkKey: Uint8Array, label: string, bytes: number): Buffer =>
  Buffer.from(hkdfSync('sha256', networkKey, new Uint8Array(0), `clawmatrix/1 ${label}`, bytes));

/** What a dial proves, and what both sides then bind the handshake to. */
export interface GatePass {
  readonly header: string;
  readonly prologue: Buffer;
}

/** One network key's gate: makes passes for dials, checks those of others. Remembers what it has let through. */
export class Gate {
  readonly #id: Buffer;
  readonly #key: Buffer;
  /** In the order of their coming, so that the oldest is forgotten first. */
  readonly #seen = new Set<string>();

  constructor(networkKey: Uint8Array) {
    this.#id = derive(networkKey, 'key id', ID_BYTES);
    this.#key = derive(networkKey, 'gate', 32);
  }

  pass(random: (bytes: number) => Uint8Array): GatePass {
    const nonce = Buffer.from(random(NONCE_BYTES));
    return this.#passOf(nonce, this.#mac(nonce));
  }

  /** The pass that the header holds, or undefined for one of another network, one made up, or one seen before. */
  check(header: string | undefined): GatePass | undefined {
    const [id, nonce, mac, ...rest] = (header ?? '').split('.').map((part) => Buffer.from(part, 'base64url'));
    if (id === undefined || nonce === undefined || mac === undefined || rest.length > 0) return undefined;
    if (nonce.length !== NONCE_BYTES || mac.length !== MAC_BYTES || !id.equals(this.#id)) return undefined;
    if (!timingSafeEqual(mac, this.#mac(nonce))) return undefined;
    const text = nonce.toString('base64');
    if (this.#seen.has(text)) return undefined;
    this.#remember(text);
    return this.#passOf(nonce, mac);
  }

  #mac(nonce: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(this.#id).update(nonce).digest();
  }

  #passOf(nonce: Buffer, mac: Buffer): GatePass {
    return {
      header: [this.#id, nonce, mac].map((part) => part.toString('base64url')).join('.'),
      prologue: Buffer.concat([Buffer.from('clawmatrix/1', 'ascii'), this.#id, nonce, mac]),
    };
  }

  #remember(nonce: string): void {
    this.#seen.add(nonce);
    for (const oldest of this.#seen) {
      if (this.#seen.size <= GATE_NONCES_MAX) break;
      this.#seen.delete(oldest);
    }
  }
}
