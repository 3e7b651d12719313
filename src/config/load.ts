/** From file, environment and state directory to all that a daemon starts with, or one list of what is wrong. */
import { hostname } from 'node:os';
import type { NodeId } from '../core/ids.ts';
import { NODE_NAME_CHARS_MAX } from '../core/limits.ts';
import type { Offer } from '../core/upstream-spec.ts';
import type { Clock } from '../lib/clock.ts';
import { errnoOf } from '../lib/errno.ts';
import { FileFault, privateDirectory } from '../lib/files.ts';
import { type LogLevel, Secrets } from '../lib/log.ts';
import { type Environment, expand } from './expand.ts';
import { ConfigFaults, type Fault, faultsOf } from './faults.ts';
import { type FileRead, literalSecrets, placed, readConfigFile } from './file.ts';
import { configPlace, type Home, homeOf, type Wishes } from './paths.ts';
import { type Config, configSchema } from './schema.ts';
import { type ReadSecret, secretReader } from './secrets.ts';
import { identityId, keepIdentity, keepNetworkKey, nextBootEpoch } from './state.ts';
import { surroundingsOf } from './surroundings.ts';
import { resolveUpstreams } from './upstreams.ts';
import { type Warning, warningText } from './warning.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Loaded {
  /** As written, with defaults in place and secrets resolved. */
  readonly config: Config;
  readonly home: string;
  /** Null where no file was found: nothing is configured then. */
  readonly configPath: string | null;
  readonly name: string;
  readonly offer: Offer;
  readonly proxy: Config['proxy'];
  /** Null: this node only dials. */
  readonly listen: Address | null;
  readonly peers: Config['peers'];
  /** 32 bytes. */
  readonly networkKey: Buffer;
  /** The Ed25519 private key as PKCS8 DER. */
  readonly identity: Buffer;
  readonly nodeId: NodeId;
  /** Higher than at any start before. */
  readonly bootEpoch: number;
  readonly controlPath: string;
  /** The directory of remembered responses. */
  readonly responsesPath: string;
  readonly logLevel: LogLevel;
  /** Knows every secret that was loaded. */
  readonly secrets: Secrets;
  readonly warnings: readonly string[];
}

export interface LoadOptions extends Wishes {
  readonly clock: Clock;
  readonly hostName?: string;
}

/** Throws `ConfigFaults`. Makes what a first start needs; the boot epoch rises only when there is no fault. */
export async function load(options: LoadOptions): Promise<Loaded> {
  const home = homeOf(options);
  const place = configPlace(options, home);
  const secrets = new Secrets();
  const directory = await attempt(() => privateDirectory(home.path));
  const file = await readConfigFile(place);
  const { env } = options;
  const { path } = place;
  const read = secretReader({ env, configPath: path, networkKeyPath: home.networkKey, secrets });
  const checked = await check(file, { env, read, path });
  const state: Attempt<State> = directory.ok
    ? await openState(home, checked.config)
    : { ok: false, faults: [] };
  const around = await surroundingsOf(checked.config, { env, secrets, configPath: path, file });
  const faults = [...directory.faults, ...checked.faults, ...around.faults, ...state.faults];
  const configPath = file.kind === 'absent' ? null : place.path;
  if (checked.config === undefined || !state.ok || faults.length > 0)
    throw faulty(faults, configPath, secrets);
  const epoch = await attempt(() => nextBootEpoch(home.bootEpoch, options.clock.wall()));
  if (!epoch.ok) throw faulty(epoch.faults, configPath, secrets);
  const { config } = checked;
  const { identity, networkKey } = state.value;
  secrets.add(networkKey.toString('base64url'));
  const { offer, warnings } = resolveUpstreams(config, around.surroundings);
  return {
    config,
    home: home.path,
    configPath,
    name: config.nodeId ?? nameOf(options.hostName ?? hostname()),
    offer,
    proxy: config.proxy,
    listen: config.listen ?? null,
    peers: config.peers,
    networkKey,
    identity,
    nodeId: identityId(identity),
    bootEpoch: epoch.value,
    controlPath: home.control,
    responsesPath: home.responses,
    logLevel: config.log.level,
    secrets,
    warnings: [...checked.warnings, ...warnings].map((warning) => secrets.scrub(warningText(warning))),
  };
}

