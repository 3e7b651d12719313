/** One entry and two owners of the same model, each a process of its own with a scripted upstream of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DemoNode } from '../../demo/node.ts';
import { eventually } from './eventually.ts';
import { type ScriptedUpstream, startUpstream } from './scripted-upstream.ts';
import { cli } from './two-nodes.ts';

export const SHARED_MODEL = 'shared-model';

export interface Owner {
  readonly node: DemoNode;
  readonly upstream: ScriptedUpstream;
}

export interface Owners extends AsyncDisposable {
  readonly alpha: DemoNode;
  readonly bravo: Owner;
  readonly charlie: Owner;
  /** Alpha's proxy, with `/v1`. */
  readonly url: string;
}

/** `upstreamMs` is the owners' guard of their upstreams. */
export async function startOwners(upstreamMs = 120_000): Promise<Owners> {
  const folder = await mkdtemp(join(tmpdir(), 'clawmatrix-owners-'));
  const alpha = new DemoNode('alpha', folder);
  await alpha.init();
  const own = async (name: string) => {
    const node = new DemoNode(name, folder);
    await node.init(alpha);
    const upstream = await startUpstream();
    const { mesh } = await node.start({
      nodeId: name,
      listen: { host: '127.0.0.1', port: 0 },
      proxy: { port: 0 },
      models: [
        { id: SHARED_MODEL, provider: 'scripted', baseUrl: upstream.baseUrl, timeouts: { upstreamMs } },
      ],
    });
    return { node, upstream, mesh };
  };
  const bravo = await own('bravo');
  const charlie = await own('charlie');
  const { proxy } = await alpha.start({
    nodeId: 'alpha',
    proxy: { port: 0 },
    peers: [bravo.mesh, charlie.mesh],
  });
  await eventually('alpha knows the model at both', async () => {
    const { stdout } = await cli(alpha.home, 'models', '--json');
    return JSON.parse(stdout).length === 2;
  });
  return {
    alpha,
    bravo,
    charlie,
    url: proxy,
    [Symbol.asyncDispose]: async () => {
      for (const node of [alpha, bravo.node, charlie.node]) {
        if (node.pid !== undefined) resume(node.pid);
        await node.stop('SIGKILL');
      }
      for (const { upstream } of [bravo, charlie]) await upstream[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A stopped process ends by no signal until it goes on. */
function resume(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It has ended already.
  }
}
