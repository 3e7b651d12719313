/** ChaCha20-Poly1305 with Noise's counter nonce, for one direction. Holds one key; knows nothing of what it seals. */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { RECORD_TAG_BYTES } from '../core/limits.ts';

const CIPHER = 'chacha20-poly1305';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
/** The last nonce is kept for `rekey`; numbers stay exact far beyond what a key may seal. */
const MESSAGES_MAX = Number.MAX_SAFE_INTEGER - 1;
const REKEY_NONCE = Buffer.from('00000000ffffffffffffffff', 'hex');

/** A message that this key did not seal, or not as this one. */
export class BadTag extends Error {
  override readonly name = 'BadTag';
}

export class Cipher {
  #key: Buffer;
  #count: number;

  /** `count`: messages that the key has sealed already; other than 0 only in tests of the counter. */
  constructor(key: Buffer, count = 0) {
    if (key.length !== KEY_BYTES) throw new RangeError(`key of ${key.length} bytes`);
    this.#key = key;
    this.#count = count;
  }

  seal(plain: Uint8Array, additional?: Uint8Array): Buffer {
    return this.#sealWith(this.#nextNonce(), plain, additional);
  }

  /** Throws `BadTag`, and the counter has then moved on all the same: nothing after it may be read. */
  open(sealed: Uint8Array, additional?: Uint8Array): Buffer {
    if (sealed.length < RECORD_TAG_BYTES) throw new BadTag(`${sealed.length} bytes hold no tag`);
    const split = sealed.length - RECORD_TAG_BYTES;
    // Without authTagLength Node takes a tag of four bytes.
    const decipher = createDecipheriv(CIPHER, this.#key, this.#nextNonce(), {
      authTagLength: RECORD_TAG_BYTES,
    });
    if (additional !== undefined) decipher.setAAD(additional, { plaintextLength: split });
    decipher.setAuthTag(sealed.subarray(split));
    const plain = decipher.update(sealed.subarray(0, split));
    try {
      decipher.final();
    } catch (cause) {
      throw new BadTag('the tag does not fit', { cause });
    }
    return plain;
  }

  /** Noise's Rekey(): the old key cannot be found from the new one. The counter runs on. */
  rekey(): void {
    this.#key = this.#sealWith(REKEY_NONCE, Buffer.alloc(KEY_BYTES)).subarray(0, KEY_BYTES);
  }

  #sealWith(nonce: Buffer, plain: Uint8Array, additional?: Uint8Array): Buffer {
    const cipher = createCipheriv(CIPHER, this.#key, nonce, { authTagLength: RECORD_TAG_BYTES });
    if (additional !== undefined) cipher.setAAD(additional, { plaintextLength: plain.length });
    const head = cipher.update(plain);
    cipher.final();
    return Buffer.concat([head, cipher.getAuthTag()]);
  }

  #nextNonce(): Buffer {
    if (this.#count >= MESSAGES_MAX) throw new BadTag('the counter is used up');
    const nonce = Buffer.alloc(NONCE_BYTES);
    nonce.writeUInt32LE(this.#count % 2 ** 32, 4);
    nonce.writeUInt32LE(Math.floor(this.#count / 2 ** 32), 8);
    this.#count++;
    return nonce;
  }
}
