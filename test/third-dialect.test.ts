/**
 * The whole way of a third dialect: its words are in the two lists where a new one would be written, and nothing else of
 * the program knows of it. Two daemons, a server that speaks it, and clients of all three.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ServerResponse } from 'node:http';
import type * as Names from '../src/core/dialect.ts';
import type { Daemon } from '../src/daemon.ts';
import type * as Dialects from '../src/dialect/dialects.ts';
import { testWorld } from './cli/world.ts';
import { KEY_43, type TestHome, testHome } from './config/home.ts';
import { eventually } from './support/eventually.ts';
import { realClock } from './support/real-clock.ts';
import { json, type ScriptedUpstream, startUpstream } from './support/scripted-upstream.ts';
import { sseEvents } from './support/sse-text.ts';

vi.mock('../src/core/dialect.ts', async (original) => {
  const real = await original<typeof Names>();
  const API_NAMES: Record<string, string> = { ...real.API_NAMES, toy: 'toy-lines' };
  const DIALECTS = [...real.DIALECTS, 'toy'];
  const dialectOfApi = (api: string) => DIALECTS.find((dialect) => API_NAMES[dialect] === api);
  return { ...real, DIALECTS, API_NAMES, dialectOfApi };
});

vi.mock('../src/dialect/dialects.ts', async (original) => {
  const real = await original<typeof Dialects>();
  const { toy } = await import('./dialect/toy.ts');
  return { ...real, shapes: { ...real.shapes, toy } };
});

const KEY = 'sk-canary-0123456789abcdef';
const said = (content: string) => `${JSON.stringify({ message: { role: 'assistant', content } })}\n`;
const done = `${JSON.stringify({ done: true, done_reason: 'stop', prompt_eval_count: 3, eval_count: 9 })}\n`;
const messages = [{ role: 'user', content: 'Hi' }];

let server: ScriptedUpstream;
let owner: TestHome;
let daemons: Daemon[];
/** Of the entry's proxy. */
let url: string;

async function start(home: TestHome, config: object): Promise<Daemon> {
  const { startDaemon } = await import('../src/daemon.ts');
  const common = {
    proxy: { port: 0, apiKeys: [KEY] },
    secret: KEY_43,
    timeouts: { holdMs: 200 },
    log: { level: 'error' },
    ...config,
  };
  await home.config(common);
  const loaded = await home.load();
  const host = { stop: () => {}, restart: async () => ({ kind: 'stopping' }) as const };
  const daemon = await startDaemon(loaded, host, realClock);
  daemons.push(daemon);
  return daemon;
}

beforeEach(async () => {
  daemons = [];
  server = await startUpstream();
  const lists = json(200, { models: [{ name: 'qwen3:8b' }] });
  server.next(lists);
  owner = await testHome();
  const studio = await start(owner, {
    nodeId: 'studio',
    listen: { host: '127.0.0.1', port: 0 },
    providers: {
      box: { baseUrl: server.baseUrl.replace(/\/v1$/, ''), api: 'toy-lines', apiKey: KEY, discover: true },
    },
  });
  const laptop = await start(await testHome(), { nodeId: 'laptop', peers: [studio.listenUrl] });
  url = laptop.proxyUrl;
  await eventually('the entry knows the model', () => laptop.models().some(({ reachable }) => reachable));
});

afterEach(async () => {
  for (const daemon of daemons.reverse()) await daemon.stop();
  await server[Symbol.asyncDispose]();
});

function post(
  path: string,
  body: object,
  headers: Record<string, string> = { authorization: `Bearer ${KEY}` },
) {
  return fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'qwen3:8b', ...body }),
  });
}

function answers(...pieces: readonly string[]) {
  return (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    for (const piece of pieces) response.write(piece);
    response.end();
  };
}

/** Of a body that is cut. */
async function brokenText(reply: Response): Promise<string> {
  let text = '';
  try {
    for await (const chunk of reply.body ?? []) text += Buffer.from(chunk).toString();
  } catch {
    // That it broke is what the text is to tell.
  }
  return text;
}

