/** An agent's program, run to its end in a home of its own, without a way to anywhere but this machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Nobody listens there: what asks a proxy for another machine is refused at once. */
const NOWHERE = 'http://127.0.0.1:9';
/** An agent that hangs is a failure. Its process group is its own, with all that it started. */
const PROGRAM_MS = 180_000;

export async function runProgram(
  [program, ...first]: readonly [string, ...string[]],
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<Ended> {
  const work = join(folder, 'work');
  await mkdir(work, { recursive: true });
  const child = spawn(program, [...first, ...args], {
    cwd: work,
    env: { ...homeIn(folder), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const late = setTimeout(() => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, PROGRAM_MS);
  try {
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    return { code: child.exitCode, stdout, stderr };
  } finally {
    clearTimeout(late);
  }
}

function homeIn(folder: string): Record<string, string> {
  const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
  return {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    TMPDIR: folder,
    XDG_CONFIG_HOME: join(folder, 'config'),
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_STATE_HOME: join(folder, 'state'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    NO_PROXY: '127.0.0.1,localhost',
    no_proxy: '127.0.0.1,localhost',
    ...Object.fromEntries(proxies.map((name) => [name, NOWHERE])),
  };
}
