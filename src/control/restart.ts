/** Lets the running daemon start anew with its configuration as it is now, and waits until it is ready again. */
import { DRAIN_MS, RESTART_MS, STOP_MS } from '../core/limits.ts';
import type { StatusView } from '../core/views.ts';
import type { Clock } from '../lib/clock.ts';
import { askDaemon } from './client.ts';
import { ControlFault } from './fault.ts';
import { type ChangeOptions, waitFor } from './patience.ts';
import { processIsAlive } from './stop.ts';

/** Returns what the new start says of itself. Throws `faulty` where the daemon goes on with its old configuration. */
export async function restartDaemon(options: ChangeOptions): Promise<StatusView> {
  const {
    path,
    clock,
    ms = DRAIN_MS + STOP_MS + RESTART_MS,
    isAlive = processIsAlive,
    onWait,
    signal,
  } = options;
  const asked = await askDaemon('restart', { path, clock });
  const { pid } = asked;
  if (asked.kind === 'faulty')
    throw new ControlFault('faulty', `${asked.text}\nThe daemon (pid ${pid}) goes on as before.`, { pid });
  if (asked.kind === 'stopping')
    throw new ControlFault('not_running', `the daemon (pid ${pid}) was told to stop, and does`, { pid });
  const found = await waitFor({ clock, ms, onWait, signal }, async () => {
    const status = await statusOf(path, clock);
    if (status !== undefined && status.bootEpoch >= asked.bootEpoch && status.proxy !== '') return status;
    // Between the old socket and the new one there is none, but there is the process.
    return status === undefined && !isAlive(pid) ? 'gone' : undefined;
  });
  if (found === 'gone')
    throw new ControlFault(
      'unusable',
      `the daemon (pid ${pid}) stopped and is not there again: if nobody stopped it, its log says why`,
    );
  if (found !== undefined) return found;
  throw new ControlFault(
    'silent',
    `the daemon (pid ${pid}) was told to start anew and is not ready yet: "clawmatrix status" shows when it is`,
    { pid },
  );
}

async function statusOf(path: string, clock: Clock): Promise<StatusView | undefined> {
  try {
    return await askDaemon('status', { path, clock });
  } catch (error) {
    if (error instanceof ControlFault && error.kind === 'not_running') return undefined;
    throw error;
  }
}
