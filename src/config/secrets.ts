/** Reads what the configuration keeps secret: written out, in the environment, or in a file of its own. */
import { dirname } from 'node:path';
import { SECRET_BYTES_MAX } from '../core/limits.ts';
import { errnoText, isErrno } from '../lib/errno.ts';
import { FileFault, readPrivate } from '../lib/files.ts';
import type { Secrets } from '../lib/log.ts';
import type { Environment } from './expand.ts';
import { pathFrom } from './paths.ts';
import { keepNetworkKey } from './state.ts';

/** A secret as the configuration writes it. */
export type SecretRef = string | { readonly env: string } | { readonly file: string };

export type SecretFound =
  | { readonly ok: true; readonly value: string }
  /** Names the reference, never the value. */
  | { readonly ok: false; readonly fault: string };

export type ReadSecret = (ref: SecretRef) => Promise<SecretFound>;

export interface SecretSources {
  readonly env: Environment;
  /** The file that the references are written in. */
  readonly configPath: string;
  /** A reference to this very file makes it, as leaving the reference out would. */
  readonly networkKeyPath: string;
  /** Told of each value that is found, so that no log line and no message shows it. */
  readonly secrets: Secrets;
}

export function secretReader(sources: SecretSources): ReadSecret {
  return async (ref) => {
    const found = await read(ref, sources);
    if (found.ok) sources.secrets.add(found.value);
    return found;
  };
}

async function read(ref: SecretRef, sources: SecretSources): Promise<SecretFound> {
  if (typeof ref === 'string')
    return present(ref, 'this is empty: write the secret, { "env" } or { "file" }');
  if ('env' in ref) {
    const value = sources.env[ref.env];
    if (value === undefined)
      return { ok: false, fault: `the environment variable ${ref.env} (named by "env") is not set` };
    return present(value, `the environment variable ${ref.env} (named by "env") is empty`);
  }
  return ofFile(ref.file, sources);
}

async function ofFile(written: string, sources: SecretSources): Promise<SecretFound> {
  const path = pathFrom(dirname(sources.configPath), written, sources.env);
  try {
    if (path === sources.networkKeyPath)
      return { ok: true, value: (await keepNetworkKey(path)).value.toString('base64url') };
    const content = await readPrivate(path, SECRET_BYTES_MAX);
    return present(content.toString('utf8'), `the file ${path} (named by "file") is empty`);
  } catch (error) {
    if (isErrno(error, 'ENOENT'))
      return { ok: false, fault: `the file ${path} (named by "file") does not exist` };
    if (error instanceof FileFault) return { ok: false, fault: error.message };
    return { ok: false, fault: `the file ${path} (named by "file") cannot be read${errnoText(error)}` };
  }
}

/** Editors and `echo` end a file with a line break, which is not part of the secret. */
function present(text: string, faultWhenEmpty: string): SecretFound {
  const value = text.replace(/[\r\n]+$/, '');
  return value === '' ? { ok: false, fault: faultWhenEmpty } : { ok: true, value };
}
