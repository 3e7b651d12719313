/** Exit codes: what a script can tell from how the command ended. */
import { ConfigFaults } from '../config/faults.ts';
import { ControlFault } from '../control/fault.ts';
import { FileFault } from '../lib/files.ts';

export const EXIT = {
  ok: 0,
  failed: 1,
  /** A fault in the configuration, in the state directory, or in how the command was called. */
  badConfig: 2,
  notRunning: 3,
  alreadyRunning: 4,
  /** What was written is the beginning of an answer, and not all of it. */
  notWhole: 5,
} as const;

export const EXIT_HELP = `
Exit codes:
  0    done
  1    failed; doctor: something is to be mended
  2    bad configuration or bad usage
  3    no daemon is running
  4    a daemon is running already
  5    chat: the answer broke off
  130  ended by Ctrl-C (SIGINT)
  143  ended by SIGTERM`;

export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigFaults || error instanceof FileFault || error instanceof UsageFault)
    return EXIT.badConfig;
  if (error instanceof NotWhole) return EXIT.notWhole;
  const control = controlFaultIn(error);
  if (control?.kind === 'not_running') return EXIT.notRunning;
  if (control?.kind === 'already_running') return EXIT.alreadyRunning;
  if (control?.kind === 'faulty') return EXIT.badConfig;
  return EXIT.failed;
}

/** What the person who typed the command can mend. */
export class UsageFault extends Error {
  override readonly name = 'UsageFault';
}

/** An answer that was written in part and then broke off. */
export class NotWhole extends Error {
  override readonly name = 'NotWhole';
}

/** The fault itself, or the one that another error was made of. */
function controlFaultIn(error: unknown): ControlFault | undefined {
  if (error instanceof ControlFault) return error;
  return error instanceof Error && error.cause instanceof ControlFault ? error.cause : undefined;
}
