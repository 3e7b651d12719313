/** OpenClaw's own configuration file: where it is, and whether it can be used. What is in it is read by others. */
import { dirname } from 'node:path';
import type { JsonObject } from '../lib/json.ts';
import type { Environment } from './expand.ts';
import { readConfigFile } from './file.ts';
import { member, memberAt, objectOf } from './json-object.ts';
import { openclawPath, pathFrom } from './paths.ts';

export type OpenclawFile =
  | { readonly kind: 'absent'; readonly path: string }
  /** `why` follows the path: `…/openclaw.json: the file cannot be read`. */
  | { readonly kind: 'unreadable' | 'malformed'; readonly path: string; readonly why: string }
  | { readonly kind: 'read'; readonly path: string; readonly root: JsonObject };

export interface OpenclawPlace {
  /** As our configuration names it, if it does. */
  readonly named: string | undefined;
  /** The file that names it. */
  readonly configPath: string;
  readonly env: Environment;
}

export async function readOpenclaw({ named, configPath, env }: OpenclawPlace): Promise<OpenclawFile> {
  const path = named === undefined ? openclawPath(env) : pathFrom(dirname(configPath), named, env);
  const file = await readConfigFile({ path, named: false });
  if (file.kind === 'absent') return { kind: 'absent', path };
  if (file.kind !== 'read') {
    const { line, message } = file.fault;
    return { kind: file.kind, path, why: line === undefined ? message : `line ${line}: ${message}` };
  }
  const root = objectOf(file.value);
  if (root === undefined) return { kind: 'malformed', path, why: 'it holds no object' };
  const elsewhere = includeIn(root);
  if (elsewhere === undefined) return { kind: 'read', path, root };
  const why = `${elsewhere} is taken from another file by "$include", which this version does not follow`;
  return { kind: 'malformed', path, why };
}

/** The part around the providers that another file could add to. */
function includeIn(root: JsonObject): string | undefined {
  const ways = [[], ['models'], ['models', 'providers']];
  const way = ways.find((names) => member(memberAt(root, ...names), '$include') !== undefined);
  if (way === undefined) return undefined;
  return way.length === 0 ? 'all of it' : way.join('.');
}
