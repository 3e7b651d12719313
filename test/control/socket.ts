/** A control socket in a directory of the test's own, and what a fake daemon says on it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Control, type ControlHandlers, startControl } from '../../src/control/server.ts';
import { nodeIdOf } from '../../src/core/ids.ts';
import type { ModelView, PeerView, StatusView } from '../../src/core/views.ts';
import { realClock } from '../support/real-clock.ts';

export async function socketPath(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cm-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return join(directory, 'control.sock');
}

export async function fakeDaemon(path: string, handlers: Partial<ControlHandlers> = {}): Promise<Control> {
  const control = await startControl({
    path,
    clock: realClock,
    handlers: {
      status: () => STATUS,
      peers: () => PEERS,
      models: () => MODELS,
      stop: () => void control.close(),
      restart: async () => ({ kind: 'stopping' }),
      ...handlers,
    },
  });
  onTestFinished(() => control.close());
  return control;
}

const studio = nodeIdOf(Buffer.alloc(32, 1));
const hub = nodeIdOf(Buffer.alloc(32, 2));

export const STATUS: StatusView = {
  id: studio,
  name: 'studio',
  version: '0.1.0',
  pid: process.pid,
  bootEpoch: 1,
  uptimeSeconds: 7_384.2,
  proxy: 'http://127.0.0.1:19701',
  listen: null,
  peers: { direct: 1, down: 1 },
  models: { local: 1, remote: 2 },
  calls: { entry: 3, owner: 0 },
  warnings: ['something to mend'],
};

export const PEERS: readonly PeerView[] = [
  {
    id: hub,
    name: 'hub',
    status: 'direct',
    rttMs: 1.234,
    path: ['studio', 'hub'],
    models: ['llama-70b'],
    version: '0.1.0',
    url: 'ws://hub.lan:19700',
    reason: null,
  },
  {
    id: null,
    name: null,
    status: 'down',
    rttMs: null,
    path: [],
    models: [],
    version: null,
    url: 'wss://relay.a-very-long-name-of-a-company.example.net:19700/mesh',
    reason: 'connection refused, and then a long story of why that may be so',
  },
];

export const MODELS: readonly ModelView[] = [
  model('qwen3:8b', { node: 'studio', local: true, contextWindow: 32_768 }),
  model('meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8-with-a-long-tail-of-a-name', { reachable: false }),
  model('夢幻模型-夢幻模型-夢幻模型-夢幻模型-夢幻模型-夢幻模型', {}),
];

export function model(id: string, more: Partial<ModelView>): ModelView {
  const provider = 'ollama';
  const card = { id, provider, dialect: 'chat' } as const;
  return {
    id,
    node: 'hub',
    nodeId: hub,
    provider,
    api: 'openai-completions',
    reachable: true,
    contextWindow: null,
    local: false,
    card,
    ...more,
  };
}
