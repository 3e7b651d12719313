/** The Noise protocol framework, revision 34: pattern XX, with or without a psk in message 3. No I/O, no policy. */
import { createHash, createHmac } from 'node:crypto';
import { RECORD_TAG_BYTES } from '../core/limits.ts';
import { Cipher } from './cipher.ts';
import { DH_BYTES, type DhPair, newDhPair, sharedSecret } from './x25519.ts';

type Token = 'e' | 's' | 'ee' | 'es' | 'se' | 'psk';

const PATTERNS = {
  Noise_XX_25519_ChaChaPoly_SHA256: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']],
  Noise_XXpsk3_25519_ChaChaPoly_SHA256: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se', 'psk']],
} as const satisfies Record<string, readonly (readonly Token[])[]>;

export type NoiseName = keyof typeof PATTERNS;
export type Role = 'initiator' | 'responder';

export interface NoiseOptions {
  readonly name: NoiseName;
  readonly role: Role;
  readonly prologue: Uint8Array;
  readonly psk?: Uint8Array;
  readonly static: DhPair;
  /** From outside only in test vectors. */
  readonly ephemeral?: DhPair;
}

/** The two directions' ciphers once the last message has passed, as this side uses them. */
export interface NoiseSplit {
  readonly send: Cipher;
  readonly receive: Cipher;
  readonly handshakeHash: Buffer;
}

const hash = (...parts: readonly Uint8Array[]): Buffer => {
  const sha = createHash('sha256');
  for (const part of parts) sha.update(part);
  return sha.digest();
};

function hkdf(chainingKey: Buffer, input: Uint8Array, outputs: number): Buffer[] {
  const mac = (key: Buffer, data: Uint8Array) => createHmac('sha256', key).update(data).digest();
  const secret = mac(chainingKey, input);
  const all: Buffer[] = [];
  let last = Buffer.alloc(0);
  for (let index = 1; index <= outputs; index++) {
    last = mac(secret, Buffer.concat([last, Buffer.of(index)]));
    all.push(last);
  }
  return all;
}

function at(keys: readonly Buffer[], index: number): Buffer {
  const key = keys[index];
  if (key === undefined) throw new RangeError(`no key ${index}`);
  return key;
}

/** One side of one handshake. Messages alternate, the initiator first; a message that is not right throws. */
export class Noise {
  readonly #options: NoiseOptions;
  readonly #pattern: readonly (readonly Token[])[];
  #chainingKey: Buffer;
  #hash: Buffer;
  #cipher: Cipher | undefined;
  #ephemeral: DhPair | undefined;
  #remoteEphemeral: Buffer | undefined;
  #remoteStatic: Buffer | undefined;
  #step = 0;

  constructor(options: NoiseOptions) {
    this.#options = options;
    this.#pattern = PATTERNS[options.name];
    const name = Buffer.from(options.name, 'ascii');
    this.#hash = name.length <= 32 ? Buffer.concat([name, Buffer.alloc(32 - name.length)]) : hash(name);
    this.#chainingKey = this.#hash;
    this.#mixHash(options.prologue);
  }

  get finished(): boolean {
    return this.#step === this.#pattern.length;
  }

  /** The other side's static key, once it was received. */
  get remoteStatic(): Buffer | undefined {
    return this.#remoteStatic;
  }

