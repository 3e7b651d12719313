/**
 * The agents that people use, through two real daemons to a scripted model: `npm run acceptance`. It takes minutes and needs
 * the network once, for the agents themselves. `-- --list` names the scenarios, `-- --only NAME` runs those that begin so.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MODELS, startTwoNodes } from '../test/support/two-nodes.ts';
import { startTap } from '../test/support/wire-tap.ts';
import { codexScenarios } from './codex.ts';
import { type Agents, installAgents } from './install.ts';
import { opencodeScenarios } from './opencode.ts';
import type { Scenario } from './scenario.ts';
import { silence } from './silence.ts';

interface Row {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
  readonly detail: string;
}

/** Beside the scenarios: 400 seconds of it, for all ways at once. */
const SILENCE = 'silence';

const BRAVO = {
  models: [
    { id: MODELS.chat, provider: 'chatty' },
    { id: MODELS.responses, provider: 'responder' },
    { id: 'gpt-5.5', provider: 'chatty' },
    { id: 'gpt-6-astra', provider: 'chatty' },
  ],
};

const scenarios = [...codexScenarios, ...opencodeScenarios];

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: 'string' }, list: { type: 'boolean' } } });
  const names = [...scenarios.map(({ name }) => name), SILENCE];
  const wanted = names.filter((name) => name.startsWith(values.only ?? ''));
  if (values.list) {
    process.stdout.write(`${names.join('\n')}\n`);
    return 0;
  }
  if (wanted.length === 0) throw new Error(`no scenario is called "${values.only}"`);
  const rows: Row[] = [];
  const add = (row: Row) => {
    rows.push(row);
    process.stdout.write(line(row));
  };
  const chosen = scenarios.filter(({ name }) => wanted.includes(name));
  if (chosen.length > 0) {
    const agents = await installAgents();
    for (const scenario of chosen) add(await played(scenario, agents));
  }
  if (wanted.includes(SILENCE)) {
    const began = performance.now();
    for (const result of await silence()) add({ ...result, seconds: since(began) });
  }
  const failed = rows.filter(({ passed }) => !passed);
  process.stdout.write(`${rows.length - failed.length} of ${rows.length} passed\n`);
  return failed.length === 0 ? 0 : 1;
}

/** With daemons of its own, so that no scenario hears of another. */
async function played({ name, run }: Scenario, agents: Agents): Promise<Row> {
  const began = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'clawmatrix-acceptance-'));
  try {
    await using nodes = await startTwoNodes({ bravo: BRAVO });
    const { hostname: host, port } = new URL(nodes.url);
    await using tap = await startTap({ host, port: Number(port) });
    const url = `http://127.0.0.1:${tap.port}/v1`;
    const detail = await run({ agents, nodes, tap, url, folder });
    return { name, passed: true, seconds: since(began), detail };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { name, passed: false, seconds: since(began), detail };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function since(began: number): number {
  return Math.round((performance.now() - began) / 1_000);
}

function line({ name, passed, seconds, detail }: Row): string {
  const verdict = passed ? 'pass' : 'FAIL';
  return `${verdict}  ${name.padEnd(54)} ${`${seconds} s`.padStart(6)}  ${detail}\n`;
}

process.exitCode = await main();
