/** All that is measured, running at once: the mock, the pipes, the daemons, another gateway. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CleanUps } from './clean-ups.ts';
import { answered, Nodes } from './nodes.ts';
import { type Load, type Part, startLoad, startPart } from './parts.ts';
import { portkeyHeaders, startPortkey } from './portkey.ts';
import type { Target } from './target.ts';

export interface Rig extends AsyncDisposable {
  readonly load: Load;
  readonly targets: readonly Target[];
}

export interface RigOptions {
  readonly portkey?: boolean;
  /** Options of Node for the daemon of that name. */
  readonly nodeArgs?: (name: string) => readonly string[];
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const cleanUps = new CleanUps();
  try {
    const folder = await mkdtemp(join(tmpdir(), 'clawmatrix-bench-'));
    cleanUps.add(() => rm(folder, { recursive: true, force: true }));
    const mock = cleanUps.keep(await startPart(folder, 'mock'));
    const targets = [
      target('direct', mock.port, []),
      ...(await startPipes(folder, mock, cleanUps)),
      ...(await startNodes(cleanUps.keep(new Nodes(folder, options.nodeArgs)), mock)),
      ...(options.portkey ? await tryPortkey(mock, cleanUps) : []),
    ];
    // Last, so that it is the first to end: a daemon that is asked to stop waits for the streams that it carries.
    const load = cleanUps.keep(await startLoad(folder));
    return { load, targets, [Symbol.asyncDispose]: () => cleanUps.run() };
  } catch (error) {
    await cleanUps.run();
    throw error;
  }
}

async function startPipes(folder: string, mock: Part, cleanUps: CleanUps): Promise<Target[]> {
  const near = cleanUps.keep(await startPart(folder, 'pipe', `http://127.0.0.1:${mock.port}`));
  const far = cleanUps.keep(await startPart(folder, 'pipe', `http://127.0.0.1:${near.port}`));
  const [first, second] = [
    { role: 'pipe', pid: near.pid },
    { role: 'pipe in front', pid: far.pid },
  ];
  return [target('pipe1', near.port, [first]), target('pipe2', far.port, [second, first])];
}

async function startNodes(nodes: Nodes, mock: Part): Promise<Target[]> {
  await nodes.init();
  const owner = await nodes.startOwner(mock.port);
  const entry = await nodes.startEntry(owner);
  const solo = await nodes.startSolo(mock.port);
  await answered(entry.proxy);
  await answered(solo.proxy);
  const portOf = (url: string) => Number(new URL(url).port);
  const process = (role: 'entry' | 'owner' | 'solo') => ({ role, pid: nodes[role].pid ?? 0 });
  return [
    target('one', portOf(solo.proxy), [process('solo')]),
    target('two', portOf(entry.proxy), [process('entry'), process('owner')]),
  ];
}

/** What does not install or start on this machine is left out: the rest is worth the run without it. */
async function tryPortkey(mock: Part, cleanUps: CleanUps): Promise<Target[]> {
  try {
    const { port, pid } = cleanUps.keep(await startPortkey());
    return [target('portkey', port, [{ role: 'portkey', pid }], portkeyHeaders(mock.port))];
  } catch (error) {
    console.error(`without portkey: ${String(error)}`);
    return [];
  }
}

function target(
  name: Target['name'],
  port: number,
  processes: Target['processes'],
  headers: Target['headers'] = {},
): Target {
  return { name, port, processes, headers };
}
