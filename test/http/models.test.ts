import { describe, expect, test } from 'vitest';
import { nodeIdOf } from '../../src/core/ids.ts';
import type { ModelView, StatusView } from '../../src/core/views.ts';
import { ask } from './ask.ts';
import { modelView, NODE, startWith } from './start.ts';

const OTHER = nodeIdOf(new Uint8Array(32).fill(1));
const never = () => Promise.reject(new Error('no call in this test'));
const remote: Partial<ModelView> = { node: 'gpu', nodeId: OTHER, local: false };

const models: readonly ModelView[] = [
  modelView('qwen3:8b', remote),
  modelView('qwen3:8b', {
    contextWindow: 32_768,
    card: {
      id: 'qwen3:8b',
      provider: 'ollama',
      dialect: 'chat',
      description: 'fast',
      maxTokens: 8192,
      reasoning: true,
      input: ['text', 'image'],
      cost: { input: 1 },
    },
  }),
  modelView('Qwen/Qwen3-8B', { ...remote, provider: 'vllm' }),
  modelView('gone', { ...remote, reachable: false }),
  modelView('half', { reachable: false }),
  modelView('half', remote),
];

const start = () => startWith(never, { parts: { models: () => models } });

function ids(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body)).data.map(({ id }: { id: unknown }) => id);
}

describe('/v1/models', () => {
  test.each(['/v1/models', '/models'])('%s lists each reachable model once', async (path) => {
    await using on = await start();
    const told = await ask(`${on.url}${path}`);
    expect(told.status).toBe(200);
    expect(told.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    expect(ids(told.json())).toEqual(['Qwen/Qwen3-8B', 'half', 'qwen3:8b']);
  });

  test('lists those that nobody can reach when asked for all', async () => {
    await using on = await start();
    const body = (await ask(`${on.url}/v1/models?all=1`)).json();
    expect(ids(body)).toEqual(['Qwen/Qwen3-8B', 'gone', 'half', 'qwen3:8b']);
    expect(body).toMatchObject({
      object: 'list',
      data: [{}, { id: 'gone', reachable: false }, { reachable: true }, {}],
    });
  });

  test('a row tells what clients configure themselves by', async () => {
    await using on = await start();
    expect((await ask(`${on.url}/v1/models/qwen3:8b`)).json()).toEqual({
      id: 'qwen3:8b',
      object: 'model',
      created: 0,
      owned_by: 'ollama',
      description: 'fast',
      context_window: 32_768,
      max_tokens: 8192,
      reasoning: true,
      input: ['text', 'image'],
      api: 'openai-completions',
      cost: { input: 1, output: 0, cacheRead: 0, cacheWrite: 0 },
      compat: {},
      node_id: NODE,
      reachable: true,
    });
  });
});

describe('/v1/models/{id}', () => {
  test.each([
    ['Qwen/Qwen3-8B', OTHER],
    ['Qwen%2FQwen3-8B', OTHER],
    ['qwen3%3A8b', NODE],
    ['gpu/qwen3:8b', OTHER],
    ['gpu%2Fqwen3:8b', OTHER],
    [`${OTHER}/qwen3:8b`, OTHER],
    ['gpu/Qwen/Qwen3-8B', OTHER],
    ['vllm/Qwen/Qwen3-8B', OTHER],
    ['gone', OTHER],
  ])('%s is found', async (name, node_id) => {
    await using on = await start();
    const told = await ask(`${on.url}/v1/models/${name}`);
    expect(told.status).toBe(200);
    expect(told.json()).toMatchObject({ node_id });
  });

  test('one that is not there is answered 404 with the nearest', async () => {
    await using on = await start();
    const told = await ask(`${on.url}/v1/models/qwen3:14b`);
    expect(told.status).toBe(404);
    expect(told.json()).toMatchObject({ error: { code: 'model_not_found', param: 'model' } });
    expect(told.text).toContain('qwen3:8b');
    expect((await ask(`${on.url}/v1/models/%E0`)).status).toBe(404);
  });
});

test('/status shows what the daemon hands in', async () => {
  const status: StatusView = {
    id: NODE,
    name: 'studio',
    version: '0.1.0',
    pid: 1,
    bootEpoch: 1,
    uptimeSeconds: 2,
    proxy: 'http://127.0.0.1:19701',
    listen: null,
    peers: { direct: 0, down: 0 },
    models: { local: 1, remote: 0 },
    calls: { entry: 0, owner: 0 },
    warnings: [],
  };
  await using on = await startWith(never, { parts: { status: () => status } });
  expect((await ask(`${on.url}/status`)).json()).toEqual(status);
});
