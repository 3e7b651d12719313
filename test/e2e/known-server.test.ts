/** Two daemons: the owner finds out what its server is and fits calls to it; the entry has words of its own for a model. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DemoNode } from '../../demo/node.ts';
import { LEFT_OUT_HEADER } from '../../src/core/header-names.ts';
import { eventually } from '../support/eventually.ts';
import { chatEvents } from '../support/openai-bodies.ts';
import * as scripted from '../support/scripted-upstream.ts';
import { modelIds, post } from '../support/two-nodes.ts';

const EVENTS = chatEvents({ text: ['Hel', 'lo'], usage: { input: 7, output: 5 } });
const WITHOUT_USAGE = [...EVENTS.slice(0, -2), ...EVENTS.slice(-1)].join('');

let folder: string;
let nodes: readonly DemoNode[];
let vllm: scripted.ScriptedUpstream;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clawmatrix-e2e-'));
  vllm = await scripted.startUpstream({ listsModels: true });
  const list = scripted.json(200, { object: 'list', data: [{ id: 'm', object: 'model', owned_by: 'vllm' }] });
  const events = scripted.raw({ headers: { 'content-type': 'text/event-stream' } }, EVENTS.join(''));
  vllm.always((response, request) => (request.method === 'GET' ? list : events)(response, request));
  const alpha = new DemoNode('alpha', folder);
  const bravo = new DemoNode('bravo', folder);
  nodes = [alpha, bravo];
  await bravo.init();
  await alpha.init(bravo);
  const { mesh } = await bravo.start({
    nodeId: 'bravo',
    listen: { host: '127.0.0.1', port: 0 },
    proxy: { port: 0 },
    models: [{ id: 'm', provider: 'box', baseUrl: vllm.baseUrl, description: 'of its owner' }],
  });
  const entry = await alpha.start({
    nodeId: 'alpha',
    proxy: { port: 0 },
    peers: [mesh],
    proxyModels: [
      { id: 'm', nodeId: 'bravo', contextWindow: 77, tell: true },
      { id: 'gone', nodeId: 'charlie' },
    ],
  });
  url = entry.proxy;
  await eventually('alpha lists the model', async () => (await modelIds(url)).includes('m'));
});

afterAll(async () => {
  for (const node of nodes) await node.stop();
  await vllm[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const messages = [
  { role: 'developer', content: 'Be kind.' },
  { role: 'user', content: 'Say it.' },
];

test('a call reaches the server as that takes it, and its client sees what it would have seen of OpenAI', async () => {
  const asked = { model: 'm', stream: true, store: true, max_completion_tokens: 9, messages };
  const reply = await eventually('the owner knows its server', async () => {
    const got = await post(`${url}/chat/completions`, asked);
    const text = await got.text();
    return got.headers.get(LEFT_OUT_HEADER) === null ? undefined : { text, headers: got.headers };
  });
  expect(reply.text).toBe(WITHOUT_USAGE);
  expect(reply.headers.get(LEFT_OUT_HEADER)).toBe('store');
  expect(vllm.requests.at(-1)?.json()).toEqual({
    model: 'm',
    stream: true,
    max_tokens: 9,
    messages: [
      { role: 'system', content: '[Model: of its owner]\n\nBe kind.' },
      { role: 'user', content: 'Say it.' },
    ],
    stream_options: { include_usage: true },
  });
});

test('the entry lists the model in its own words, and says where a pinned one cannot be called', async () => {
  const row: unknown = await (await fetch(`${url}/models/m`)).json();
  expect(row).toMatchObject({ description: 'of its owner', context_window: 77, compat: {} });
  const pinned = await post(`${url}/chat/completions`, { model: 'gone', messages });
  expect(pinned.status).toBe(503);
  expect(await pinned.text()).toContain('pinned to node charlie');
});
