import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { answers } from '../support/scripted-upstream.ts';
import {
  ask,
  cli,
  MODELS,
  modelIds,
  post,
  startTwoNodes,
  type TwoNodes,
  UPSTREAM_KEY,
} from '../support/two-nodes.ts';

let nodes: TwoNodes;
beforeAll(async () => {
  nodes = await startTwoNodes();
});
afterAll(async () => {
  await nodes?.[Symbol.asyncDispose]();
});

async function curl(...args: readonly string[]): Promise<string> {
  const child = spawn('curl', [
    '-sS',
    '-N',
    '--max-time',
    '10',
    '-H',
    'content-type: application/json',
    ...args,
  ]);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  await once(child, 'close');
  return text;
}

describe.each(Object.entries(MODELS))('an upstream that speaks only %s', (_dialect, model) => {
  test.each(['/v1/chat/completions', '/chat/completions'])('streams to curl on %s', async (path) => {
    nodes.upstream.next(answers({ text: ['Hel', 'lo ', 'there'] }));
    const url = nodes.url.replace(/\/v1$/, path);
    const text = await curl(url, '-d', JSON.stringify(ask(model, { stream: true })));
    const deltas = [...text.matchAll(/"content":"([^"]+)"/g)].map(([, delta]) => delta);
    expect(deltas).toEqual(['Hel', 'lo ', 'there']);
    expect(text).toMatch(/"finish_reason":"stop"/);
    expect(text.trimEnd()).toMatch(/data: \[DONE\]$/);
  });

  test.each(['/v1/responses', '/responses'])('streams to curl on %s', async (path) => {
    nodes.upstream.next(answers({ text: ['Hel', 'lo ', 'there'] }));
    const url = nodes.url.replace(/\/v1$/, path);
    const text = await curl(url, '-d', JSON.stringify({ model, input: 'Say it.', stream: true }));
    const names = [...text.matchAll(/^event: (.+)$/gm)].map(([, name]) => name);
    expect(names[0]).toBe('response.created');
    expect(names.at(-1)).toBe('response.completed');
    expect(names.filter((name) => name === 'response.output_text.delta')).toHaveLength(3);
  });
});

test('every reply says where it ran and how long it took, under one id that the upstream got too', async () => {
  const reply = await post(`${nodes.url}/chat/completions`, ask(MODELS.chat));
  const id = reply.headers.get('x-request-id');
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(reply.headers.get('x-clawmatrix-route')).toBe(
    `alpha>bravo; model=${MODELS.chat}; upstream=chatty; attempts=1`,
  );
  expect(reply.headers.get('server-timing')).toMatch(/dur=/);
  expect(nodes.upstream.requests.at(-1)?.headers['x-request-id']).toBe(id);
  await reply.text();
});

test('peers and models of each node show the other', async () => {
  const { alpha, bravo } = nodes;
  const fromAlpha = JSON.parse((await cli(alpha.home, 'peers', '--json')).stdout);
  expect(fromAlpha).toMatchObject([
    { name: 'bravo', status: 'direct', path: ['alpha', 'bravo'], models: Object.values(MODELS) },
  ]);
  expect(fromAlpha[0].rttMs).toBeGreaterThanOrEqual(0);
  const fromBravo = JSON.parse((await cli(bravo.home, 'peers', '--json')).stdout);
  expect(fromBravo).toMatchObject([{ name: 'alpha', status: 'direct', models: [] }]);
  const models = JSON.parse((await cli(alpha.home, 'models', '--json')).stdout);
  expect(models.filter(({ node }: { node: string }) => node === 'bravo')).toMatchObject([
    { id: MODELS.chat, node: 'bravo', provider: 'chatty', api: 'openai-completions', reachable: true },
    { id: MODELS.responses, node: 'bravo', provider: 'responder', api: 'openai-responses', reachable: true },
  ]);
  expect((await cli(alpha.home, 'peers')).stdout).toMatch(/bravo/);
  expect((await cli(bravo.home, 'status')).stdout).toMatch(/bravo/);
  expect(await modelIds(nodes.url)).toEqual(expect.arrayContaining(Object.values(MODELS)));
});

test('between the nodes there is no plaintext of prompt, model name or answer', async () => {
  const [question, answer] = ['canary-question-7f3a', 'canary-answer-91bc'];
  nodes.upstream.next(answers({ text: [answer, answer] }));
  const body = { model: MODELS.chat, stream: true, messages: [{ role: 'user', content: question }] };
  const before = nodes.tap.bytes().length;
  const text = await (await post(`${nodes.url}/chat/completions`, body)).text();
  expect(text).toContain(answer);
  const passed = nodes.tap.bytes();
  expect(passed.length).toBeGreaterThan(before + answer.length);
  for (const secret of [question, answer, MODELS.chat, MODELS.responses, UPSTREAM_KEY, 'messages']) {
    expect(passed.includes(secret), `${secret} on the wire`).toBe(false);
  }
});

test('the body arrives at the upstream byte for byte, but for the name of the model', async () => {
  const body = `{"zeta":1,"model":"bravo/${MODELS.chat}", "big":9007199254740993123 ,"messages":[{"role":"user","content":"ü\\u00fc"}],"unknown":{"b":2,"a":[1.0,1e2]}}`;
  nodes.upstream.next(answers({ text: ['ok'] }));
  await (await post(`${nodes.url}/chat/completions`, body)).text();
  expect(nodes.upstream.requests.at(-1)?.body.toString('utf8')).toBe(
    body.replace(`bravo/${MODELS.chat}`, MODELS.chat),
  );
});

test('a request of several megabytes crosses the mesh whole', async () => {
  const picture = 'A'.repeat(5 * 1024 * 1024);
  const body = JSON.stringify(ask(MODELS.chat, { extra: picture }));
  nodes.upstream.next(answers({ text: ['seen'] }));
  const reply = await post(`${nodes.url}/chat/completions`, body);
  expect(reply.status).toBe(200);
  await reply.text();
  expect(nodes.upstream.requests.at(-1)?.body.equals(Buffer.from(body))).toBe(true);
});

test('a call is in the log of both nodes under the id that the client got, and its prompt in neither', async () => {
  const reply = await post(`${nodes.url}/chat/completions`, ask(MODELS.chat, { stream: true }));
  await reply.text();
  const id = reply.headers.get('x-request-id') ?? 'none';
  for (const node of [nodes.alpha, nodes.bravo]) {
    const line = await eventually(`${node.name} logs the call`, () =>
      node.log.split('\n').find((text) => text.includes(id)),
    );
    expect(line).toMatch(/"status":200.*"finish":"stop"/);
    expect(node.log).not.toContain('Say it.');
  }
});

test('the key of the provider stays on its node', async () => {
  expect(nodes.upstream.requests.at(-1)?.headers.authorization).toBe(`Bearer ${UPSTREAM_KEY}`);
  const pages = await Promise.all(
    ['/models', '/../status', '/../health'].map(async (path) => (await fetch(`${nodes.url}${path}`)).text()),
  );
  for (const text of [...pages, nodes.alpha.log, nodes.bravo.log]) expect(text).not.toContain(UPSTREAM_KEY);
});
