import { describe, expect, test } from 'vitest';
import { GATEWAY_ERROR_CHARS_MAX, GATEWAY_HELD_BYTES_MAX } from '../../src/core/limits.ts';
import { within } from '../support/eventually.ts';
import { chatBody, chatEvents, DONE, dataEvent } from '../support/openai-bodies.ts';
import * as scripted from '../support/scripted-upstream.ts';
import { call as callOf, live, read, thrown, upstreams } from './one-upstream.ts';

const TOKEN = 'gateway-canary-0123456789';
const where = '(node studio, provider anthropic, model claude-opus-4)';
const ZERO = { input: 0, output: 0 };

const card = { id: 'claude-opus-4', provider: 'anthropic', dialect: 'chat' } as const;

const plain = (baseUrl: string) => upstreams(baseUrl, { spec: { card } });

const gateway = (baseUrl: string) =>
  upstreams(baseUrl, {
    spec: { card: { ...card, agent: true }, apiKey: TOKEN, gateway: { agent: 'openclaw/main' } },
  });

const call = (stream: boolean) =>
  callOf({
    model: { id: card.id, provider: card.provider },
    stream,
    body: Buffer.from(`{"model":"studio/claude-opus-4","messages":[],"stream":${stream}}`),
  });

/** A stream without the usage chunk, as clients get it that did not ask for usage. */
function withoutUsage(...text: readonly string[]): readonly string[] {
  return chatEvents({ text }).filter((event) => !event.includes('"usage"'));
}

const events = (all: readonly string[]) =>
  scripted.raw({ headers: { 'content-type': 'text/event-stream' } }, all.join(''));

test('the agent is asked for, the model named in a header, the token sent, and the rest of the body left alone', async () => {
  await using upstream = await scripted.startUpstream();
  await using ours = gateway(upstream.baseUrl);
  await read(await ours.answer(call(false), live()));
  const request = await upstream.request(0);
  expect(request.url).toBe('/v1/chat/completions');
  expect(request.headers).toMatchObject({
    authorization: `Bearer ${TOKEN}`,
    'x-openclaw-model': 'anthropic/claude-opus-4',
  });
  expect(request.body.toString()).toBe('{"model":"openclaw/main","messages":[],"stream":false}');
});

test('another upstream is told nothing of OpenClaw', async () => {
  await using upstream = await scripted.startUpstream();
  await using ours = plain(upstream.baseUrl);
  await read(await ours.answer(call(false), live()));
  const request = await upstream.request(0);
  expect(request.headers).not.toHaveProperty('x-openclaw-model');
  expect(request.json()).toMatchObject({ model: 'claude-opus-4' });
});

describe('a refusal keeps its status and says how to mend it', () => {
  test.each([
    [
      400,
      'Invalid `model`. Use `openclaw` or `openclaw/<agentId>`.',
      'OpenClaw has no agent openclaw/main: correct "openclaw.gateway.agent" on node studio',
    ],
    [400, 'Invalid `x-openclaw-model`.', 'OpenClaw does not let openclaw/main use this model'],
    [
      400,
      'Model "anthropic/claude-opus-4" is not allowed for agent "main".',
      'agents.defaults.modelPolicy.allow',
    ],
    [401, 'Unauthorized', 'check "openclaw.gateway.token" (or OPENCLAW_GATEWAY_TOKEN) on node studio'],
    [404, 'Not Found', 'set gateway.http.endpoints.chatCompletions.enabled to true in openclaw.json'],
    [429, 'Too many failed attempts', 'check "openclaw.gateway.token" on node studio'],
  ])('%i %s', async (status, message, mend) => {
    await using upstream = await scripted.startUpstream();
    await using ours = gateway(upstream.baseUrl);
    upstream.next(scripted.refuses(status, { message }, { 'retry-after': '30' }));
    const reply = await ours.answer(call(true), live());
    const body = await read(reply);
    expect(reply.status).toBe(status);
    expect(reply.headers['retry-after']).toBe('30');
    const { error }: { error: { message: string } } = JSON.parse(body);
    expect(error.message).toContain(`the upstream answered ${status}: ${message}; `);
    expect(error.message).toContain(mend);
    expect(error.message).toContain(where);
    expect(error.message).not.toContain(TOKEN);
  });

  test('an endpoint that is off says it in plain text', async () => {
    await using upstream = await scripted.startUpstream();
    await using ours = gateway(upstream.baseUrl);
    upstream.next(scripted.raw({ status: 404, headers: { 'content-type': 'text/plain' } }, 'Not Found'));
    const body = await read(await ours.answer(call(false), live()));
    expect(body).toContain('gateway.http.endpoints.chatCompletions.enabled');
  });

  test('other refusals are told as they are', async () => {
    await using upstream = await scripted.startUpstream();
    await using ours = gateway(upstream.baseUrl);
    upstream.next(scripted.refuses(400, { message: 'Missing user message in `messages`.' }));
    const body = await read(await ours.answer(call(false), live()));
    expect(JSON.parse(body)).toMatchObject({
      error: { message: `the upstream answered 400: Missing user message in \`messages\`. ${where}` },
    });
  });

  test('a gateway that does not run is named with its address', async () => {
    const upstream = await scripted.startUpstream();
    await upstream.stop();
    await using ours = gateway(upstream.baseUrl);
    const error = await thrown(ours.answer(call(false), live()));
    expect(error.code).toBe('upstream_unreachable');
    expect(error.message).toContain(new URL(upstream.baseUrl).origin);
    expect(error.message).toContain('"openclaw gateway status" says whether it runs');
  });
});

