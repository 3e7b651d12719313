/** One daemon inside the test's own process, with the models of the cases: what two of them do, but for the mesh. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Case } from '../../conformance/case.ts';
import { OwnedModels, type RunningPlace } from '../../conformance/nodes.ts';
import { scriptOf } from '../../conformance/player.ts';
import { load } from '../../src/config/load.ts';
import { startDaemon } from '../../src/daemon.ts';
import { realClock } from '../support/real-clock.ts';
import { type Script, startUpstream } from '../support/scripted-upstream.ts';

export async function startOneNode(cases: readonly Case[]): Promise<RunningPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'clawmatrix-conformance-'));
  const owned = new OwnedModels(cases);
  const scripts = new Map<string, Script>();
  const upstream = await startUpstream();
  upstream.always(scriptOf(scripts));
  const config = { ...owned.config(upstream.baseUrl), log: { level: 'silent' } };
  await writeFile(join(folder, 'clawmatrix.json'), JSON.stringify(config), { mode: 0o600 });
  const loaded = await load({ env: { CLAWMATRIX_HOME: folder }, clock: realClock });
  const host = { stop: () => {}, restart: () => Promise.resolve({ kind: 'stopping' } as const) };
  const daemon = await startDaemon(loaded, host, realClock);
  return {
    url: `${daemon.proxyUrl}/v1`,
    modelOf: owned.modelOf,
    scripts,
    [Symbol.asyncDispose]: async () => {
      await daemon.stop();
      await upstream[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
