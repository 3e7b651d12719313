/** One server that is asked for its models: what it is asked, what is made of its answer, what is logged. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { DISCOVERY_ANSWER_MS, DISCOVERY_BYTES_MAX, DISCOVERY_ROWS_MAX } from '../../src/core/limits.ts';
import { nodeIdOf } from '../../src/core/ids.ts';
import type { DiscoverySpec } from '../../src/core/upstream-spec.ts';
import { API_NAMES } from '../../src/core/dialect.ts';
import { modelRows } from '../../src/http/models.ts';
import { Discovery } from '../../src/upstream/discovery.ts';
import { HttpGetter } from '../../src/upstream/http-get.ts';
import { type Asked, readModelList } from '../../src/upstream/model-list.ts';
import { Place } from '../../src/upstream/place.ts';
import { eventually, within } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { logLines } from '../support/log-lines.ts';
import {
  cutsAfter,
  html,
  json,
  neverAnswers,
  raw,
  refuses,
  type Script,
  type ScriptedUpstream,
  startUpstream,
} from '../support/scripted-upstream.ts';
import { KEY, live } from './one-upstream.ts';

async function server(): Promise<ScriptedUpstream> {
  const upstream = await startUpstream({ listsModels: true });
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  return upstream;
}

function discovery(baseUrl: string, more: Partial<DiscoverySpec> = {}, asked: Asked = 'named') {
  const clock = new FakeClock();
  const getter = new HttpGetter(clock);
  onTestFinished(() => getter.close());
  const logged = logLines();
  const spec: DiscoverySpec = {
    provider: 'local',
    baseUrl,
    apiKey: KEY,
    headers: {},
    dialect: 'chat',
    silenceMs: 120_000,
    eventBytesMax: 1 << 20,
    ...more,
  };
  const made = new Discovery(spec, asked, { nodeName: 'studio', getter, log: logged.log });
  return { made, clock, logged, ids: () => made.found.map(({ card }) => card.id) };
}

/** A port that listens and takes no more connections: a process that stands still, with its queue full. */
async function deafPort(): Promise<number> {
  const script = `const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:fs').writeSync(1, String(server.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['-e', script]);
  const sockets: Socket[] = [];
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    child.kill('SIGKILL');
    await once(child, 'close');
  });
  const [written] = await within('the port', once(child.stdout, 'data'));
  const port = Number(String(written));
  for (let filled = 0; filled < 4; filled++) sockets.push(connect(port, '127.0.0.1').on('error', () => {}));
  // What the queue has room for is connected at once.
  await eventually('the queue is full', () => sockets.filter(({ connecting }) => !connecting).length >= 2);
  return port;
}

const list = (...ids: readonly string[]) =>
  json(200, { object: 'list', data: ids.map((id) => ({ id, object: 'model' })) });

const read = (value: unknown, asked: Asked = 'named') =>
  readModelList(JSON.stringify(value), { provider: 'local', dialect: 'chat' }, asked);
const one = (more: object) => read({ object: 'list', data: [{ id: 'm', ...more }] }).cards[0];

test('a server is asked with GET /models under its base URL, with its key and its headers and no others', async () => {
  const upstream = await server();
  upstream.next(list('a'));
  const headers = { 'X-Team': 'blue', Authorization: 'not this', Host: 'not.this' };
  const { made } = discovery(`${upstream.baseUrl}/?region=x`, { headers });
  await made.look(live());
  const request = await upstream.request(0);
  expect(request.method).toBe('GET');
  expect(request.url).toBe('/v1/models?region=x');
  expect(request.headers).toEqual({
    host: new URL(upstream.baseUrl).host,
    connection: 'keep-alive',
    'user-agent': 'clawmatrix',
    'x-team': 'blue',
    accept: 'application/json',
    'accept-encoding': 'identity',
    authorization: `Bearer ${KEY}`,
  });
});

test('without a key none is sent', async () => {
  const upstream = await server();
  upstream.next(list('a'));
  const { made, ids } = discovery(upstream.baseUrl, { apiKey: undefined } as object);
  await made.look(live());
  expect((await upstream.request(0)).headers.authorization).toBeUndefined();
  expect(ids()).toEqual(['a']);
});

test('a found model is called as its provider is: same place, key, headers, dialect and guard', async () => {
  const upstream = await server();
  upstream.next(list('b', 'a', 'b'));
  const { made } = discovery(upstream.baseUrl, {
    dialect: 'responses',
    silenceMs: 5,
    headers: { 'x-a': '1' },
  });
  await made.look(live());
  const there = { baseUrl: upstream.baseUrl, apiKey: KEY, headers: { 'x-a': '1' }, silenceMs: 5 };
  expect(made.found).toEqual(
    ['a', 'b'].map((id) => ({
      ...there,
      eventBytesMax: 1 << 20,
      card: { id, provider: 'local', dialect: 'responses' },
    })),
  );
});

test.each([
  [
    'OpenAI',
    { object: 'list', data: [{ id: 'm', object: 'model', created: 1, owned_by: 'openai' }] },
    undefined,
  ],
  ['vLLM', { object: 'list', data: [{ id: 'm', owned_by: 'vllm', max_model_len: 4096 }] }, 4096],
  ['llama.cpp', { object: 'list', data: [{ id: 'm', meta: { n_ctx: 4096, n_ctx_train: 8192 } }] }, 4096],
  ['an older llama.cpp', { object: 'list', data: [{ id: 'm', meta: { n_ctx_train: 8192 } }] }, 8192],
  ['llama.cpp with nothing loaded', { object: 'list', data: [{ id: 'm', meta: null }] }, undefined],
  [
    'LM Studio',
    {
      object: 'list',
      data: [{ id: 'm', type: 'llm', max_context_length: 32768, loaded_context_length: 4096 }],
    },
    4096,
  ],
  ['OpenRouter', { data: [{ id: 'm', context_length: 200_000, pricing: { prompt: '0' } }] }, 200_000],
  ['Groq', { object: 'list', data: [{ id: 'm', context_window: 8192 }] }, 8192],
  ['Together', [{ id: 'm', type: 'chat', context_length: 32768 }], 32768],
])('the list of %s is understood, with what it says of the context window', (_name, value, contextWindow) => {
  const { cards } = read(value);
  expect(cards).toEqual([
    {
      id: 'm',
      provider: 'local',
      dialect: 'chat',
      ...(contextWindow === undefined ? {} : { contextWindow }),
    },
  ]);
});

test('an Ollama without a model says null, and has none', () => {
  expect(read({ object: 'list', data: null }, 'usual').cards).toEqual([]);
});

test.each([0, -1, 1.5, '4096', null, {}, 2 ** 50])('a context window of %j is none', (written) => {
  expect(one({ max_model_len: written })).toEqual({ id: 'm', provider: 'local', dialect: 'chat' });
});

test('what a server says is an embedding model is left out; a name alone says nothing', () => {
  const data = [
    { id: 'nomic', type: 'embeddings' },
    { id: 'bge', type: 'embedding' },
    { id: 'my-embedding-chat', type: 'llm' },
    { id: 'text-embedding-3' },
  ];
  expect(read({ object: 'list', data }).cards.map(({ id }) => id)).toEqual([
    'my-embedding-chat',
    'text-embedding-3',
  ]);
});

test('ids that are no printable text are left out and the others stay', () => {
  const data = [
    { id: 'ok' },
    { id: '' },
    { id: 'a\u001b[2J' },
    { id: 'x'.repeat(257) },
    { id: 7 },
    null,
    'm',
  ];
  const { cards, refused } = read({ object: 'list', data });
  expect(cards.map(({ id }) => id)).toEqual(['ok']);
  expect(refused).toHaveLength(6);
});

test('of an endless list only so many rows are looked at', () => {
  const data = Array.from({ length: DISCOVERY_ROWS_MAX + 10 }, (_, index) => ({ id: `m${index}` }));
  const { cards, unread } = read({ object: 'list', data });
  expect(cards).toHaveLength(DISCOVERY_ROWS_MAX);
  expect(unread).toBe(10);
});

test.each([
  ['rows without the word that they are a list', { data: [{ id: 'm' }] }],
  ['bare rows', [{ id: '1' }]],
  ['a web application', { status: 'ok' }],
  ['a list of another kind', { object: 'list', data: 'none' }],
])('on a usual port %s is no model server', (_name, value) => {
  expect(() => read(value, 'usual')).toThrow('no list of models');
});

test.each(['named', 'usual'] as const)('the proxy of a ClawMatrix node is no model server (%s)', (asked) => {
  const card = { id: 'm', provider: 'ollama', dialect: 'chat' } as const;
  const node = { node: 'bravo', nodeId: nodeIdOf(new Uint8Array(32)), local: true, reachable: true };
  const data = modelRows([{ ...card, ...node, api: API_NAMES.chat, contextWindow: null, card }], false);
  expect(data).toHaveLength(1);
  expect(() => read({ object: 'list', data }, asked)).toThrow('name the node in "peers"');
});

const big = raw({ headers: { 'content-type': 'application/json' } }, ' '.repeat(DISCOVERY_BYTES_MAX + 1));
test.each<[string, Script, string | RegExp]>([
  [
    'a wrong key',
    refuses(401, { message: `bad key ${KEY}` }),
    /answered 401: bad key \[secret\].*apiKey of provider local/,
  ],
  ['no such path', html(404), 'answered 404'],
  [
    'a redirect',
    raw({ status: 302, headers: { location: 'http://127.0.0.1:9/' } }, ''),
    'redirects are not followed',
  ],
  ['a web page', html(200), 'no list of models'],
  ['no JSON', raw({}, '{"object":"list","data":['), 'no list of models'],
  ['a coded body', json(200, {}, { 'content-encoding': 'gzip' }), 'coded as gzip'],
  ['too long a list', big, `more than ${DISCOVERY_BYTES_MAX} bytes`],
  ['half a list', cutsAfter('{"object":"list"', { headers: { 'content-length': '999' } }), 'not the whole'],
])('%s is no list: it is logged once, with where and why', async (_name, script, reason) => {
  const upstream = await server();
  upstream.always(script);
  const { made, logged, ids, clock } = discovery(upstream.baseUrl);
  for (const _ of ['first', 'second']) await within('a look', made.look(live()));
  expect(ids()).toEqual([]);
  expect(logged.lines).toHaveLength(1);
  expect(logged.lines[0]).toMatchObject({
    level: 40,
    provider: 'local',
    at: new URL(upstream.baseUrl).origin,
  });
  expect(logged.lines[0]?.reason).toMatch(reason);
  expect(logged.text).not.toContain(KEY);
  expect(upstream.requests).toHaveLength(2);
  expect(clock.pending).toBe(0);
});

test('a server that hangs is given up after its time, and its connection is cut', async () => {
  const upstream = await server();
  upstream.always(neverAnswers);
  const { made, clock, logged } = discovery(upstream.baseUrl);
  const look = made.look(live());
  const request = await upstream.request(0);
  clock.advance(DISCOVERY_ANSWER_MS);
  await within('the look ends', look);
  await eventually('the server sees it', () => request.leftAt);
  expect(logged.lines[0]?.reason).toMatch(/no whole answer within 5 s.*node studio, provider local\)/);
  expect(clock.pending).toBe(0);
});

test('a server that is not there is said to be so', async () => {
  const upstream = await server();
  await upstream.stop();
  const { made, logged } = discovery(upstream.baseUrl);
  await made.look(live());
  expect(logged.lines[0]?.reason).toMatch('is the server running?');
});

test('an address that no upstream may have is not asked', async () => {
  const { made, logged, clock } = discovery('http://169.254.169.254/v1');
  await made.look(live());
  expect(logged.lines[0]?.reason).toMatch('169.254.169.254 is not used as an upstream');
  expect(clock.pending).toBe(0);
});

// Other systems take connections beyond the queue that a server asked for.
const linux = process.platform === 'linux';
test.runIf(linux)('a connection that is still being made does not outlive the close', async () => {
  const deaf = await deafPort();
  const made = () => process.getActiveResourcesInfo().filter((kind) => kind === 'ConnectWrap').length;
  const getter = new HttpGetter(new FakeClock());
  const baseUrl = `http://127.0.0.1:${deaf}/v1`;
  const place = new Place('studio', { baseUrl, headers: {}, card: { provider: 'local' } });
  const controller = new AbortController();
  const before = made();
  const request = { place, path: '/v1/models', headers: {}, answerMs: 5_000, bytesMax: 1 };
  const get = getter.get(request, controller.signal).catch(() => 'given up');
  await eventually('it is being connected', () => made() === before + 1);
  controller.abort();
  expect(await within('the answer', get)).toBe('given up');
  await getter.close();
  await eventually('the socket is gone', () => made() === before, 2_000);
});

