/** The owner of a model that speaks a third dialect: its lines pass as others' events do, its key goes in its own header. */
import { describe, expect, test } from 'vitest';
import type { ServerResponse } from 'node:http';
import { Upstreams } from '../../src/upstream/upstream.ts';
import { refusalIn } from '../../src/http/error-body.ts';
import { shapesWithToy } from '../dialect/shapes-with-toy.ts';
import { TOY } from '../dialect/toy-wire.ts';
import { realClock } from '../support/real-clock.ts';
import { startUpstream } from '../support/scripted-upstream.ts';
import { call, KEY, live, read, readBroken, streamCall, thrown } from './one-upstream.ts';

const said = (content: string) => `${JSON.stringify({ message: { role: 'assistant', content } })}\n`;
const done = `${JSON.stringify({ done: true, done_reason: 'stop' })}\n`;
const whole = JSON.stringify({ message: { role: 'assistant', content: 'Hi' }, done: true });

function answers(type: string, ...pieces: readonly string[]) {
  return (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': type });
    for (const piece of pieces) response.write(piece);
    response.end();
  };
}

async function toyServer() {
  const upstream = await startUpstream();
  const root = upstream.baseUrl.replace(/\/v1$/, '');
  const card = { id: 'qwen3:8b', provider: 'ollama', dialect: TOY };
  const more = { apiKey: KEY, headers: { 'toy-version': '2' }, silenceMs: 60_000, eventBytesMax: 1 << 10 };
  const parts = { nodeName: 'studio', clock: realClock, shapes: shapesWithToy };
  const ours = new Upstreams([{ card, baseUrl: root, ...more }], parts);
  return {
    upstream,
    answer: (stream = true) => ours.answer((stream ? streamCall : call)({ dialect: TOY }), live()),
    async [Symbol.asyncDispose]() {
      await ours.close();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

describe('a stream of lines', () => {
  test('passes as it came, asked for at its path with its key and its headers', async () => {
    await using server = await toyServer();
    server.upstream.next(
      answers('application/x-ndjson', said('He'), said('llo').slice(0, 9), `${said('llo').slice(9)}${done}`),
    );
    const reply = await server.answer();
    expect(reply.headers['content-type']).toBe('application/x-ndjson');
    expect(await read(reply)).toBe(said('He') + said('llo') + done);
    expect(await reply.ended).toMatchObject({ kind: 'complete', finish: 'stop' });
    const { url, headers } = await server.upstream.request(0);
    expect(url).toBe('/api/toy');
    expect(headers).toMatchObject({
      'x-toy-key': KEY,
      'toy-version': '2',
      'toy-kind': 'lines',
      accept: 'application/x-ndjson',
    });
    expect(headers.authorization).toBeUndefined();
  });

  test('of no stated type is known by what was asked for', async () => {
    await using server = await toyServer();
    server.upstream.next(answers('', said('Hi'), done));
    expect(await read(await server.answer())).toBe(said('Hi') + done);
  });

  test('a last line without its end is given one', async () => {
    await using server = await toyServer();
    server.upstream.next(answers('application/x-ndjson', said('Hi'), done.trim()));
    expect(await read(await server.answer())).toBe(said('Hi') + done);
  });

  test('that begins with an error is a refusal, with its words', async () => {
    await using server = await toyServer();
    server.upstream.next(answers('application/x-ndjson', '{"error":"no such model"}\n'));
    const reply = await server.answer();
    expect(reply.status).toBe(502);
    expect(JSON.parse(await read(reply)).error.message).toContain('no such model');
  });

  test.each([
    ['that stops', [said('Hi')], 'upstream_truncated'],
    ['that stops in a line', [said('Hi'), '{"done":tr'], 'upstream_truncated'],
    ['with a line over the limit', [said('Hi'), said('x'.repeat(2_000))], 'stream_buffer_exceeded'],
  ])('%s breaks after what came whole', async (_, pieces, code) => {
    await using server = await toyServer();
    server.upstream.next(answers('application/x-ndjson', ...pieces));
    const { text, error } = await readBroken(await server.answer());
    expect([said('Hi'), '']).toContain(text);
    expect(error.code).toBe(code);
  });
});

test('a whole reply passes, and one for a stream becomes a stream', async () => {
  await using server = await toyServer();
  server.upstream.next(answers('application/json', whole));
  expect(await read(await server.answer(false))).toBe(whole);
  server.upstream.next(answers('application/json', whole));
  expect(await read(await server.answer())).toBe(`${whole}\n`);
});

test('a refusal is told to its clients in its own form, and to others as it is', async () => {
  await using server = await toyServer();
  const refuse = (response: ServerResponse) => {
    response.writeHead(404, { 'content-type': 'application/json', 'retry-after': '7' });
    response.end('{"error":"no such model"}');
  };
  for (const dialect of [TOY, 'chat'] as const) {
    server.upstream.next(refuse);
    const reply = await refusalIn(dialect, await server.answer(), shapesWithToy);
    const { error } = JSON.parse(await read(reply));
    expect([reply.status, reply.headers['retry-after']]).toEqual([404, '7']);
    expect(dialect === 'chat' ? error.message : error).toContain('no such model');
  }
});

test('a server that is not there fails as any other', async () => {
  await using server = await toyServer();
  await server.upstream.stop();
  expect((await thrown(server.answer())).code).toBe('upstream_unreachable');
});