test('its servers are found and called with their own paths, headers and key', async () => {
  expect(daemons[1]?.models()).toMatchObject([{ id: 'qwen3:8b', provider: 'box', api: 'toy-lines' }]);
  const { url: listed, headers } = await server.request(0);
  expect(listed).toBe('/api/tags');
  expect(headers).toMatchObject({ 'x-toy-key': KEY, 'toy-version': '1' });
  expect(headers.authorization).toBeUndefined();
});

test('its clients get its lines as they came, with a stream unless they ask for none', async () => {
  server.next(answers(said('He'), said('llo'), done));
  const reply = await post('/api/toy', { messages });
  expect(reply.headers.get('content-type')).toBe('application/x-ndjson');
  expect(await reply.text()).toBe(said('He') + said('llo') + done);
  server.next(json(200, { message: { role: 'assistant', content: 'Hi' }, done: true }));
  expect(await (await post('/api/toy', { messages, stream: false })).json()).toMatchObject({ done: true });
});

test.each([
  ['chat', '/v1/chat/completions', { messages, stream: true }],
  ['Responses', '/v1/responses', { input: 'Hi', stream: true }],
])('clients of %s are answered by its servers', async (_, path, body) => {
  server.next(answers(said('He'), said('llo'), done));
  const reply = await post(path, body);
  expect(reply.headers.get('content-type')).toContain('text/event-stream');
  const events = sseEvents(await reply.text());
  expect(events.map(({ data }) => data).join('')).toMatch(/He.*llo/s);
  expect(events.at(-1)?.data).toBe('[DONE]');
  expect((await server.request(1)).url).toBe('/api/toy');
});

test('a client that waits has its head early, and then its lines alone', async () => {
  let go = () => {};
  server.next((response) => {
    go = () => answers(said('Hi'), done)(response);
  });
  const reply = await post('/api/toy', { messages });
  expect(reply.status).toBe(200);
  go();
  expect(await reply.text()).toBe(said('Hi') + done);
});

test('a stream that breaks is told so in its own form', async () => {
  server.next(answers(said('Hi')));
  const reply = await post('/api/toy', { messages });
  const lines = (await brokenText(reply)).trim().split('\n');
  expect(lines[0]).toBe(said('Hi').trim());
  expect(JSON.parse(lines[1] ?? '')).toEqual({ error: expect.stringContaining('box') });
});

test('what is refused is told in its own form, wherever that was', async () => {
  server.next(json(404, { error: 'no such model' }));
  const refused = await post('/api/toy', { messages });
  expect([refused.status, await refused.json()]).toEqual([
    404,
    { error: expect.stringContaining('no such model') },
  ]);
  const unknown = await post('/api/toy', { messages, model: 'no-such' });
  expect([unknown.status, await unknown.json()]).toEqual([
    404,
    { error: expect.stringContaining('no-such') },
  ]);
  const shut = await post('/api/toy', { messages }, {});
  expect([shut.status, await shut.json()]).toEqual([
    401,
    { error: expect.stringContaining('asks for a key') },
  ]);
});

test('its clients bring the key of the proxy in its own header', async () => {
  server.next(answers(said('Hi'), done));
  expect((await post('/api/toy', { messages }, { 'x-toy-key': KEY })).status).toBe(200);
  expect((await post('/api/toy', { messages }, { 'x-toy-key': 'wrong' })).status).toBe(401);
});

test('the doctor asks its servers as they want to be asked', async () => {
  const world = testWorld(owner.path, { startDaemon: async () => Promise.reject(new Error('none')) });
  server.next(json(200, { models: [{ name: 'qwen3:8b' }] }));
  await world.run('doctor', '--json');
  const asked = await server.request(1);
  expect([asked.url, asked.headers['x-toy-key']]).toEqual(['/api/tags', KEY]);
  const findings: readonly { what: string }[] = JSON.parse(world.written.out);
  expect(findings.map(({ what }) => what)).toContainEqual(expect.stringContaining('answers, with 1 model'));
});
