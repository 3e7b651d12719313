/** `init`: makes what a node needs on disk, takes the key of a mesh that is there already, and says what comes next. */
import { hostname } from 'node:os';
import { readConfigFile } from '../config/file.ts';
import { member } from '../config/json-object.ts';
import { nameOf } from '../config/load.ts';
import { NETWORK_KEY_FAULT, networkKeyOf } from '../config/network-key.ts';
import { configPlace, type Home, homeOf, pathFrom, type Wishes } from '../config/paths.ts';
import { identityId, keepIdentity, keepNetworkKey } from '../config/state.ts';
import { SECRET_BYTES_MAX } from '../core/limits.ts';
import { errnoText, isErrno } from '../lib/errno.ts';
import { createPrivate, privateDirectory, readPrivate, writePrivate } from '../lib/files.ts';
import { UsageFault } from './exit.ts';
import { spelled } from './spelled.ts';
import { starterConfig } from './starter.ts';
import type { World } from './world.ts';

export interface InitOptions extends Wishes {
  /** A file with the mesh's key, or `-` for standard input. */
  readonly keyFile?: string;
  /** Replaces a key that is there. */
  readonly force: boolean;
}

export async function init(world: World, options: InitOptions): Promise<void> {
  const home = homeOf(options);
  const given = options.keyFile === undefined ? undefined : await givenKey(world, options.keyFile, options);
  await privateDirectory(home.path);
  const identity = await keepIdentity(home.identity);
  const key = given === undefined ? await ownKey(home) : await placeKey(home, given, options.force);
  const config = await placeConfig(world, configPlace(options, home).path);
  const lines = [
    told(home.identity, identity.made ? 'made' : 'was there', `this node is ${identityId(identity.value)}`),
    told(home.networkKey, key, 'the network key: whoever holds it is in the mesh'),
    told(config.path, config.made ? 'made' : 'was there', 'the configuration'),
    ...(await otherKey(config.path)),
    '',
    ...nextSteps(home, key, options),
  ];
  world.out.write(`${lines.join('\n')}\n`);
}

type KeyDone = 'made' | 'was there' | 'taken over' | 'replaced';

async function ownKey(home: Home): Promise<KeyDone> {
  return (await keepNetworkKey(home.networkKey)).made ? 'made' : 'was there';
}

async function placeKey(home: Home, given: string, force: boolean): Promise<KeyDone> {
  if ((await createPrivate(home.networkKey, `${given}\n`)) === 'created') return 'taken over';
  const existing = (await readPrivate(home.networkKey, SECRET_BYTES_MAX)).toString('utf8').trim();
  if (existing === given) return 'was there';
  if (!force)
    throw new UsageFault(
      `${home.networkKey} holds another key, and this node would leave its mesh: add --force to replace it`,
    );
  await writePrivate(home.networkKey, `${given}\n`);
  return 'replaced';
}

async function givenKey(world: World, from: string, { env }: Wishes): Promise<string> {
  const text =
    from === '-' ? await world.readInput(SECRET_BYTES_MAX) : await keyFile(pathFrom('.', from, env));
  if (networkKeyOf(text) === undefined) {
    const what = from === '-' ? 'what came on standard input' : from;
    throw new UsageFault(`${what} is no network key: ${NETWORK_KEY_FAULT}`);
  }
  return text.trim();
}

async function keyFile(path: string): Promise<string> {
  try {
    return (await readPrivate(path, SECRET_BYTES_MAX)).toString('utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) throw new UsageFault(`${path} does not exist`);
    if (errnoText(error) !== '') throw new UsageFault(`${path} cannot be read${errnoText(error)}`);
    throw error;
  }
}

async function placeConfig(world: World, path: string): Promise<{ path: string; made: boolean }> {
  try {
    const made = await createPrivate(path, starterConfig(nameOf(world.hostName ?? hostname())));
    return { path, made: made === 'created' };
  } catch (error) {
    if (errnoText(error) === '') throw error;
    throw new UsageFault(`${path} cannot be written${errnoText(error)}`);
  }
}

/** A configuration that names a key of its own makes the file beside it idle, which nobody would guess. */
async function otherKey(path: string): Promise<string[]> {
  const file = await readConfigFile({ path, named: true });
  const names = file.kind === 'read' && member(file.value, 'secret') !== undefined;
  return names ? [`Note: "secret" in ${path} decides which network key is used.`] : [];
}

function told(path: string, done: KeyDone, what: string): string {
  return `${done.padEnd(10)} ${path}  (${what})`;
}

function nextSteps(home: Home, key: KeyDone, wishes: Wishes): string[] {
  const steps = ['Next:', `  ${spelled(wishes, 'start')}`];
  if (key === 'replaced')
    steps.push('  (a daemon that is running goes on with the old key until it is started again)');
  if (key !== 'taken over' && key !== 'replaced')
    steps.push(
      '',
      'To let another machine into this mesh, give it the key. There, with this one reachable by ssh as HOST:',
      `  ssh HOST cat ${home.networkKey} | clawmatrix init --key-file -`,
    );
  return steps;
}
