/** The network key: 32 random bytes, written as base64url. Whoever holds it is in the mesh. */
import { randomBytes } from 'node:crypto';

const KEY_BYTES = 32;

/** What is wrong with a text that is no key. The text itself is never in it. */
export const NETWORK_KEY_FAULT =
  'expected 32 random bytes as base64url (43 letters, digits, "-" and "_"); a passphrase will not do: ' +
  'leave it out, and "clawmatrix init" makes a key';

export function newNetworkKey(): string {
  return randomBytes(KEY_BYTES).toString('base64url');
}

/** The key's bytes, or undefined where the text is no key. White space around it does not count. */
export function networkKeyOf(text: string): Buffer | undefined {
  const key = text.trim();
  if (!/^[A-Za-z0-9_-]{43}$/.test(key)) return undefined;
  const bytes = Buffer.from(key, 'base64url');
  return bytes.length === KEY_BYTES ? bytes : undefined;
}
