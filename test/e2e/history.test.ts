/** Conversations that clients go on with by reference, over two daemons and a server that keeps nothing. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DemoNode } from '../../demo/node.ts';
import {
  answers,
  json,
  refuses,
  says,
  type ScriptedUpstream,
  startUpstream,
} from '../support/scripted-upstream.ts';
import { MODELS, startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';

type Json = Record<string, unknown>;

let nodes: TwoNodes;
let client: OpenAI;

beforeAll(async () => {
  nodes = await startTwoNodes();
  client = new OpenAI({ baseURL: nodes.url, apiKey: 'any', maxRetries: 0 });
});

afterAll(async () => {
  await nodes?.[Symbol.asyncDispose]();
});

const lastBody = (upstream: ScriptedUpstream = nodes.upstream) => upstream.requests.at(-1)?.json() as Json;
const spoken = (upstream?: ScriptedUpstream) =>
  (lastBody(upstream).messages as { role: string; content: unknown }[]).map(({ role, content }) => [
    role,
    content,
  ]);

async function post(path: string, body: object): Promise<{ status: number; body: Json }> {
  const reply = await fetch(`${nodes.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: reply.status, body: (await reply.json()) as Json };
}

describe('a server that speaks only chat', () => {
  const model = MODELS.chat;

  test.each([true, false])('is sent all of a conversation of three turns (stream: %s)', async (stream) => {
    const ask = async (input: string, previous?: string): Promise<OpenAI.Responses.Response> => {
      const params = { model, input, ...(previous === undefined ? {} : { previous_response_id: previous }) };
      return stream ? client.responses.stream(params).finalResponse() : client.responses.create(params);
    };
    nodes.upstream.next(says('uno'));
    const first = await ask('one');
    expect(first).toMatchObject({ store: true, previous_response_id: null });
    nodes.upstream.next(says('dos'));
    const second = await ask('two', first.id);
    expect(second.previous_response_id).toBe(first.id);
    nodes.upstream.next(says('tres'));
    const third = await ask('three', second.id);
    expect(third.output_text).toBe('tres');
    expect(third.previous_response_id).toBe(second.id);
    expect(JSON.stringify(spoken())).toMatch(/"one".*"uno".*"two".*"dos".*"three"/);
    expect(lastBody()).not.toHaveProperty('previous_response_id');
  });

  test('gets items for the references of a client that sends only those, tools and all', async () => {
    const call = { id: 'call_1', name: 'weather', arguments: '{"city":"Oslo"}' };
    const tools = [{ type: 'function' as const, name: 'weather', parameters: {}, strict: false }];
    nodes.upstream.next(answers({ text: ['Let me look.'], toolCalls: [call] }));
    const first = await client.responses.create({ model, input: 'Weather?', tools });
    nodes.upstream.next(says('Rain.'));
    const second = await client.responses.create({
      model,
      tools,
      input: [
        { role: 'user', content: 'Weather?' },
        ...first.output.map(({ id = '' }) => ({ type: 'item_reference' as const, id })),
        { type: 'function_call_output', call_id: 'call_1', output: 'rain' },
      ],
    });
    expect(second.output_text).toBe('Rain.');
    expect(lastBody().messages).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: 'Let me look.', tool_calls: [{ id: 'call_1' }] },
      { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
    ]);
  });

  test('has its responses told again, listed and deleted by the node that was called', async () => {
    nodes.upstream.next(says('uno'));
    const made = await client.responses.create({ model, input: 'one' });
    expect(await client.responses.retrieve(made.id)).toMatchObject({ id: made.id, output_text: 'uno' });
    const items = await client.responses.inputItems.list(made.id);
    expect(items.data).toMatchObject([{ role: 'user', content: [{ text: 'one' }] }]);
    await client.responses.delete(made.id);
    await expect(client.responses.retrieve(made.id)).rejects.toMatchObject({ status: 404 });
  });

  test('knows nothing of what was not to be stored', async () => {
    nodes.upstream.next(says('uno'));
    const made = await client.responses.create({ model, input: 'one', store: false });
    expect(made).toMatchObject({ store: false });
    const next = client.responses.create({ model, input: 'two', previous_response_id: made.id });
    await expect(next).rejects.toMatchObject({
      status: 400,
      code: 'previous_response_not_found',
      param: 'previous_response_id',
    });
  });

  test('has its conversations summed up by its model, and goes on from the summary', async () => {
    nodes.upstream.next(says('They met in Oslo.'));
    const { status, body } = await post('/responses/compact', {
      model,
      input: [
        { role: 'user', content: 'Where did they meet?' },
        { role: 'assistant', content: 'In Oslo.' },
      ],
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ object: 'response.compaction', usage: { total_tokens: 12 } });
    const output = body.output as Json[];
    expect(output.at(-1)).toMatchObject({ type: 'compaction' });
    nodes.upstream.next(says('In May.'));
    const next = await post('/responses', { model, input: [...output, { role: 'user', content: 'When?' }] });
    expect(next.status).toBe(200);
    expect(JSON.stringify(spoken())).toMatch(/Where did they meet.*They met in Oslo.*When\?/);
    const asked = nodes.upstream.requests.length;
    expect((await post('/responses/compact', { input: [] })).status).toBe(400);
    expect(nodes.upstream.requests).toHaveLength(asked);
  });

  test("refuses another provider's compaction, and says why", async () => {
    const input = [{ type: 'compaction', id: 'cmp_1', encrypted_content: 'gAAAA' }];
    const { status, body } = await post('/responses', { model, input });
    expect(status).toBe(400);
    expect((body.error as Json).param).toBe('input[0]');
    expect((body.error as Json).message).toMatch(/compaction/);
  });

  test('cannot count tokens, and says what can', async () => {
    const { status, body } = await post('/responses/input_tokens', { model, input: 'one' });
    expect(status).toBe(404);
    expect(body.error).toMatchObject({ code: 'unsupported_operation', param: 'model' });
    expect((body.error as Json).message).toMatch(/openai-completions/);
  });
});

describe('a server that speaks Responses', () => {
  const model = MODELS.responses;

  test('is asked for what it keeps, over the mesh, with its own key', async () => {
    nodes.upstream.next(json(200, { object: 'response.input_tokens', input_tokens: 7 }));
    const told = await post('/responses/input_tokens', { model, input: 'one' });
    expect(told.body).toEqual({ object: 'response.input_tokens', input_tokens: 7 });
    expect(nodes.upstream.requests.at(-1)).toMatchObject({
      method: 'POST',
      url: '/v1/responses/input_tokens',
    });
    expect(lastBody()).toEqual({ model, input: 'one' });

    nodes.upstream.next(json(200, { ...(await bodyOf('resp_kept')), store: true }));
    const made = await client.responses.create({ model, input: 'one' });
    nodes.upstream.next(json(200, { id: made.id, object: 'response', deleted: true }));
    await client.responses.delete(made.id);
    expect(nodes.upstream.requests.at(-1)).toMatchObject({
      method: 'DELETE',
      url: `/v1/responses/${made.id}`,
    });
    expect(nodes.upstream.requests.at(-1)?.headers.authorization).toMatch(/^Bearer sk-canary/);
  });

  test('gets a reference to what it keeps as it is', async () => {
    nodes.upstream.next(json(200, { ...(await bodyOf('resp_own')), store: true }));
    const made = await client.responses.create({ model, input: 'one' });
    nodes.upstream.next(says('dos'));
    await client.responses.create({ model, input: 'two', previous_response_id: made.id });
    expect(lastBody()).toEqual({ model, input: 'two', previous_response_id: made.id });
  });

  test('that has forgotten it gets it written out', async () => {
    nodes.upstream.next(json(200, { ...(await bodyOf('resp_lost')), store: true }));
    const made = await client.responses.create({ model, input: 'one' });
    nodes.upstream.next(refuses(404, { message: `Response with id '${made.id}' not found.` }));
    nodes.upstream.next(says('dos'));
    const next = await client.responses.create({ model, input: 'two', previous_response_id: made.id });
    expect(next.output_text).toBe('dos');
    expect(lastBody()).not.toHaveProperty('previous_response_id');
    expect(lastBody().input).toHaveLength(3);
  });

  test('without the path for it has its conversations summed up by its model', async () => {
    nodes.upstream.next(refuses(404, { message: 'Not Found' }));
    nodes.upstream.next(says('A summary.'));
    const { status, body } = await post('/responses/compact', { model, input: 'one' });
    expect(status).toBe(200);
    expect(body.object).toBe('response.compaction');
  });

  /** A whole answer with that id. */
  async function bodyOf(id: string): Promise<Json> {
    nodes.upstream.next(says('uno'));
    const { body } = await post('/responses', { model, input: 'x', store: false });
    return { ...body, id };
  }
});

