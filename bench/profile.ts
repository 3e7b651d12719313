/** Profiles of the daemons in one scenario: where their time goes, as files for a viewer and as a list. */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { measure } from './measure.ts';
import type { Options } from './options.ts';
import { startRig } from './rig.ts';
import { SCENARIOS } from './scenario.ts';

const SHOWN = 25;
const suffix = '.cpuprofile';

/** Long enough for the start of the daemons to be a small part of it. */
const PROFILE_MS_MIN = 5_000;

export async function profile(directory: string, options: Options): Promise<void> {
  const folder = resolve(directory);
  await mkdir(folder, { recursive: true });
  const scenario = SCENARIOS.find(({ name }) => name.includes(options.only));
  if (scenario === undefined) throw new Error(`no scenario has ${options.only} in its name`);
  const nodeArgs = (name: string) => [
    '--cpu-prof',
    `--cpu-prof-dir=${folder}`,
    `--cpu-prof-name=${name}${suffix}`,
  ];
  {
    await using rig = await startRig({ nodeArgs });
    for (const target of rig.targets.filter(({ name }) => name === 'one' || name === 'two')) {
      await measure(rig, target, scenario, Math.max(options.ms, PROFILE_MS_MIN));
    }
  }
  // The daemons write as they end.
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(suffix))) {
    console.log(`\n${join(folder, file)}: ${scenario.name}\n${await hottest(join(folder, file))}`);
  }
}

/** What V8 writes, as far as it is read here. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The functions with the most time of their own, in percent of the time that the process was not idle. */
async function hottest(file: string): Promise<string> {
  const { nodes, samples, timeDeltas }: CpuProfile = JSON.parse(await readFile(file, 'utf8'));
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? '';
    if (name === '(idle)') continue;
    const us = timeDeltas[index] ?? 0;
    busy += us;
    times.set(name, (times.get(name) ?? 0) + us);
  }
  const top = [...times].sort(([, a], [, b]) => b - a).slice(0, SHOWN);
  return top.map(([name, us]) => `${((us / busy) * 100).toFixed(1).padStart(6)} %  ${name}`).join('\n');
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const where = url.replace(/^.*\/(?=(dist|node_modules)\/)/, '');
  return where === '' ? functionName : `${functionName || 'anonymous'} ${where}:${lineNumber + 1}`;
}
