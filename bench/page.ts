/** `docs/performance.md`: written by the run, but for one marked part that is written by hand and stays. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { goalsOf, judge } from './goals.ts';
import { figuresText, goalsText } from './report.ts';
import type { Results } from './results.ts';

const file = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
const BEGIN = '<!-- by hand: what stands between these two lines stays when the page is written anew -->';
const END = '<!-- end of what is by hand -->';

export async function writePage(results: Results): Promise<string> {
  const old = await readFile(file, 'utf8').catch(() => '');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, pageOf(results, byHand(old)));
  return file;
}

/** With its two marks. */
function byHand(page: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  return from < 0 || to < from ? `${BEGIN}\n\n${END}` : page.slice(from, to + END.length);
}

function pageOf(results: Results, notes: string): string {
  const { machine, rounds, ms } = results;
  const verdicts = goalsOf(results).map((goal) => judge(goal).kind);
  const count = (kind: string) => verdicts.filter((verdict) => verdict === kind).length;
  return `# Performance

Written by \`npm run bench -- --write\` on ${machine.date}: ${count('met')} goals met, ${count('missed')} missed, ${count('not measured')} not measured.

| | |
| --- | --- |
| processor | ${machine.processor}, ${machine.cores} cores |
| memory | ${machine.memoryGb} GB |
| system | ${machine.system} |
| Node | ${machine.node} |
| run | ${rounds} rounds, ${ms} ms for each target and scenario |

## How it is measured

- A load generator and a mock model server, both raw TCP and processes of their own, on the machine that is measured. All
  share its cores, so absolute figures say little: the **ratios** are what counts.
- All targets are measured in one run, one after the other in each scenario, in another order in each round. A figure is the
  median of its rounds.
- The yardstick is Node doing nothing but to pass the bytes on: a plain \`node:http\` pipe. Two daemons are held against two
  pipes in a row, one daemon against one. Between two daemons all is encrypted; guard, limits and log are as shipped.
- Times in brackets are what a target adds to the direct call of the same round; the ratio of a time compares what is added.
- CPU is that of all processes between load generator and mock, user and system, over the span that counts.
- A burst is a stream of 200 tokens as fast as it is taken, one event in each turn of the mock's loop. A paced token carries
  the time at which it was sent.
- Memory is measured in processes that have done nothing else, each stream with a chunk every 100 ms. A chunk is late that
  comes more than 100 ms after it was sent: the next one is there by then.
- That memory stays flat over ten minutes of load is a matter of \`npm run soak\`.

## Goals and floors

A floor that is broken fails the run. Ratios are to the yardstick.

${goalsText(results)}

${notes}

## Figures

${figuresText(results)}
`;
}
