/** The configuration as it is, faults and all, without making or changing anything on disk: for those who only ask. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Offer } from '../core/upstream-spec.ts';
import { Secrets } from '../lib/log.ts';
import { type Fault, inOrder } from './faults.ts';
import { readConfigFile } from './file.ts';
import { type Gateway, gatewayOf } from './gateway.ts';
import { attempt, check } from './load.ts';
import { newNetworkKey } from './network-key.ts';
import { configPlace, type Home, homeOf, pathFrom, type Wishes } from './paths.ts';
import type { Config } from './schema.ts';
import { type ReadSecret, secretReader } from './secrets.ts';
import { keepIdentity, keepNetworkKey } from './state.ts';
import { surroundingsOf } from './surroundings.ts';
import { resolveUpstreams, type Surroundings } from './upstreams.ts';
import { scrubbed, type Warning } from './warning.ts';

export interface Looked {
  readonly home: Home;
  readonly configPath: string;
  /** False where there is no file and nobody named one: nothing is configured then. */
  readonly found: boolean;
  /** Undefined where it has a fault. */
  readonly config: Config | undefined;
  readonly offer: Offer | undefined;
  /** The OpenClaw gateway that the configuration names, whether a model needs it or not. */
  readonly gateway: Gateway | undefined;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Warning[];
  /** Knows every secret that was read. */
  readonly secrets: Secrets;
}

export async function look(wishes: Wishes): Promise<Looked> {
  const home = homeOf(wishes);
  const place = configPlace(wishes, home);
  const secrets = new Secrets();
  const file = await readConfigFile(place);
  const { env } = wishes;
  const read = unmade(
    secretReader({ env, configPath: place.path, networkKeyPath: home.networkKey, secrets }),
    { home, wishes, configPath: place.path },
  );
  const checked = await check(file, { env, read, path: place.path });
  const { config } = checked;
  const around = await surroundingsOf(config, { env, secrets, configPath: place.path, file });
  const resolved = config === undefined ? undefined : resolveUpstreams(config, around.surroundings);
  const warnings = [...checked.warnings, ...(resolved?.warnings ?? [])];
  const faults = [...checked.faults, ...around.faults, ...(await stateFaults(home, config))];
  return {
    home,
    configPath: place.path,
    found: file.kind !== 'absent',
    config,
    offer: resolved?.offer,
    gateway: gatewayIn(config, around.surroundings),
    faults: inOrder(faults).map(({ message, ...fault }) => ({ ...fault, message: secrets.scrub(message) })),
    warnings: warnings.map((warning) => scrubbed(warning, (text) => secrets.scrub(text))),
    secrets,
  };
}

function gatewayIn(config: Config | undefined, around: Surroundings): Gateway | undefined {
  const written = config?.openclaw?.gateway;
  if (written === undefined) return undefined;
  const { openclaw: file, env, secrets } = around;
  return gatewayOf(written, { env, file, secrets });
}

interface Unmade {
  readonly home: Home;
  readonly wishes: Wishes;
  readonly configPath: string;
}

/** A network key that a first start would make is not missing: any key stands for it. */
function unmade(read: ReadSecret, { home, wishes, configPath }: Unmade): ReadSecret {
  return async (ref) => {
    const path =
      typeof ref === 'object' && 'file' in ref ? pathFrom(dirname(configPath), ref.file, wishes.env) : '';
    if (path !== home.networkKey || existsSync(path)) return read(ref);
    return { ok: true, value: newNetworkKey() };
  };
}

/** Of the keys that are there: one that is not, a start makes. */
async function stateFaults(home: Home, config: Config | undefined): Promise<readonly Fault[]> {
  const identity = existsSync(home.identity) ? await attempt(() => keepIdentity(home.identity)) : undefined;
  const ownKey = config?.secret === undefined && existsSync(home.networkKey);
  const key = ownKey ? await attempt(() => keepNetworkKey(home.networkKey)) : undefined;
  return [...(identity?.faults ?? []), ...(key?.faults ?? [])];
}
