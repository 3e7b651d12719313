/** One real daemon with a mesh port and a proxy, and no upstream but the built-in echo. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DemoNode } from '../demo/node.ts';
import { WATCHED } from './node-figures.ts';
import type { Door } from './visitor.ts';

export interface Daemon extends AsyncDisposable {
  readonly node: DemoNode;
  readonly door: Door;
  /** Of its proxy. */
  readonly port: number;
}

export async function startDaemon(): Promise<Daemon> {
  const folder = await mkdtemp(join(tmpdir(), 'clawmatrix-soak-'));
  const node = new DemoNode('bravo', folder, WATCHED);
  const stop = async () => {
    await node.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await node.init();
    const { mesh, proxy } = await node.start({
      nodeId: 'bravo',
      listen: { host: '127.0.0.1', port: 0 },
      proxy: { port: 0 },
      log: { level: 'warn' },
    });
    const networkKey = Buffer.from(readFileSync(join(node.home, 'mesh.key'), 'utf8').trim(), 'base64url');
    const port = Number(new URL(proxy).port);
    return { node, door: { url: mesh, networkKey }, port, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
