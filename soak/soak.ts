/**
 * The long tests: real daemons on loopback, attacked and loaded for minutes. `npm run soak` runs all parts,
 * `npm run soak -- handshakes cut` those named, `--count N` and `--minutes N` in place of their full numbers.
 *
 * Its script gives this process a large young generation: with Node's own it stops to collect every hundred handshakes,
 * for 5 ms, and that would be measured as the daemon's (which runs as shipped).
 */
import { parseArgs } from 'node:util';
import { aborts } from './aborts.ts';
import { connections } from './connections.ts';
import { cut } from './cut.ts';
import { frames } from './frames.ts';
import { handshakes } from './handshakes.ts';
import { load } from './load.ts';
import { type Part, Report } from './part.ts';

const PARTS: readonly Part[] = [handshakes, frames, aborts, cut, connections, load];

function wanted(names: readonly string[]): readonly Part[] {
  const strange = names.filter((name) => !PARTS.some((part) => part.name === name));
  if (strange.length > 0) {
    const known = PARTS.map(({ name, what }) => `  ${name.padEnd(12)} ${what}`).join('\n');
    throw new Error(`no part is called ${strange.join(', ')}; there are\n${known}`);
  }
  return names.length === 0 ? PARTS : PARTS.filter(({ name }) => names.includes(name));
}

function numberOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (Number(text) > 0) return Number(text);
  throw new Error(`--${name} must be a number above zero`);
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string' }, minutes: { type: 'string' } },
});
const options = { count: numberOf(values.count, 'count'), minutes: numberOf(values.minutes, 'minutes') };
let broken = 0;
for (const part of wanted(positionals)) {
  const report = new Report(part.name);
  report.say(part.what);
  await part.run(options, report);
  broken += report.broken;
}
process.stdout.write(broken === 0 ? 'all bounds held\n' : `${broken} bounds were broken\n`);
process.exitCode = broken === 0 ? 0 : 1;
