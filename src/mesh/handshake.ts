/** Who is at the other end: three Noise messages, each side's identity inside. No I/O; any fault ends it. */
import { type NodeId, nodeIdOf } from '../core/ids.ts';
import type { Cipher } from './cipher.ts';
import { type Identity, isSignedBy, PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from './identity.ts';
import { Noise, type Role } from './noise.ts';
import { type DhPair, newDhPair } from './x25519.ts';

/** For the local log alone: from outside every refusal looks the same. */
export class HandshakeRefused extends Error {
  override readonly name = 'HandshakeRefused';
}

export interface Session {
  readonly peer: NodeId;
  readonly send: Cipher;
  readonly receive: Cipher;
}

export interface HandshakeOptions {
  readonly role: Role;
  readonly identity: Identity;
  /** This process's Noise key: made at start, never stored. */
  readonly static: DhPair;
  readonly networkKey: Uint8Array;
  readonly prologue: Uint8Array;
  /** The only id that will do. */
  readonly expected?: NodeId;
}

const NOTHING = Buffer.alloc(0);

export function newStaticKey(): DhPair {
  return newDhPair();
}

export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #noise: Noise;
  #peer: NodeId | undefined;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#noise = new Noise({
      name: 'Noise_XXpsk3_25519_ChaChaPoly_SHA256',
      role: options.role,
      prologue: options.prologue,
      psk: options.networkKey,
      static: options.static,
    });
  }

  /** The dialler's first message. */
  first(): Buffer {
    return this.#noise.write(NOTHING);
  }

  /** Takes the next message; says what to send, if anything, and the session once there is one. */
  receive(message: Uint8Array): { readonly send?: Buffer; readonly session?: Session } {
    try {
      const payload = this.#noise.read(message);
      if (
        this.#options.role === 'responder' &&
        !this.#noise.finished &&
        this.#noise.remoteStatic === undefined
      ) {
        if (payload.length > 0) throw new HandshakeRefused('message 1 has a payload');
        return { send: this.#noise.write(this.#proof()) };
      }
      this.#peer = this.#checkProof(payload);
      if (this.#options.role === 'responder') return { session: this.#session(this.#peer) };
      return { send: this.#noise.write(this.#proof()), session: this.#session(this.#peer) };
    } catch (cause) {
      if (cause instanceof HandshakeRefused) throw cause;
      throw new HandshakeRefused(cause instanceof Error ? cause.message : 'bad message', { cause });
    }
  }

  #proof(): Buffer {
    const { identity } = this.#options;
    return Buffer.concat([identity.publicKey, identity.sign('static key', this.#options.static.publicKey)]);
  }

  #checkProof(payload: Buffer): NodeId {
    if (payload.length !== PUBLIC_KEY_BYTES + SIGNATURE_BYTES)
      throw new HandshakeRefused('identity has a wrong length');
    const publicKey = payload.subarray(0, PUBLIC_KEY_BYTES);
    const id = nodeIdOf(publicKey);
    const { identity, expected } = this.#options;
    if (id === identity.id) throw new HandshakeRefused('the other end is this node itself');
    if (expected !== undefined && id !== expected)
      throw new HandshakeRefused(`the other end is ${id}, not ${expected}`);
    const proved = this.#noise.remoteStatic;
    if (
      proved === undefined ||
      !isSignedBy(publicKey, 'static key', proved, payload.subarray(PUBLIC_KEY_BYTES))
    ) {
      throw new HandshakeRefused('the identity did not sign this key');
    }
    return id;
  }

  #session(peer: NodeId): Session {
    const { send, receive } = this.#noise.split();
    return { peer, send, receive };
  }
}
