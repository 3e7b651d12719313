/** The interleaved run: in each round every scenario visits every target, each round in another order. */
import type { Options } from './options.ts';
import { add, type Table } from './results.ts';
import type { Rig } from './rig.ts';
import type { Measured, Scenario } from './scenario.ts';
import type { Target } from './target.ts';
import { cpuSeconds } from './usage.ts';

/** Each target runs this long before anything counts: the compiler has seen the code by then. */
const WARM_UP_MS = 4_000;

export async function measureAll(rig: Rig, scenarios: readonly Scenario[], options: Options): Promise<Table> {
  const table: Table = {};
  const targets = [...rig.targets];
  for (const scenario of warming(scenarios)) {
    for (const target of able(targets, scenario))
      await measure(rig, target, scenario, Math.min(options.ms * 2, WARM_UP_MS));
  }
  for (let round = 0; round < options.rounds; round++) {
    for (const scenario of scenarios) {
      process.stderr.write(`round ${round + 1} of ${options.rounds}: ${scenario.name}\n`);
      for (const target of able(rotated(targets, round), scenario)) {
        const measured = await measure(rig, target, scenario, options.ms);
        if (isWhole(measured, target, scenario))
          add(table, scenario.name, target.name, scenario.of(measured));
      }
    }
  }
  return table;
}

/** One target in one scenario. The processor's time is read over the very span that counts. */
export async function measure(rig: Rig, target: Target, scenario: Scenario, ms: number): Promise<Measured> {
  const { port, headers } = target;
  const pids = target.processes.map(({ pid }) => pid);
  let before: Promise<number> = Promise.resolve(Number.NaN);
  const job = { ...scenario.job, port, headers, ms, warmMs: ms / 3 };
  const figures = await rig.load.run(job, {
    onMeasuring: () => {
      before = cpuSeconds(pids);
    },
  });
  const used = (await cpuSeconds(pids)) - (await before);
  return { ...figures, cpuSeconds: pids.length > 0 ? used / (ms / 1_000) : Number.NaN };
}

/** A figure over broken replies says nothing, so ours may have none. Another's are told and left out. */
function isWhole({ errors }: Measured, { name }: Target, scenario: Scenario): boolean {
  if (errors === 0) return true;
  const what = `${errors} replies of ${name} were broken: ${scenario.name}`;
  if (name !== 'portkey') throw new Error(what);
  console.error(what);
  return false;
}

/** One of small calls and one of streams, of those that are asked for. */
function warming(scenarios: readonly Scenario[]): readonly Scenario[] {
  const busiest = (stream: boolean) =>
    scenarios.filter(({ job }) => job.stream === stream && !job.paced).slice(1, 2);
  return [...busiest(false), ...busiest(true)];
}

function able(targets: readonly Target[], scenario: Scenario): readonly Target[] {
  return targets.filter(({ name }) => scenario.targets.includes(name));
}

function rotated<T>(list: readonly T[], by: number): readonly T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
