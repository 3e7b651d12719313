/** Node identities for tests: the same on every run, in the order of their ids. */
import { createPrivateKey } from 'node:crypto';
import { Identity } from '../../src/mesh/identity.ts';

const PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex');

function identityOf(seed: number): Identity {
  const key = createPrivateKey({
    key: Buffer.concat([PRIVATE_DER, Buffer.alloc(32, seed)]),
    format: 'der',
    type: 'pkcs8',
  });
  return new Identity(key.export({ format: 'der', type: 'pkcs8' }));
}

const sorted = [1, 2, 3, 4].map(identityOf).sort((one, other) => (one.id < other.id ? -1 : 1));

function at(index: number): Identity {
  const identity = sorted[index];
  if (identity === undefined) throw new RangeError(`no identity ${index}`);
  return identity;
}

/** `first.id < second.id < third.id < fourth.id`: order decides who numbers calls odd and whose link stays. */
export const [first, second, third, fourth] = [at(0), at(1), at(2), at(3)];

export const NETWORK_KEY = Buffer.alloc(32, 0x5a);
