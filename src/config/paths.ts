/** Where things are: the state directory, what is in it, and how a written path is read. Touches no disk. */
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type { Environment } from './expand.ts';

export interface Wishes {
  /** `--config`. */
  readonly configPath?: string;
  /** `--home`, in place of `$CLAWMATRIX_HOME`. */
  readonly home?: string;
  readonly env: Environment;
}

/** `$CLAWMATRIX_HOME`, and the files in it. Everything in it is private to its owner. */
export interface Home {
  readonly path: string;
  readonly identity: string;
  readonly networkKey: string;
  readonly bootEpoch: string;
  readonly config: string;
  /** The directory of remembered responses, where they are to be on disk. */
  readonly responses: string;
  /** The control socket; on Windows the name of a pipe. */
  readonly control: string;
}

export interface ConfigPlace {
  readonly path: string;
  /** Somebody named it: that it is missing is a fault then. */
  readonly named: boolean;
}

export function homeOf({ home, env }: Wishes, platform: NodeJS.Platform = process.platform): Home {
  const wanted = home ?? filled(env.CLAWMATRIX_HOME) ?? join(userHome(env), '.clawmatrix');
  const path = resolve(untilde(wanted, env));
  return {
    path,
    identity: join(path, 'identity.key'),
    networkKey: join(path, 'mesh.key'),
    bootEpoch: join(path, 'boot-epoch'),
    config: join(path, 'clawmatrix.json'),
    responses: join(path, 'responses'),
    control: platform === 'win32' ? pipeName(path) : join(path, 'control.sock'),
  };
}

/** `--config` before `$CLAWMATRIX_CONFIG` before the file in the state directory. */
export function configPlace({ configPath, env }: Wishes, home: Home): ConfigPlace {
  const named = configPath ?? filled(env.CLAWMATRIX_CONFIG);
  if (named === undefined) return { path: home.config, named: false };
  return { path: resolve(untilde(named, env)), named: true };
}

/** Where OpenClaw keeps its configuration, by its own rules. */
export function openclawPath(env: Environment): string {
  const named = filled(env.OPENCLAW_CONFIG_PATH);
  if (named !== undefined) return resolve(untilde(named, env));
  const state = filled(env.OPENCLAW_STATE_DIR) ?? join(userHome(env), '.openclaw');
  return resolve(untilde(state, env), 'openclaw.json');
}

/** A path as a file names it: `~/` is the user's directory, and a relative one starts where that file is. */
export function pathFrom(directory: string, written: string, env: Environment): string {
  const path = untilde(written, env);
  return isAbsolute(path) ? path : resolve(directory, path);
}

function untilde(path: string, env: Environment): string {
  if (path === '~') return userHome(env);
  return path.startsWith('~/') || path.startsWith('~\\') ? join(userHome(env), path.slice(2)) : path;
}

function userHome(env: Environment): string {
  return filled(env.HOME) ?? homedir();
}

/** A variable set to nothing is a variable not set: that is how shells and service managers unset one. */
function filled(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

/** Pipes are named machine-wide, so the name carries the directory's. */
function pipeName(path: string): string {
  const digest = createHash('sha256').update(path.toLowerCase()).digest('hex').slice(0, 16);
  return `\\\\.\\pipe\\clawmatrix-${digest}`;
}