/** A host's name as a node's: its first label, in the letters that a name may have. */
export function nameOf(host: string): string {
  const label = host.toLowerCase().split('.')[0] ?? '';
  const name = label.replaceAll(/[^a-z0-9]+/g, '-').slice(0, NODE_NAME_CHARS_MAX);
  return name.replaceAll(/^-+|-+$/g, '') || 'node';
}

export interface Checked {
  readonly config: Config | undefined;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Warning[];
}

export interface CheckContext {
  readonly env: Environment;
  readonly read: ReadSecret;
  readonly path: string;
}

/** What the file says, with all that is wrong with it. Reads what it refers to, by `read`. */
export async function check(file: FileRead, { env, read, path }: CheckContext): Promise<Checked> {
  if (file.kind === 'unreadable' || file.kind === 'malformed')
    return { config: undefined, faults: [file.fault], warnings: [] };
  const written = file.kind === 'absent' ? {} : file.value;
  const expanded = expand(written, env);
  const result = await configSchema(read).safeParseAsync(expanded.value, { reportInput: true });
  const faults = [...expanded.faults];
  if (!result.success) {
    // A text that lacks its variable is told of once, not again for what is left of it.
    const untold = faultsOf(result.error.issues).filter(
      (fault) => !expanded.faults.some(({ path }) => path.join('\0') === fault.path.join('\0')),
    );
    faults.push(...untold);
  }
  const config = result.success ? result.data : undefined;
  if (file.kind === 'absent') return { config, faults, warnings: [] };
  const all = [...file.faults, ...faults.map((fault) => placed(fault, file))];
  return { config, faults: all, warnings: readableByOthers(file, path) };
}

/** A file without secrets may be read by anyone; one with a key in it should not be. */
function readableByOthers(file: FileRead & { kind: 'read' }, path: string): Warning[] {
  if (process.platform === 'win32' || (file.mode & 0o044) === 0) return [];
  const places = literalSecrets(file.value);
  if (places.length === 0) return [];
  const mode = (file.mode & 0o777).toString(8);
  const what = `${path} holds a secret (${places.join(', ')}) and can be read by others (mode ${mode})`;
  return [{ what, mend: `chmod 600 ${path}`, tooOpen: path }];
}

interface State {
  readonly identity: Buffer;
  readonly networkKey: Buffer;
}

async function openState(home: Home, config: Config | undefined): Promise<Attempt<State>> {
  const identity = await attempt(() => keepIdentity(home.identity));
  // With a fault in the file it is not known whether it names a key: none is made that nobody may want.
  if (config === undefined) return { ok: false, faults: identity.faults };
  const key = await attempt(async () => config.secret ?? (await keepNetworkKey(home.networkKey)).value);
  if (!identity.ok || !key.ok) return { ok: false, faults: [...identity.faults, ...key.faults] };
  return { ok: true, value: { identity: identity.value.value, networkKey: key.value }, faults: [] };
}

export type Attempt<T> =
  | { readonly ok: true; readonly value: T; readonly faults: readonly Fault[] }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** What the state directory refuses goes into the list; anything unforeseen is thrown on. */
export async function attempt<T>(run: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await run(), faults: [] };
  } catch (error) {
    if (error instanceof FileFault) return { ok: false, faults: [{ path: [], message: error.message }] };
    if (errnoOf(error) === undefined || !(error instanceof Error)) throw error;
    return {
      ok: false,
      faults: [{ path: [], message: `the state directory cannot be used: ${error.message}` }],
    };
  }
}

function faulty(faults: readonly Fault[], configPath: string | null, secrets: Secrets): ConfigFaults {
  return new ConfigFaults(faults, configPath, (text) => secrets.scrub(text));
}