describe('an error in words is a failure and no answer', () => {
  const words = [
    'LLM request rejected: your credit balance is too low',
    '⚠️ Agent failed before reply: All models failed (2): anthropic/claude-opus-4: 401.',
    'HTTP 401: invalid x-api-key',
    'HTTP 401 authentication_error: invalid x-api-key',
    '429 Too Many Requests',
    '401 {"type":"error","error":{"message":"invalid x-api-key"}}',
    '⚠️ You have reached your usage limit.',
    '{"error":{"message":"overloaded"}}',
    'Error: internal error',
    'No response from OpenClaw.',
  ];

  test.each(words)('as JSON, with no usage to speak of: %s', async (text) => {
    await using upstream = await scripted.startUpstream();
    await using ours = gateway(upstream.baseUrl);
    upstream.next(scripted.answers({ text: [text], usage: ZERO }));
    const error = await thrown(ours.answer(call(false), live()));
    expect(error).toMatchObject({ code: 'upstream_error', status: 502 });
    expect(error.message).toBe(
      `the OpenClaw gateway answered 200 with an error in place of an answer: ${text} ${where}`,
    );
  });

  test.each(words)('as a stream, in whatever pieces: %s', async (text) => {
    await using upstream = await scripted.startUpstream();
    await using ours = gateway(upstream.baseUrl);
    upstream.next(scripted.answers({ text: [...text], usage: ZERO }));
    const error = await thrown(ours.answer(call(true), live()));
    expect(error.code).toBe('upstream_error');
    expect(error.message).toContain(text);
  });

  test('at the last event, whether the connection ends then or not', async () => {
    await using upstream = await scripted.startUpstream();
    await using ours = gateway(upstream.baseUrl);
    const stream = upstream.nextStream(chatEvents({ text: ['LLM request failed: x'], usage: ZERO }));
    const failed = thrown(ours.answer(call(true), live()));
    await stream.send(99);
    expect((await failed).code).toBe('upstream_error');
  });

  test("a stream that told no usage is judged by sentences that are OpenClaw's alone", async () => {
    await using upstream = await scripted.startUpstream();
    await using ours = gateway(upstream.baseUrl);
    upstream.next(events(withoutUsage('LLM request ', 'timed out.')));
    expect((await thrown(ours.answer(call(true), live()))).code).toBe('upstream_error');
    const honest = withoutUsage('Error: ', 'you forgot a bracket in line 3.');
    upstream.next(events(honest));
    expect(await read(await ours.answer(call(true), live()))).toBe(honest.join(''));
  });

  test('its key is not in the words that are quoted', async () => {
    await using upstream = await scripted.startUpstream();
    await using ours = gateway(upstream.baseUrl);
    upstream.next(scripted.answers({ text: [`HTTP 401: bad token ${TOKEN}`], usage: ZERO }));
    expect((await thrown(ours.answer(call(false), live()))).message).not.toContain(TOKEN);
  });
});

