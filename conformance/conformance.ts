/**
 * `npm run conformance`: plays every case through two real daemons, has the judges read what came, and writes
 * `docs/CONFORMANCE.md`. `--only WORD` plays the cases with that word in their name and writes nothing; `--check` fails
 * where the page would change.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type Case, readCases } from './case.ts';
import { judged, type Judge, type Recording } from './judge.ts';
import { allJudges, deafness } from './judges.ts';
import { type RunningPlace, startNodes } from './nodes.ts';
import { conformancePage, type Verdict } from './page.ts';
import { playCase } from './player.ts';

const PAGE = new URL('../docs/CONFORMANCE.md', import.meta.url);
/** Cases that are played at a time: two daemons and this process share the cores of a small machine. */
const AT_ONCE = 4;

const { values } = parseArgs({ options: { only: { type: 'string' }, check: { type: 'boolean' } } });
const cases = readCases().filter(({ name }) => name.includes(values.only ?? ''));
const judges = await allJudges();
const verdicts = await playedAll(cases);
for (const verdict of verdicts) report(verdict);
const failed = verdicts.filter(({ faults }) => faults.length > 0).length;
process.stdout.write(`${verdicts.length - failed} of ${verdicts.length} cases pass\n`);
const isOld = await isPageOld();
process.exitCode = failed > 0 || isOld ? 1 : 0;

async function playedAll(all: readonly Case[]): Promise<readonly Verdict[]> {
  await using place = await startNodes(all);
  const found = new Map<Case, Verdict>();
  const waiting = [...all];
  const worker = async () => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift())
      found.set(one, await verdictOn(one, place));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return all.flatMap((one) => found.get(one) ?? []);
}

async function verdictOn(one: Case, place: RunningPlace): Promise<Verdict> {
  const { faults, told } = await playCase(one, place);
  if (faults.length > 0 || told === undefined) return { case: one, faults };
  const headers: Record<string, string> = { 'content-type': String(told.headers['content-type']) };
  const recording = { status: told.status, headers, text: told.text, whole: told.whole };
  const asked = judges.filter(({ dialect, stream }) => dialect === one.client && stream === one.stream);
  const opinions = await Promise.all(asked.map((judge) => opinion(one, judge, recording)));
  return { case: one, faults: opinions.flat() };
}

async function opinion(one: Case, judge: Judge, recording: Recording): Promise<readonly string[]> {
  const found = judged(one, await judge.hear(recording), deafness(judge, one));
  return found.map((fault) => `${judge.name}: ${fault}`);
}

function report({ case: { name }, faults }: Verdict): void {
  if (faults.length === 0) return;
  process.stdout.write(
    `${name}\n${faults.map((fault) => `  ${fault.replaceAll('\n', '\n    ')}\n`).join('')}`,
  );
}

/** Writes the page where it may; tells whether it had to change where it may not. */
async function isPageOld(): Promise<boolean> {
  if (values.only !== undefined) return false;
  const names = [...new Set(judges.map(({ name }) => name.replace(/,.*/, '')))].sort();
  const page = conformancePage(verdicts, names);
  if (values.check !== true) {
    await writeFile(PAGE, page);
    return false;
  }
  if ((await readFile(PAGE, 'utf8').catch(() => '')) === page) return false;
  process.stdout.write('docs/CONFORMANCE.md is not up to date: run `npm run conformance`\n');
  return true;
}
