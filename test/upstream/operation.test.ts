/** What is asked of a Responses server beside new answers, as it reaches the server. */
import { describe, expect, test } from 'vitest';
import type { Operation } from '../../src/core/call.ts';
import { html, json, refuses, startUpstream } from '../support/scripted-upstream.ts';
import { call, KEY, live, read, thrown, upstreams, where } from './one-upstream.ts';

const NAMED = Buffer.from('{"model":"m"}');

function operation(asked: Operation) {
  return call({ dialect: 'responses', operation: asked, body: NAMED });
}

const about = (
  kind: 'retrieve' | 'delete' | 'cancel' | 'input_items',
  responseId = 'resp_1',
  query = '',
): Operation => ({
  kind,
  responseId,
  query,
});

describe.each([
  [about('retrieve'), 'GET', '/responses/resp_1'],
  [
    about('retrieve', 'resp_1', 'include[]=a&include[]=b'),
    'GET',
    '/responses/resp_1?include[]=a&include[]=b',
  ],
  [about('delete'), 'DELETE', '/responses/resp_1'],
  [about('cancel', 'resp:1.a-b'), 'POST', '/responses/resp%3A1.a-b/cancel'],
  [about('input_items', 'resp_1', 'limit=3'), 'GET', '/responses/resp_1/input_items?limit=3'],
] as const)('%o', (asked, method, path) => {
  test(`is ${method} ${path}, with the key and without a body`, async () => {
    await using server = await startUpstream();
    await using on = upstreams(server.baseUrl, { dialect: 'responses' });
    server.next(json(200, { id: 'resp_1', error: { code: 'x', message: 'told' }, status: 'failed' }));
    const reply = await on.answer(operation(asked), live());
    expect(reply.status).toBe(200);
    expect(JSON.parse(await read(reply))).toMatchObject({ id: 'resp_1', status: 'failed' });
    const seen = await server.request(0);
    expect([seen.method, seen.url]).toEqual([method, `/v1${path}`]);
    expect(seen.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(seen.body).toHaveLength(0);
  });
});

test.each(['compact', 'input_tokens'] as const)(
  '%s has the body of a call, with the owner its model',
  async (kind) => {
    await using server = await startUpstream();
    await using on = upstreams(`${server.baseUrl}/?api-version=7`, { dialect: 'responses' });
    server.next(
      json(200, { object: 'response.x', input_tokens: 3, output: [{ type: 'compaction', id: 'c' }] }),
    );
    const reply = await on.answer(operation({ kind }), live());
    expect(JSON.parse(await read(reply))).toEqual({
      object: 'response.x',
      input_tokens: 3,
      output: [{ type: 'compaction', id: 'c' }],
    });
    const seen = await server.request(0);
    expect([seen.method, seen.url]).toEqual(['POST', `/v1/responses/${kind}?api-version=7`]);
    expect(seen.json()).toEqual({ model: 'qwen3:8b' });
  },
);

test.each(['../models', '..', '.', 'a/b', '', 'a?b', 'x'.repeat(129)])(
  'the id %s reaches no server',
  async (id) => {
    await using server = await startUpstream();
    await using on = upstreams(server.baseUrl, { dialect: 'responses' });
    expect((await thrown(on.answer(operation(about('retrieve', id)), live()))).code).toBe('bad_request');
    expect(server.requests).toEqual([]);
  },
);

test.each(['a b', 'a#b', 'a\nb', 'x'.repeat(513)])('the query %j reaches no server', async (query) => {
  await using server = await startUpstream();
  await using on = upstreams(server.baseUrl, { dialect: 'responses' });
  expect((await thrown(on.answer(operation(about('retrieve', 'r', query)), live()))).code).toBe(
    'bad_request',
  );
  expect(server.requests).toEqual([]);
});

test("a server's refusal keeps its status and words", async () => {
  await using server = await startUpstream();
  await using on = upstreams(server.baseUrl, { dialect: 'responses' });
  server.next(refuses(404, { message: 'Response not found' }));
  const reply = await on.answer(operation(about('retrieve')), live());
  expect(reply.status).toBe(404);
  expect(await read(reply)).toContain('Response not found');
});

test('a page in place of JSON is a fault of the server', async () => {
  await using server = await startUpstream();
  await using on = upstreams(server.baseUrl, { dialect: 'responses' });
  server.next(html(200));
  expect((await thrown(on.answer(operation(about('retrieve')), live()))).code).toBe('upstream_protocol');
});

test.each([
  [
    'an agent',
    { spec: { card: { id: 'qwen3:8b', provider: 'ollama', dialect: 'responses' as const, agent: true } } },
  ],
  ['the gateway', { dialect: 'responses' as const, spec: { gateway: { agent: 'main' } } }],
])('%s is never asked', async (_name, options) => {
  await using server = await startUpstream();
  await using on = upstreams(server.baseUrl, options);
  const error = await thrown(on.answer(operation(about('delete')), live()));
  expect(error).toMatchObject({ code: 'unsupported_operation', status: 404 });
  expect(error.message).toContain(where);
  expect(server.requests).toEqual([]);
});