  write(payload: Uint8Array): Buffer {
    const parts: Buffer[] = [];
    for (const token of this.#nextTokens('write')) {
      if (token === 'e') parts.push(this.#writeEphemeral());
      else if (token === 's') parts.push(this.#seal(this.#options.static.publicKey));
      else this.#mixToken(token);
    }
    parts.push(this.#seal(payload));
    return Buffer.concat(parts);
  }

  read(message: Uint8Array): Buffer {
    let rest = message;
    const take = (bytes: number): Uint8Array => {
      if (rest.length < bytes) throw new RangeError('message is too short');
      const head = rest.subarray(0, bytes);
      rest = rest.subarray(bytes);
      return head;
    };
    for (const token of this.#nextTokens('read')) {
      if (token === 'e') this.#readEphemeral(take(DH_BYTES));
      else if (token === 's')
        this.#remoteStatic = this.#open(take(DH_BYTES + (this.#cipher ? RECORD_TAG_BYTES : 0)));
      else this.#mixToken(token);
    }
    return this.#open(rest);
  }

  split(): NoiseSplit {
    if (!this.finished) throw new Error('the handshake is not over');
    const keys = hkdf(this.#chainingKey, Buffer.alloc(0), 2);
    const first = new Cipher(at(keys, 0));
    const second = new Cipher(at(keys, 1));
    return this.#options.role === 'initiator'
      ? { send: first, receive: second, handshakeHash: this.#hash }
      : { send: second, receive: first, handshakeHash: this.#hash };
  }

  #nextTokens(act: 'write' | 'read'): readonly Token[] {
    const tokens = this.#pattern[this.#step];
    const turn = this.#step % 2 === 0 ? 'initiator' : 'responder';
    if (tokens === undefined || (turn === this.#options.role) !== (act === 'write')) {
      throw new Error(`not the turn to ${act}`);
    }
    this.#step++;
    return tokens;
  }

  #writeEphemeral(): Buffer {
    this.#ephemeral = this.#options.ephemeral ?? newDhPair();
    this.#mixEphemeral(this.#ephemeral.publicKey);
    return this.#ephemeral.publicKey;
  }

  #readEphemeral(key: Uint8Array): void {
    this.#remoteEphemeral = Buffer.from(key);
    this.#mixEphemeral(this.#remoteEphemeral);
  }

  /** With a psk the ephemeral key goes into the chaining key too: a psk alone would give every handshake one key. */
  #mixEphemeral(key: Buffer): void {
    this.#mixHash(key);
    if (this.#options.psk !== undefined) this.#mixKey(key);
  }

  #mixToken(token: Exclude<Token, 'e' | 's'>): void {
    const { role, psk } = this.#options;
    const own = this.#options.static;
    const initiator = role === 'initiator';
    switch (token) {
      case 'ee':
        this.#mixKey(this.#dh(this.#ephemeral, this.#remoteEphemeral));
        break;
      case 'es':
        this.#mixKey(
          initiator ? this.#dh(this.#ephemeral, this.#remoteStatic) : this.#dh(own, this.#remoteEphemeral),
        );
        break;
      case 'se':
        this.#mixKey(
          initiator ? this.#dh(own, this.#remoteEphemeral) : this.#dh(this.#ephemeral, this.#remoteStatic),
        );
        break;
      case 'psk': {
        if (psk === undefined) throw new Error('this pattern needs a psk');
        const keys = hkdf(this.#chainingKey, psk, 3);
        this.#chainingKey = at(keys, 0);
        this.#mixHash(at(keys, 1));
        this.#cipher = new Cipher(at(keys, 2));
      }
    }
  }

  #dh(own: DhPair | undefined, remote: Uint8Array | undefined): Buffer {
    if (own === undefined || remote === undefined)
      throw new Error('a key that the pattern needs has not come');
    return sharedSecret(own, remote);
  }

  #mixHash(data: Uint8Array): void {
    this.#hash = hash(this.#hash, data);
  }

  #mixKey(input: Uint8Array): void {
    const keys = hkdf(this.#chainingKey, input, 2);
    this.#chainingKey = at(keys, 0);
    this.#cipher = new Cipher(at(keys, 1));
  }

  #seal(plain: Uint8Array): Buffer {
    const sealed = this.#cipher === undefined ? Buffer.from(plain) : this.#cipher.seal(plain, this.#hash);
    this.#mixHash(sealed);
    return sealed;
  }

  #open(sealed: Uint8Array): Buffer {
    const plain = this.#cipher === undefined ? Buffer.from(sealed) : this.#cipher.open(sealed, this.#hash);
    this.#mixHash(sealed);
    return plain;
  }
}
