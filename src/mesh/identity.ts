/** This node's Ed25519 key, and the check of what other nodes signed. Keys are read and written as DER only. */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { type NodeId, nodeIdOf, publicKeyOf } from '../core/ids.ts';

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** What a signature is for: the label keeps one made for one purpose from serving another. */
export type SignedAs = 'static key' | 'node' | 'cards';

const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');

const labelled = (label: SignedAs, data: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`clawmatrix/1 ${label}\0`, 'utf8'), data]);

export class Identity {
  readonly id: NodeId;
  readonly publicKey: Buffer;
  readonly #privateKey: KeyObject;

  /** From the PKCS8 DER bytes of an Ed25519 private key. */
  constructor(der: Uint8Array) {
    this.#privateKey = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
    if (this.#privateKey.asymmetricKeyType !== 'ed25519')
      throw new TypeError('the identity is not an Ed25519 key');
    this.publicKey = createPublicKey(this.#privateKey)
      .export({ type: 'spki', format: 'der' })
      .subarray(-PUBLIC_KEY_BYTES);
    this.id = nodeIdOf(this.publicKey);
  }

  sign(label: SignedAs, data: Uint8Array): Buffer {
    return sign(null, labelled(label, data), this.#privateKey);
  }
}

/** Whether `signature` is this key's over this data under this label. Never throws, whatever the bytes. */
export function isSignedBy(
  publicKey: Uint8Array,
  label: SignedAs,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  try {
    const key = createPublicKey({ key: Buffer.concat([PUBLIC_DER, publicKey]), format: 'der', type: 'spki' });
    return verify(null, labelled(label, data), key, signature);
  } catch {
    // A point that is not on the curve: no key at all, so nothing is signed by it.
    return false;
  }
}

export function isSignedByNode(
  id: NodeId,
  label: SignedAs,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const publicKey = publicKeyOf(id);
  return publicKey !== undefined && isSignedBy(publicKey, label, data, signature);
}
