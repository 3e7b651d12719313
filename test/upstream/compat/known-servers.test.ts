/** How a server is recognised, and what is made of it together with what is configured. */
import { describe, expect, test } from 'vitest';
import {
  compatOf,
  KNOWN_SERVERS,
  serverOfHost,
  serverOfName,
  serverOfReply,
} from '../../../src/upstream/compat/known-servers.ts';

test.each([
  ['https://api.openai.com/v1', 'openai'],
  ['https://openrouter.ai/api/v1', 'openrouter'],
  ['https://api.deepseek.com', 'deepseek'],
  ['https://ollama.com/v1', 'ollama'],
  ['https://API.OpenAI.com/v1', 'openai'],
  ['https://api.openai.com.evil.example/v1', undefined],
  ['https://mine.openai.azure.com/openai/v1', undefined],
  ['http://127.0.0.1:11434/v1', undefined],
])('the host of %s is that of %s', (baseUrl, server) => {
  expect(serverOfHost(baseUrl)).toBe(server);
});

test.each([
  ['http://127.0.0.1:11434/v1', 'local', 'ollama'],
  ['http://box.lan:9000/v1', 'vllm', 'vllm'],
  ['http://box.lan:9000/v1', 'sglang', 'sglang'],
  ['http://box.lan:1234/v1', 'box', undefined],
  // A service of that name may stand behind another one, which is not it.
  ['http://litellm.lan:4000/v1', 'openai', undefined],
  ['http://litellm.lan:4000/v1', 'deepseek', undefined],
  ['http://litellm.lan:4000/v1', 'constructor', undefined],
])('%s of the provider %s is taken for %s', (baseUrl, provider, server) => {
  expect(serverOfName(baseUrl, provider)).toBe(server);
});

test.each([
  [{}, ['library'], 'ollama'],
  [{}, ['someone', 'library'], 'ollama'],
  [{}, ['llamacpp'], 'llamacpp'],
  [{ server: 'llama.cpp' }, [], 'llamacpp'],
  [{}, ['vllm'], 'vllm'],
  [{ server: 'uvicorn' }, ['sglang'], 'sglang'],
  [{}, ['organization_owner'], 'lmstudio'],
  // What every other server says too.
  [{ server: 'nginx' }, ['openai', 'system'], undefined],
])('a reply with the headers %j and the owners %j is that of %s', (headers, owners, server) => {
  expect(serverOfReply(headers, new Set(owners))).toBe(server);
});

describe('what is known and what is configured', () => {
  test('configured goes over known, word by word', () => {
    const { chat } = KNOWN_SERVERS.ollama.facts;
    expect(compatOf('ollama', 'chat', { supportsStore: true, thinkTags: true })).toEqual({
      ...chat,
      supportsStore: true,
      thinkTags: true,
    });
  });

  test('of an unknown server only that is true which is configured', () => {
    expect(compatOf(undefined, 'chat', undefined)).toBeUndefined();
    expect(compatOf(undefined, 'chat', { supportsStore: true })).toEqual({ supportsStore: true });
    expect(compatOf('openrouter', 'responses', undefined)).toBeUndefined();
  });

  test('a server that may keep answers in Responses is not taken for one that keeps none', () => {
    for (const server of ['lmstudio', 'vllm', 'openai'] as const)
      expect(compatOf(server, 'responses', undefined)?.supportsStore).toBeUndefined();
  });
});
