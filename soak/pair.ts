/** Two real daemons for a part of the soak: alpha asks, bravo owns what the soak's model server has. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DemoNode } from '../demo/node.ts';
import { WATCHED, until } from './node-figures.ts';
import { MODELS, startUpstream, type Upstream } from './upstream.ts';

export interface Pair extends AsyncDisposable {
  readonly alpha: DemoNode;
  readonly bravo: DemoNode;
  readonly upstream: Upstream;
  /** Alpha's proxy, with `/v1`. */
  readonly url: string;
  /** `ws://` of bravo's mesh port. */
  readonly mesh: string;
}

/** `through` may put something between alpha and bravo's mesh port: it gets that address and gives another one. */
export async function startPair(through = (mesh: string) => Promise.resolve(mesh)): Promise<Pair> {
  const folder = await mkdtemp(join(tmpdir(), 'clawmatrix-soak-'));
  const [alpha, bravo] = [new DemoNode('alpha', folder, WATCHED), new DemoNode('bravo', folder, WATCHED)];
  const upstream = await startUpstream();
  const stop = async () => {
    await alpha.stop();
    await bravo.stop();
    await upstream.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await bravo.init();
    await alpha.init(bravo);
    const { mesh } = await bravo.start({
      nodeId: 'bravo',
      listen: { host: '127.0.0.1', port: 0 },
      proxy: { port: 0 },
      providers: { mock: { baseUrl: upstream.baseUrl } },
      models: MODELS.map((id) => ({ id, provider: 'mock' })),
      log: { level: 'warn' },
    });
    const { proxy } = await alpha.start({
      nodeId: 'alpha',
      proxy: { port: 0 },
      peers: [await through(mesh)],
      log: { level: 'warn' },
    });
    const joined = async () => (await (await fetch(`${proxy}/models`)).text()).includes('"slow"');
    if ((await until(joined, 15_000)) === undefined)
      throw new Error('alpha does not see the models of bravo');
    return { alpha, bravo, upstream, url: proxy, mesh, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
