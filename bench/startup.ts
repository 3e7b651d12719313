/** How long a daemon takes from its start to the first answer: alone, and joined to another that owns the model. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CleanUps } from './clean-ups.ts';
import { answered, Nodes } from './nodes.ts';
import { startPart } from './parts.ts';

export const STARTUP = 'start-up';

/** Seconds, one value a repetition. */
export interface Startup {
  readonly alone: readonly number[];
  readonly joined: readonly number[];
}

export async function measureStartup(times: number): Promise<Startup> {
  process.stderr.write('start-up\n');
  await using cleanUps = new CleanUps();
  const folder = await mkdtemp(join(tmpdir(), 'clawmatrix-bench-'));
  cleanUps.add(() => rm(folder, { recursive: true, force: true }));
  const mock = cleanUps.keep(await startPart(folder, 'mock'));
  const nodes = cleanUps.keep(new Nodes(folder));
  await nodes.init();
  const owner = await nodes.startOwner(mock.port);
  const alone: number[] = [];
  const joined: number[] = [];
  for (let time = 0; time < times; time++) {
    alone.push(await seconds(async () => answered((await nodes.startSolo(mock.port)).proxy)));
    await nodes.solo.stop();
    joined.push(await seconds(async () => answered((await nodes.startEntry(owner)).proxy)));
    await nodes.entry.stop();
  }
  return { alone, joined };
}

async function seconds(run: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return (performance.now() - startedAt) / 1_000;
}
