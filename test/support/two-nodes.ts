/** Two daemons, each a process of its own: alpha is the entry and owns nothing, bravo owns what a scripted upstream has. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DemoNode } from '../../demo/node.ts';
import { eventually } from './eventually.ts';
import { type ScriptedUpstream, startUpstream } from './scripted-upstream.ts';
import { startTap, type WireTap } from './wire-tap.ts';

/** By the dialect that the upstream behind it speaks. */
export const MODELS = { chat: 'chat-only-model', responses: 'responses-only-model' } as const;
export const UPSTREAM_KEY = 'sk-canary-0123456789abcdefghijklmnop';

export interface TwoNodes extends AsyncDisposable {
  readonly upstream: ScriptedUpstream;
  readonly alpha: DemoNode;
  readonly bravo: DemoNode;
  /** Alpha's proxy, with `/v1`. */
  readonly url: string;
  /** Bravo's own proxy, with `/v1`. */
  readonly ownerUrl: string;
  /** What runs between the two. */
  readonly tap: WireTap;
}

/** `more` is what stands in their configurations beside that, or in its place. */
export async function startTwoNodes(
  more: { readonly alpha?: object; readonly bravo?: object } = {},
): Promise<TwoNodes> {
  const folder = await mkdtemp(join(tmpdir(), 'clawmatrix-e2e-'));
  const alpha = new DemoNode('alpha', folder);
  const bravo = new DemoNode('bravo', folder);
  const upstream = await startUpstream();
  await bravo.init();
  await alpha.init(bravo);
  const provider = { baseUrl: upstream.baseUrl, apiKey: UPSTREAM_KEY };
  const owner = await bravo.start({
    nodeId: 'bravo',
    listen: { host: '127.0.0.1', port: 0 },
    proxy: { port: 0 },
    providers: {
      chatty: { ...provider, api: 'openai-completions' },
      responder: { ...provider, api: 'openai-responses' },
    },
    models: [
      { id: MODELS.chat, provider: 'chatty' },
      { id: MODELS.responses, provider: 'responder' },
    ],
    ...more.bravo,
  });
  const { hostname: host, port } = new URL(owner.mesh);
  const tap = await startTap({ host, port: Number(port) });
  const entry = await alpha.start({
    nodeId: 'alpha',
    proxy: { port: 0 },
    peers: [`ws://127.0.0.1:${tap.port}`],
    ...more.alpha,
  });
  const nodes: TwoNodes = {
    upstream,
    alpha,
    bravo,
    url: entry.proxy,
    ownerUrl: owner.proxy,
    tap,
    [Symbol.asyncDispose]: async () => {
      await alpha.stop();
      await bravo.stop();
      await tap[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await eventually('alpha lists the models of bravo', async () =>
    (await modelIds(nodes.url)).includes(MODELS.chat),
  );
  return nodes;
}

export async function modelIds(url: string): Promise<string[]> {
  const list: { data: { id: string }[] } = JSON.parse(await (await fetch(`${url}/models`)).text());
  return list.data.map(({ id }) => id);
}

/** Sends JSON and reads the whole reply as text. */
export async function post(url: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  });
}

export function ask(model: string, more: object = {}): object {
  return { model, messages: [{ role: 'user', content: 'Say it.' }], ...more };
}

const program = fileURLToPath(new URL('../../bin/clawmatrix.js', import.meta.url));

/** Runs `clawmatrix` as a person would; never throws for an exit code. */
export async function cli(
  home: string,
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const env = { ...process.env, CLAWMATRIX_HOME: home, CLAWMATRIX_CONFIG: '' };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...args], { env });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}