test('a usual server that is not there is no news', async () => {
  const upstream = await server();
  await upstream.stop();
  const { made, logged } = discovery(upstream.baseUrl, {}, 'usual');
  await made.look(live());
  expect(logged.lines).toEqual([]);
});

test('a list whose length is not stated ends with the connection', async () => {
  const upstream = await server();
  upstream.next((response) => {
    response.socket?.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{"object":"list","data":[{"id":"a"}]}');
  });
  const { made, ids } = discovery(upstream.baseUrl);
  await within('a look', made.look(live()));
  expect(ids()).toEqual(['a']);
});

test('what is left out of a list is logged once, not once a round', async () => {
  const upstream = await server();
  upstream.always(list('a', 'b\u0007'));
  const { made, logged, ids } = discovery(upstream.baseUrl);
  for (const _ of [1, 2, 3]) await made.look(live());
  expect(ids()).toEqual(['a']);
  expect(logged.said.map((msg) => msg.split(':')[0])).toEqual(['models found', 'models left out']);
  expect(logged.lines[1]).toMatchObject({ refused: 1, ids: ['b\u0007'] });
});

test('a look that is called off changes nothing and says nothing', async () => {
  const upstream = await server();
  upstream.next(list('a'));
  upstream.always(neverAnswers);
  const { made, logged, ids, clock } = discovery(upstream.baseUrl);
  await made.look(live());
  const controller = new AbortController();
  const look = made.look(controller.signal);
  await upstream.request(1);
  controller.abort();
  await within('the look ends', look);
  expect(ids()).toEqual(['a']);
  expect(logged.said).toEqual(['models found']);
  expect(clock.pending).toBe(0);
});
