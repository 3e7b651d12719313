/** Side by side in one run: the mock direct, plain pipes, one daemon, two daemons. Ratios, goals, floors. */
import { writeFile } from 'node:fs/promises';
import { thisMachine } from './machine.ts';
import { measureAll } from './measure.ts';
import { measureMemory, MEMORY } from './memory.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { writePage } from './page.ts';
import { profile } from './profile.ts';
import { brokenFloors, figuresText, goalsText } from './report.ts';
import type { Results, Table } from './results.ts';
import { startRig } from './rig.ts';
import { type Scenario, SCENARIOS } from './scenario.ts';
import { measureStartup, STARTUP } from './startup.ts';

const RESULTS_FILE = 'bench-results.json';
/** Open streams are held for so much longer than a target is measured: memory takes its time to settle. */
const HOLD_FACTOR = 3;

async function run(options: Options): Promise<Results> {
  const { rounds, ms, only } = options;
  // First, on a machine that is still quiet.
  const startup = STARTUP.includes(only) ? await measureStartup(rounds) : undefined;
  const memory = MEMORY.includes(only) ? await measureMemory(ms * HOLD_FACTOR) : [];
  const scenarios = SCENARIOS.filter(({ name }) => name.includes(only));
  const table = scenarios.length > 0 ? await measureSideBySide(scenarios, options) : {};
  return { machine: thisMachine(), rounds, ms, table, memory, startup };
}

async function measureSideBySide(scenarios: readonly Scenario[], options: Options): Promise<Table> {
  await using rig = await startRig({ portkey: options.portkey });
  return await measureAll(rig, scenarios, options);
}

/** Returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (options.profile !== undefined) {
    await profile(options.profile, options);
    return 0;
  }
  const results = await run(options);
  console.log(`${figuresText(results)}\n\n${goalsText(results)}`);
  await writeFile(RESULTS_FILE, JSON.stringify(results, undefined, 2));
  if (options.write) console.log(`\nwritten: ${await writePage(results)}`);
  const broken = brokenFloors(results);
  for (const { what } of broken) console.error(`under its floor: ${what}`);
  return broken.length > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
