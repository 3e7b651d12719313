/** X25519 on raw bytes. Keys leave node:crypto as DER only: JWK export can hang on Node 20. */
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';

export const DH_BYTES = 32;

export interface DhPair {
  readonly publicKey: Buffer;
  readonly privateKey: KeyObject;
}

const PRIVATE_DER = Buffer.from('302e020100300506032b656e04220420', 'hex');

export function newDhPair(): DhPair {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  return { publicKey: publicKey.export({ type: 'spki', format: 'der' }).subarray(-DH_BYTES), privateKey };
}

/** A pair with a known private key: what test vectors need. */
export function dhPairOf(privateBytes: Uint8Array): DhPair {
  const privateKey = createPrivateKey({
    key: Buffer.concat([PRIVATE_DER, privateBytes]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).subarray(-DH_BYTES);
  return { publicKey, privateKey };
}

/** Throws for a point of low order, whose shared secret everybody knows. */
export function sharedSecret(own: DhPair, publicBytes: Uint8Array): Buffer {
  if (publicBytes.length !== DH_BYTES) throw new RangeError(`public key of ${publicBytes.length} bytes`);
  const x = Buffer.from(publicBytes).toString('base64url');
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
  const secret = diffieHellman({ privateKey: own.privateKey, publicKey });
  // OpenSSL refuses low-order points itself; this says so where another library stands behind node:crypto.
  if (secret.every((byte) => byte === 0)) throw new RangeError('public key of low order');
  return secret;
}
