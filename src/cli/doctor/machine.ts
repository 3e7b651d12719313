/** The ground that all stands on: Node's version, the clock, and whether a daemon runs. */
import { warningText } from '../../config/warning.ts';
import { ControlFault } from '../../control/fault.ts';
import { version } from '../../core/version.ts';
import { duration } from '../figures.ts';
import { type Case, type Finding, ok, problem, warning } from './finding.ts';

/** As `engines` in the package says. */
const NODE_MIN = { major: 20, minor: 19 };
/** Nothing of this program is older: a clock before it was never set. */
const BORN_MS = Date.UTC(2026, 0, 1);

export function checkNode(running: string = process.versions.node): Finding {
  const [major = 0, minor = 0] = running.split('.').map(Number);
  const isOld = major < NODE_MIN.major || (major === NODE_MIN.major && minor < NODE_MIN.minor);
  if (!isOld) return ok(`Node ${running}`);
  const wanted = `${NODE_MIN.major}.${NODE_MIN.minor}`;
  return problem(
    `Node ${running} is too old: ${wanted} or newer is needed`,
    'install a newer Node from nodejs.org',
  );
}

export function checkClock({ world: { clock } }: Case): Finding[] {
  if (clock.wall() >= BORN_MS) return [];
  const year = new Intl.DateTimeFormat('en', { year: 'numeric', timeZone: 'UTC' }).format(clock.wall());
  return [
    problem(
      `this machine's clock says that it is ${year}: certificates are refused`,
      'set the clock, or switch on NTP',
    ),
  ];
}

export function checkDaemon({ daemon, looked, typed }: Case): Finding {
  if (daemon instanceof ControlFault) {
    if (daemon.kind === 'not_running') return warning('no daemon is running', typed('start'));
    return problem(daemon.message, 'stop what holds the control socket, and start again');
  }
  const { pid, version: running, uptimeSeconds, warnings } = daemon;
  if (running !== version())
    return warning(
      `the daemon (pid ${pid}) is of version ${running}, and this command of ${version()}`,
      `${typed('stop')}, and start it again`,
    );
  // Its own warnings are of the configuration that it started with, which may be another by now.
  const present = looked.warnings.map(warningText);
  const stale = warnings.filter((text) => !present.includes(text));
  if (stale.length > 0)
    return warning(`the daemon (pid ${pid}) started with: ${stale.join('; ')}`, typed('restart'));
  return ok(`the daemon runs (pid ${pid}, up ${duration(uptimeSeconds)})`);
}
