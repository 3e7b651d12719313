/** What a node keeps in its state directory: who it is, the mesh's key, and how often it has started. */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { type NodeId, nodeIdOf } from '../core/ids.ts';
import { SECRET_BYTES_MAX } from '../core/limits.ts';
import { isErrno } from '../lib/errno.ts';
import { createPrivate, FileFault, readPrivate, writePrivate } from '../lib/files.ts';
import { NETWORK_KEY_FAULT, networkKeyOf, newNetworkKey } from './network-key.ts';

export interface Kept<T> {
  readonly value: T;
  readonly made: boolean;
}

/** The Ed25519 private key as PKCS8 DER, made when there is none. Two first starts at once end with the same one. */
export async function keepIdentity(path: string): Promise<Kept<Buffer>> {
  const { content, made } = await keep(path, newIdentity);
  if (!isIdentity(content)) {
    throw new FileFault(
      `${path} is not this node's Ed25519 key: put a copy of the old file there, or delete it to become a new node`,
    );
  }
  return { value: content, made };
}

/** The network key's bytes, made when there is none. */
export async function keepNetworkKey(path: string): Promise<Kept<Buffer>> {
  const { content, made } = await keep(path, () => Buffer.from(`${newNetworkKey()}\n`));
  const value = networkKeyOf(content.toString('utf8'));
  if (value === undefined) throw new FileFault(`${path}: ${NETWORK_KEY_FAULT}`);
  return { value, made };
}

/**
 * The number of this start: higher than any before, and on disk before anyone is told of it. Peers take the higher one
 * for the newer. A node whose file is lost goes on from the seconds since 1970, which no count of starts has reached.
 */
export async function nextBootEpoch(path: string, wallMs: number): Promise<number> {
  const stored = await storedEpoch(path);
  const epoch = stored === undefined ? Math.floor(wallMs / 1000) : stored + 1;
  await writePrivate(path, `${epoch}\n`);
  return epoch;
}

/** The id that other nodes know this one by. */
export function identityId(identity: Buffer): NodeId {
  const der = createPublicKey(createPrivateKey({ key: identity, format: 'der', type: 'pkcs8' })).export({
    format: 'der',
    type: 'spki',
  });
  // The last 32 bytes of an Ed25519 SPKI are the key itself (RFC 8410).
  return nodeIdOf(der.subarray(-32));
}

async function keep(path: string, make: () => Buffer): Promise<{ content: Buffer; made: boolean }> {
  try {
    return { content: await readPrivate(path, SECRET_BYTES_MAX), made: false };
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  const made = (await createPrivate(path, make())) === 'created';
  return { content: await readPrivate(path, SECRET_BYTES_MAX), made };
}

function newIdentity(): Buffer {
  const { privateKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  });
  return privateKey;
}

function isIdentity(content: Buffer): boolean {
  try {
    return createPrivateKey({ key: content, format: 'der', type: 'pkcs8' }).asymmetricKeyType === 'ed25519';
  } catch {
    return false;
  }
}

async function storedEpoch(path: string): Promise<number | undefined> {
  try {
    const text = (await readPrivate(path, SECRET_BYTES_MAX)).toString('utf8').trim();
    const epoch = Number(text);
    return /^\d+$/.test(text) && Number.isSafeInteger(epoch) ? epoch : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
