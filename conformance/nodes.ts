/** Two daemons for the matrix: the entry owns nothing, the owner has a model for each way in which cases want one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DemoNode } from '../demo/node.ts';
import { eventually } from '../test/support/eventually.ts';
import { type Script, startUpstream } from '../test/support/scripted-upstream.ts';
import { modelIds } from '../test/support/two-nodes.ts';
import type { Case, Dialect } from './case.ts';
import { type Place, scriptOf } from './player.ts';

const OWNER = 'bravo';
const KEY = 'sk-canary-0123456789abcdefghijklmnop';
const APIS = { chat: 'openai-completions', responses: 'openai-responses' };

export interface RunningPlace extends Place, AsyncDisposable {}

/** The owner's part of a configuration: where its models are, one for each set of keys that a case asks for. */
export class OwnedModels {
  readonly #ids = new Map<string, string>();
  readonly #models: object[] = [];

  constructor(cases: readonly Case[]) {
    for (const one of cases) {
      const key = keyOf(one);
      if (this.#ids.has(key)) continue;
      const { length } = [...this.#ids.keys()].filter((known) => known.startsWith(one.upstream));
      const id = `${one.upstream}-only${length === 0 ? '' : `-${length}`}`;
      this.#ids.set(key, id);
      this.#models.push({ id, provider: providerOf(one.upstream), ...one.model });
    }
  }

  get ids(): readonly string[] {
    return [...this.#ids.values()];
  }

  config(baseUrl: string): object {
    const provider = { baseUrl, apiKey: KEY };
    return {
      nodeId: OWNER,
      proxy: { port: 0 },
      providers: {
        [providerOf('chat')]: { ...provider, api: APIS.chat },
        [providerOf('responses')]: { ...provider, api: APIS.responses },
      },
      models: this.#models,
    };
  }

  readonly modelOf: Place['modelOf'] = (one) => {
    const owned = this.#ids.get(keyOf(one)) ?? '';
    return { asked: `${OWNER}/${owned}`, owned };
  };
}

export async function startNodes(cases: readonly Case[]): Promise<RunningPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'clawmatrix-conformance-'));
  const owned = new OwnedModels(cases);
  const scripts = new Map<string, Script>();
  const upstream = await startUpstream();
  upstream.always(scriptOf(scripts));
  const bravo = new DemoNode(OWNER, folder);
  const alpha = new DemoNode('alpha', folder);
  await bravo.init();
  await alpha.init(bravo);
  const owner = await bravo.start({
    ...owned.config(upstream.baseUrl),
    listen: { host: '127.0.0.1', port: 0 },
  });
  const entry = await alpha.start({ nodeId: 'alpha', proxy: { port: 0 }, peers: [owner.mesh] });
  await eventually('the entry lists the models of the owner', async () =>
    (await modelIds(entry.proxy)).includes(owned.ids.at(-1) ?? ''),
  );
  return {
    url: entry.proxy,
    modelOf: owned.modelOf,
    scripts,
    [Symbol.asyncDispose]: async () => {
      await alpha.stop();
      await bravo.stop();
      await upstream[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function keyOf({ upstream, model }: Case): string {
  return `${upstream} ${JSON.stringify(model)}`;
}

function providerOf(dialect: Dialect): string {
  return { chat: 'chatty', responses: 'responder' }[dialect];
}
