/** Each way to an upstream, through two daemons: the server there is asked under the right address, key and name. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answers, refuses, type ScriptedUpstream, startUpstream } from '../support/scripted-upstream.ts';
import { ask, MODELS, post, startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';

const KEY = 'canary-0123456789';
const GATEWAY_MODEL = 'opus';

let folder: string;
let server: ScriptedUpstream;
let nodes: TwoNodes;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clawmatrix-ways-'));
  server = await startUpstream();
  const root = server.baseUrl.replace(/\/v1$/, '');
  const config = join(folder, 'openclaw.json');
  const described = { baseUrl: `${root}/openclaw`, apiKey: KEY, api: 'openai-responses' };
  await writeFile(config, JSON.stringify({ models: { providers: { described } } }));
  nodes = await startTwoNodes({
    bravo: {
      providers: { named: { baseUrl: `${root}/provider`, apiKey: KEY } },
      models: [
        // That it is known to the other node is what the two wait for.
        { id: MODELS.chat, provider: 'any', baseUrl: `${root}/own`, apiKey: KEY },
        { id: 'by-provider', provider: 'named' },
        { id: 'by-openclaw', provider: 'described' },
        { id: GATEWAY_MODEL, provider: 'anthropic', share: 'mesh' },
        { id: 'unshared', provider: 'anthropic' },
      ],
      openclaw: { config, gateway: { url: root, token: KEY, agent: 'main' } },
    },
  });
});

afterAll(async () => {
  await nodes?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test.each([
  [MODELS.chat, '/own/chat/completions', MODELS.chat, undefined],
  ['by-provider', '/provider/chat/completions', 'by-provider', undefined],
  ['by-openclaw', '/openclaw/responses', 'by-openclaw', undefined],
  [GATEWAY_MODEL, '/v1/chat/completions', 'openclaw/main', 'anthropic/opus'],
])('%s is asked for at %s as %s', async (model, url, asked, openclaw) => {
  const at = server.requests.length;
  const reply = await post(`${nodes.url}/chat/completions`, ask(model));
  expect(reply.status).toBe(200);
  expect(await reply.text()).toContain('hello');
  const request = await server.request(at);
  expect(request.url).toBe(url);
  expect(request.headers.authorization).toBe(`Bearer ${KEY}`);
  expect(request.headers['x-openclaw-model']).toBe(openclaw);
  expect(request.json()).toMatchObject({ model: asked });
});

describe('the gateway', () => {
  const text = ['LLM request rejected: ', 'no credit'];

  test.each([[true], [false]])(
    'and its error in words is an error for the client (stream: %s)',
    async (stream) => {
      server.next(answers({ text, usage: { input: 0, output: 0 } }));
      const reply = await post(`${nodes.url}/chat/completions`, ask(GATEWAY_MODEL, { stream }));
      expect(reply.status).toBe(502);
      expect(await reply.json()).toMatchObject({
        error: { code: 'upstream_error', message: expect.stringContaining(text.join('')) },
      });
    },
  );

  test('and its refusal say how to mend it, to the client of the other node', async () => {
    server.next(refuses(404, { message: 'Not Found' }));
    const reply = await post(`${nodes.url}/chat/completions`, ask(GATEWAY_MODEL));
    expect(reply.status).toBe(404);
    expect(await reply.text()).toContain('gateway.http.endpoints.chatCompletions.enabled');
  });

  test('and a model that was not written to be shared stay on their node', async () => {
    const far = await post(`${nodes.url}/chat/completions`, ask('unshared'));
    expect(far.status).toBe(404);
    const own = await post(`${nodes.ownerUrl}/chat/completions`, ask('unshared'));
    expect(own.status).toBe(200);
    await own.text();
  });
});
