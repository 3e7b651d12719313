/** `stop` and `restart`: tell the running daemon, and wait until it is done. */
import type { ChangeOptions } from '../control/patience.ts';
import { restartDaemon } from '../control/restart.ts';
import { stopDaemon } from '../control/stop.ts';
import { EXIT } from './exit.ts';
import { apiRoot } from './proxy.ts';
import { plainText } from './table.ts';
import { signalExitCode, untilSignal, type World } from './world.ts';

/** Returns the exit code. Ctrl-C ends the waiting; the daemon does what it was told. */
export function stop(world: World, path: string): Promise<number> {
  return patiently(world, 'stopping', async (wait) => {
    world.out.write(`stopped (pid ${await stopDaemon({ path, ...wait })})\n`);
  });
}

export function restart(world: World, path: string): Promise<number> {
  return patiently(world, 'starting anew', async (wait) => {
    const { pid, proxy } = await restartDaemon({ path, ...wait });
    world.out.write(`started anew (pid ${pid}): proxy ${plainText(apiRoot(proxy))}\n`);
  });
}

type Wait = Omit<ChangeOptions, 'path' | 'ms'>;

function patiently(world: World, doing: string, run: (wait: Wait) => Promise<void>): Promise<number> {
  const { clock, isAlive, err } = world;
  return untilSignal(
    world,
    async (signal) => {
      await run({
        clock,
        signal,
        ...(isAlive === undefined ? {} : { isAlive }),
        onWait: () => err.write(`clawmatrix: ${doing}; waiting for running calls\n`),
      });
      return EXIT.ok;
    },
    (name) => {
      err.write(`clawmatrix: not waiting any more; the daemon goes on ${doing}\n`);
      return signalExitCode(name);
    },
  );
}