test('what is kept on disk is there after a restart, and goes on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'clawmatrix-history-e2e-'));
  await using upstream = await startUpstream();
  const node = new DemoNode('solo', folder);
  try {
    await node.init();
    const config = {
      nodeId: 'solo',
      proxy: { port: 0 },
      responses: { keep: 'disk' },
      models: [{ id: 'm', provider: 'p', baseUrl: upstream.baseUrl }],
    };
    const ask = async (proxy: string, more: object) => {
      const api = new OpenAI({ baseURL: proxy, apiKey: 'any', maxRetries: 0 });
      return api.responses.create({ model: 'm', input: 'on', ...more });
    };
    upstream.next(says('uno'));
    const first = await ask((await node.start(config)).proxy, { input: 'one' });
    await node.stop();
    upstream.next(says('dos'));
    await ask((await node.start(config)).proxy, { previous_response_id: first.id });
    expect(JSON.stringify(spoken(upstream))).toMatch(/"one".*"uno".*"on"/);
    await node.stop();
    const none = { ...config, responses: { keep: 'none' } };
    const { proxy } = await node.start(none);
    upstream.next(says('tres'));
    expect(await ask(proxy, {})).toMatchObject({ store: false });
    await expect(ask(proxy, { previous_response_id: first.id })).rejects.toMatchObject({ status: 400 });
  } finally {
    await node.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