describe('an honest answer passes, byte for byte', () => {
  const usage = { input: 12, output: 5 };

  test.each([
    ['that talks of errors', { text: ['LLM request failed: that is what', ' the log says.'], usage }],
    ['with zeros for usage, as older gateways count', { text: ['Hello', ' there'], usage: ZERO }],
    ['without a word', { text: [''], usage: ZERO }],
    ['that begins like an error and goes on otherwise', { text: ['Err', 'ands are done.'], usage: ZERO }],
    [
      'on errors, uncounted',
      { text: ['HTTP 404 means that nothing is there: check the path.'], usage: ZERO },
    ],
    ['on error handling, uncounted', { text: ['Error handling in Go is explicit.'], usage: ZERO }],
    ['on limits, uncounted', { text: ['Rate limiting slows callers down.'], usage: ZERO }],
    ['with a warning, uncounted', { text: ['⚠️ This deletes the whole folder.'], usage: ZERO }],
    ['that calls a tool', { toolCalls: [{ id: 'c1', name: 'look', arguments: '{}' }], usage: ZERO }],
    ['longer than any error', { text: [`Error: ${'x'.repeat(GATEWAY_ERROR_CHARS_MAX)}`], usage: ZERO }],
  ])('%s', async (_what, said) => {
    await using upstream = await scripted.startUpstream();
    await using ours = gateway(upstream.baseUrl);
    upstream.next(scripted.answers(said));
    expect(JSON.parse(await read(await ours.answer(call(false), live())))).toEqual(chatBody(said));
    upstream.next(scripted.answers(said));
    expect(await read(await ours.answer(call(true), live()))).toBe(chatEvents(said).join(''));
  });

  test('text that is none of an error goes out with its first letters', async () => {
    await using upstream = await scripted.startUpstream();
    await using ours = gateway(upstream.baseUrl);
    const all = chatEvents({ text: ['Er', 'ra'] });
    const stream = upstream.nextStream(all);
    const answering = ours.answer(call(true), live());
    await stream.send(3);
    const reply = await within('the reply is handed over', answering);
    const body = reply.body[Symbol.asyncIterator]();
    const first = await within('the text is there', body.next());
    expect(Buffer.from(first.value ?? '').toString()).toBe(all.slice(0, 3).join(''));
    await stream.finish();
    let left = '';
    for (let next = await body.next(); next.done !== true; next = await body.next())
      left += Buffer.from(next.value).toString();
    expect(left).toBe(all.slice(3).join(''));
  });

  test('no more is held than the limit, whatever it looks like', async () => {
    await using upstream = await scripted.startUpstream();
    await using ours = gateway(upstream.baseUrl);
    const comment = `: ${'x'.repeat(1_000)}\n\n`;
    const count = Math.ceil(GATEWAY_HELD_BYTES_MAX / comment.length) + 1;
    const stream = upstream.nextStream([
      ...Array.from({ length: count }, () => comment),
      dataEvent({}),
      DONE,
    ]);
    const answering = ours.answer(call(true), live());
    await stream.send(count);
    await stream.write(chatEvents({ text: ['LLM request failed: x'], usage: ZERO }).join(''));
    await stream.end();
    const text = await read(await within('the reply is handed over', answering));
    expect(text).toContain('LLM request failed: x');
  });

  test('a stream that is cut while it is held is an error with a status of its own', async () => {
    await using upstream = await scripted.startUpstream();
    await using ours = gateway(upstream.baseUrl);
    upstream.next(
      scripted.cutsAfter(
        chatEvents({ text: ['Error: '] })
          .slice(0, 2)
          .join(''),
      ),
    );
    expect((await thrown(ours.answer(call(true), live()))).code).toBe('upstream_truncated');
  });

  test('an error that is told as one stays one', async () => {
    await using upstream = await scripted.startUpstream();
    await using ours = gateway(upstream.baseUrl);
    upstream.next(scripted.json(200, { error: { message: 'internal error', type: 'api_error' } }));
    const reply = await ours.answer(call(false), live());
    expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(await read(reply)).toContain('internal error');
  });
});
