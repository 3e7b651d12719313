/** Stops the running daemon, and waits until it is really gone: `stop && start` must not meet the old one. */
import { readFileSync } from 'node:fs';
import { DRAIN_MS, PROCESS_END_MS, STOP_MS } from '../core/limits.ts';
import type { Clock } from '../lib/clock.ts';
import { isErrno } from '../lib/errno.ts';
import { askDaemon } from './client.ts';
import { ControlFault } from './fault.ts';
import { type ChangeOptions, waitFor } from './patience.ts';

/** Returns the pid of the daemon that has gone. */
export async function stopDaemon(options: ChangeOptions): Promise<number> {
  const {
    path,
    clock,
    ms = DRAIN_MS + STOP_MS + PROCESS_END_MS,
    isAlive = processIsAlive,
    onWait,
    signal,
  } = options;
  const { pid } = await askDaemon('stop', { path, clock });
  const gone = await waitFor({ clock, ms, onWait, signal }, async () =>
    !isAlive(pid) && (await isGone(path, clock)) ? pid : undefined,
  );
  if (gone !== undefined) return gone;
  throw new ControlFault(
    'silent',
    `the daemon (pid ${pid}) was told to stop and is still there: kill it if it hangs`,
    { pid },
  );
}

async function isGone(path: string, clock: Clock): Promise<boolean> {
  try {
    await askDaemon('pid', { path, clock });
    return false;
  } catch (error) {
    return error instanceof ControlFault && error.kind === 'not_running';
  }
}

export function processIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // A process of another user is there, and may only not be signalled.
    return isErrno(error, 'EPERM');
  }
  return !isZombie(pid);
}

/** In a container nobody may reap a process that has ended: it keeps its number and answers to signals for ever. */
function isZombie(pid: number): boolean {
  if (process.platform !== 'linux') return false;
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
