import { request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, within } from '../support/eventually.ts';
import { chatEvents, responsesEvents } from '../support/openai-bodies.ts';
import {
  answers,
  cutsAfter,
  html,
  neverAnswers,
  refuses,
  type Script,
  sendsLine,
} from '../support/scripted-upstream.ts';
import { ask, MODELS, post, startTwoNodes, type TwoNodes, UPSTREAM_KEY } from '../support/two-nodes.ts';

const MANY = { text: Array.from({ length: 50 }, (_, index) => `word ${index} `) };
const eventsOf = { chat: chatEvents(MANY), responses: responsesEvents(MANY) };

describe('a call that is left or loses its owner', () => {
  let nodes: TwoNodes;
  beforeAll(async () => {
    nodes = await startTwoNodes();
  });
  afterAll(async () => {
    await nodes?.[Symbol.asyncDispose]();
  });

  test.each(['chat', 'responses'] as const)(
    'when the client of a %s upstream goes in mid-stream, the upstream is left within 250 ms',
    async (dialect) => {
      const stream = nodes.upstream.nextStream(eventsOf[dialect]);
      const at = nodes.upstream.requests.length;
      const client = new AbortController();
      const body = ask(MODELS[dialect], { stream: true });
      const replied = post(`${nodes.url}/chat/completions`, body, { signal: client.signal });
      await stream.send(6);
      await (await replied).body?.getReader().read();
      const leftAt = performance.now();
      client.abort();
      const request = await nodes.upstream.request(at);
      const seenAt = await eventually('the upstream sees the client go', () => request.leftAt);
      expect(seenAt - leftAt).toBeLessThan(250);
    },
  );

  test('when the client goes before there is an answer, the upstream is left too', async () => {
    nodes.upstream.next(neverAnswers);
    const at = nodes.upstream.requests.length;
    const client = new AbortController();
    const gone = post(`${nodes.url}/chat/completions`, ask(MODELS.chat), { signal: client.signal }).catch(
      () => 'left',
    );
    const request = await nodes.upstream.request(at);
    client.abort();
    expect(await gone).toBe('left');
    await eventually('the upstream sees the client go', () => request.leftAt);
  });

  test('a reader that stops holds the upstream back, and holds up nobody else', async () => {
    const event = `data: {"choices":[{"index":0,"delta":{"content":"${'x'.repeat(4_000)}"},"finish_reason":null}]}\n\n`;
    const stream = nodes.upstream.nextStream([]);
    const slow = httpRequest(`${nodes.url}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    // It is cut at the end, as its reader means it to be.
    slow.on('error', () => {});
    slow.end(JSON.stringify(ask(MODELS.chat, { stream: true })));
    const socket = await within('a socket', new Promise<Socket>((resolve) => slow.on('socket', resolve)));
    const response = await stream.opened();
    socket.pause();
    let sent = 0;
    const most = 64 * 1024 * 1024;
    while (sent < most && response.writableLength < 1024 * 1024) {
      response.write(event);
      sent += event.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    // What the path took is windows and socket buffers, a small part of what was on offer.
    expect(sent).toBeLessThan(most);
    nodes.upstream.next(answers({ text: ['quick'] }));
    const other = await within(
      'another call while one reader stands still',
      post(`${nodes.url}/chat/completions`, ask(MODELS.chat)),
    );
    expect(await other.text()).toContain('quick');
    slow.destroy();
    await eventually('the held upstream is left', () => response.destroyed);
  });

  test('when the owner is killed in mid-stream, the client gets an error event within 1 s and no [DONE]', async () => {
    const stream = nodes.upstream.nextStream(eventsOf.chat);
    const replied = post(`${nodes.url}/chat/completions`, ask(MODELS.chat, { stream: true }));
    await stream.send(4);
    const reader = (await replied).body?.getReader();
    let text = Buffer.from((await reader?.read())?.value ?? []).toString('utf8');
    // Read all the while, as clients do: `fetch` throws away what waits unread when its connection is cut.
    const readOn = async () => {
      try {
        for (;;) {
          const { done, value } = (await reader?.read()) ?? { done: true };
          if (done) return;
          text += Buffer.from(value ?? []).toString('utf8');
        }
      } catch {
        // The connection is cut behind the error event.
      }
    };
    const broken = readOn();
    const killedAt = performance.now();
    await nodes.bravo.stop('SIGKILL');
    await broken;
    expect(performance.now() - killedAt).toBeLessThan(1_000);
    expect(text).toMatch(/"code":"peer_lost"/);
    expect(text).toMatch(/bravo/);
    expect(text).not.toContain('[DONE]');
    const after = await post(`${nodes.url}/chat/completions`, ask(MODELS.chat));
    expect(after.status).toBe(503);
    expect(await after.json()).toMatchObject({
      error: { code: 'no_owner', message: expect.stringContaining('bravo') },
    });
  });
});

describe('bad input and bad upstreams', () => {
  let nodes: TwoNodes;
  beforeAll(async () => {
    nodes = await startTwoNodes();
  });
  afterAll(async () => {
    const { alpha, bravo } = nodes;
    for (const { log } of [alpha, bravo]) expect(log).not.toContain(UPSTREAM_KEY);
    await nodes?.[Symbol.asyncDispose]();
  });

  interface Case {
    readonly name: string;
    readonly script: Script;
    readonly status: number;
    readonly code: string | null;
  }
  const cases: readonly Case[] = [
    { name: 'answers 401', script: refuses(401, { message: `no ${UPSTREAM_KEY}` }), status: 401, code: null },
    { name: 'answers 429', script: refuses(429, { code: 'slow_down' }), status: 429, code: 'slow_down' },
    { name: 'answers 500', script: refuses(500, {}), status: 500, code: null },
    { name: 'answers HTML', script: html(200), status: 502, code: 'upstream_protocol' },
    { name: 'answers 502 with HTML', script: html(502), status: 502, code: null },
    {
      name: 'cuts before its head',
      script: (response) => response.destroy(),
      status: 502,
      code: 'upstream_unreachable',
    },
  ];

  test.each(cases)('an upstream that $name: $status', async ({ script, status, code }) => {
    // Always: a call on a kept connection that is cut before its head is sent once more, over a fresh one.
    nodes.upstream.always(script);
    const reply = await post(`${nodes.url}/chat/completions`, ask(MODELS.chat, { stream: true }));
    nodes.upstream.always(answers({ text: ['hello'] }));
    const text = await reply.text();
    expect(reply.status).toBe(status);
    const { error } = JSON.parse(text);
    if (code !== null) expect(error.code).toBe(code);
    expect(error.message).toMatch(/bravo/);
    expect(error.message).toMatch(/chatty/);
    expect(text).not.toContain(UPSTREAM_KEY);
  });

  test.each([
    ['a line of 2 MiB', sendsLine(2 * 1024 * 1024), 'stream_buffer_exceeded'],
    ['half a stream', cutsAfter(chatEvents(MANY).slice(0, 3).join('')), 'upstream_truncated'],
  ] as const)('an upstream that sends %s: an error, no [DONE]', async (_name, script, code) => {
    nodes.upstream.next(script);
    const reply = await post(`${nodes.url}/chat/completions`, ask(MODELS.chat, { stream: true }));
    const text = await whatCame(reply);
    expect(text).toContain(code);
    expect(text).toMatch(/bravo/);
    expect(text).not.toContain('[DONE]');
  });

  test('an unknown model: 404 with the nearest names', async () => {
    const reply = await post(`${nodes.url}/responses`, { model: 'chat-only-mode', input: 'x' });
    expect(reply.status).toBe(404);
    expect(await reply.json()).toMatchObject({
      error: { code: 'model_not_found', message: expect.stringContaining(MODELS.chat) },
    });
  });

  test.each([
    ['malformed JSON', '{"model":', {}, 400],
    ['another content type', '{}', { 'content-type': 'text/plain' }, 415],
    ['another Host', '{}', { 'content-type': 'application/json', host: 'evil.com' }, 421],
    ['a foreign Origin', '{}', { 'content-type': 'application/json', origin: 'https://evil.com' }, 403],
    [
      'a body that is too large',
      '{}',
      { 'content-type': 'application/json', 'content-length': '99999999' },
      413,
    ],
  ] as const)('%s: its own status, and the daemon lives on', async (_name, body, headers, status) => {
    expect(
      await rawStatus(`${nodes.url}/chat/completions`, body, {
        'content-type': 'application/json',
        ...headers,
      }),
    ).toBe(status);
    expect((await fetch(nodes.url.replace(/\/v1$/, '/health'))).status).toBe(200);
  });

  test('a model server that is down: 502 that names node, provider and what to look at', async () => {
    await nodes.upstream.stop();
    const reply = await post(`${nodes.url}/chat/completions`, ask(MODELS.chat));
    expect(reply.status).toBe(502);
    const { error } = JSON.parse(await reply.text());
    expect(error.code).toBe('upstream_unreachable');
    expect(error.message).toMatch(/bravo.*chatty|chatty.*bravo/);
    expect(error.message).toMatch(/running\?/);
  });
});

/** All that the client got, whether or not the connection was cut behind it. */
async function whatCame(reply: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of reply.body ?? []) chunks.push(chunk);
  } catch {
    // Cut: what came before counts.
  }
  return Buffer.concat(chunks).toString('utf8');
}

function rawStatus(url: string, body: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST', headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
      request.destroy();
    });
    request.on('error', reject);
    request.end(body);
  });
}
