/** `doctor`: looks at all that must be right for a node to work, and says of each how it stands and how to mend it. */
import { look } from '../../config/look.ts';
import { configPlace, homeOf, type Wishes } from '../../config/paths.ts';
import { askDaemon } from '../../control/client.ts';
import { ControlFault } from '../../control/fault.ts';
import type { StatusView } from '../../core/views.ts';
import { type Colour, painter } from '../colour.ts';
import { EXIT } from '../exit.ts';
import { spelled } from '../spelled.ts';
import { jsonText, plainText } from '../table.ts';
import { untilSignal, type World } from '../world.ts';
import { checkFiles } from './files.ts';
import type { Case, Finding, Level } from './finding.ts';
import { checkClock, checkDaemon, checkNode } from './machine.ts';
import { checkPeers } from './peers.ts';
import { checkPorts } from './ports.ts';
import { checkSettings } from './settings.ts';
import { checkUpstreams } from './upstreams.ts';

export interface DoctorOptions extends Wishes {
  readonly json: boolean;
  /** Mends permissions. Without it nothing is changed. */
  readonly fix: boolean;
}

/** Returns the exit code: 1 where there is a problem. */
export function doctor(world: World, options: DoctorOptions): Promise<number> {
  return untilSignal(world, async () => {
    const home = homeOf(options);
    const { fix } = options;
    const typed = (command: string) => spelled(options, command);
    // First: what is too open is not read, and with `--fix` it will be.
    const files = await checkFiles({ home, configPath: configPlace(options, home).path, fix, typed });
    const looked = await look(options);
    const daemon = await daemonAt(world, home.control);
    const one: Case = { world, looked, daemon, fix, files, typed };
    const rest = await Promise.all([
      checkSettings(one),
      checkPorts(one),
      checkUpstreams(one),
      checkPeers(one),
    ]);
    const findings = [checkNode(), ...checkClock(one), ...files, checkDaemon(one), ...rest.flat()].map(
      (finding) => plain(finding, (text) => looked.secrets.scrub(text)),
    );
    world.out.write(options.json ? jsonText(findings) : text(findings, world));
    return findings.some(({ level }) => level === 'problem') ? EXIT.failed : EXIT.ok;
  });
}

async function daemonAt({ clock }: World, path: string): Promise<StatusView | ControlFault> {
  try {
    return await askDaemon('status', { path, clock });
  } catch (error) {
    if (error instanceof ControlFault) return error;
    throw error;
  }
}

/** Without a secret, and without what could steer a terminal. */
function plain({ level, what, fix }: Finding, scrub: (text: string) => string): Finding {
  const clean = (text: string) => plainText(scrub(text));
  return fix === undefined ? { level, what: clean(what) } : { level, what: clean(what), fix: clean(fix) };
}

const MARK: Readonly<Record<Level, string>> = { ok: '✓', warning: '!', problem: '✗' };
const COLOUR: Readonly<Record<Level, Colour>> = { ok: 'green', warning: 'yellow', problem: 'red' };
/** As wide as the longest level. */
const LEVEL_WIDTH = 7;

function text(findings: readonly Finding[], { out, env }: World): string {
  const paint = painter(out, env);
  const lines = findings.flatMap(({ level, what, fix }) => [
    `${paint(COLOUR[level], `${MARK[level]} ${level.padEnd(LEVEL_WIDTH)}`)}  ${what}`,
    ...(fix === undefined ? [] : [`${' '.repeat(LEVEL_WIDTH + 4)}fix: ${fix}`]),
  ]);
  return `${[...lines, '', summary(findings)].join('\n')}\n`;
}

function summary(findings: readonly Finding[]): string {
  const many = (level: Level) => {
    const found = findings.filter((finding) => finding.level === level).length;
    return `${found} ${level}${found === 1 ? '' : 's'}`;
  };
  const [problems, warnings] = [many('problem'), many('warning')];
  return problems === '0 problems' && warnings === '0 warnings'
    ? 'Everything is in order.'
    : `${problems}, ${warnings}.`;
}
