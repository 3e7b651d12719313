import { connect } from 'node:net';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import type { Answer, Call, Outcome } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import { REQUEST_BODY_BYTES_MAX } from '../../src/core/limits.ts';
import { Budget } from '../../src/lib/budget.ts';
import { ByteQueue } from '../../src/lib/byte-queue.ts';
import { onAbort } from '../../src/lib/signals.ts';
import { eventually, within } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { chatEvents } from '../support/openai-bodies.ts';
import * as scripted from '../support/scripted-upstream.ts';
import { ask } from './ask.ts';
import { NODE, startBefore, startWith } from './start.ts';

const CHAT = '/v1/chat/completions';
const body = '{"model":"m","messages":[]}';

/** Answers with one JSON body and keeps the calls. */
function answering(calls: Call[] = [], headers: Record<string, string> = {}): Answer {
  return (call) => {
    calls.push(call);
    const queue = new ByteQueue({ onTaken: () => {}, onLeft: () => {} });
    queue.push(Buffer.from('{"ok":true}'));
    queue.end();
    const ended: Promise<Outcome> = Promise.resolve({ kind: 'complete', bytes: 11, finish: 'stop' });
    return Promise.resolve({ status: 200, headers, body: queue, ended });
  };
}

const throwing =
  (error: unknown): Answer =>
  () =>
    Promise.reject(error);

describe('a request that is wrong', () => {
  test.each([
    ['{"model":"m",', 'line 1, column 14'],
    ['{"model":"m"\n "x":1}', 'line 2, column 2: expected a comma or }'],
    ['{"model":"m","x":tru}', 'line 1, column 18: expected a value'],
    ['{"model":"a\nb"}', 'line 1, column 10'],
    ["{'model':1}", 'expected a name in double quotes or }'],
    ['', 'line 1, column 1: expected a value'],
    ['{"model":"m"} x', 'column 15: expected nothing more'],
  ])('%j is answered 400 and told where', async (wrong, where) => {
    await using on = await startWith(answering());
    const told = await ask(`${on.url}${CHAT}`, { body: wrong });
    expect(told.status).toBe(400);
    expect(told.json()).toMatchObject({ error: { code: 'invalid_json', type: 'invalid_request_error' } });
    expect(told.text).toContain(where);
    expect(told.headers['x-should-retry']).toBe('false');
  });

  test.each([
    ['[]', null],
    ['"x"', null],
    ['null', null],
    ['{}', 'model'],
    ['{"model":""}', 'model'],
    ['{"model":7}', 'model'],
    [`{"model":"${'x'.repeat(257)}"}`, 'model'],
    ['{"model":"a","model":"b"}', 'model'],
    ['{"model":"a","\\u006dodel":"b"}', 'model'],
    ['{"model":"a","stream":"yes"}', 'stream'],
    ['{"model":"a","stream":1}', 'stream'],
    [`{"model":"a","x":${'['.repeat(100)}${']'.repeat(100)}}`, null],
  ])('%s is answered 400 and told which field', async (wrong, param) => {
    await using on = await startWith(answering());
    const told = await ask(`${on.url}${CHAT}`, { body: wrong });
    expect(told.status).toBe(400);
    expect(told.json()).toMatchObject({ error: { code: 'bad_request', param } });
  });

  test('a body that is no UTF-8 is answered 400', async () => {
    await using on = await startWith(answering());
    const wrong = Buffer.from([...Buffer.from('{"model":"'), 0xff, ...Buffer.from('"}')]);
    expect((await ask(`${on.url}${CHAT}`, { body: wrong })).json()).toMatchObject({
      error: { code: 'invalid_json' },
    });
  });

  test('HE7: a body that turns out too large while it comes is answered 413, and held no longer', async () => {
    await using on = await startWith(answering());
    const chunk = 'x'.repeat(1 << 20);
    const parts = async function* () {
      for (let sent = 0; sent <= REQUEST_BODY_BYTES_MAX; sent += chunk.length) yield chunk;
    };
    const socket = connect(on.edge.port, '127.0.0.1');
    let answer = '';
    let closed = false;
    socket.on('data', (data) => {
      answer += data.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      closed = true;
    });
    socket.write(
      `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
    );
    for await (const part of parts()) {
      if (closed) break;
      await new Promise<void>((resolve) => {
        socket.write(`${part.length.toString(16)}\r\n${part}\r\n`, () => resolve());
      });
    }
    await eventually('the server closes', () => closed);
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(on.budget.usedBytes).toBe(0);
  });

  test('HE6: a body that does not come is answered 408', async () => {
    const clock = new FakeClock();
    await using on = await startWith(answering(), { parts: { clock } });
    const socket = connect(on.edge.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => {
      answer += data.toString();
    });
    socket.write(
      `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
    );
    await eventually('the body is waited for', () => on.budget.usedBytes === 100);
    clock.advance(60_000);
    await eventually('it is answered', () => answer.includes('request_timeout'));
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(on.budget.usedBytes).toBe(0);
    clock.advance(500);
    await eventually('the connection closes', () => socket.readyState === 'closed');
  });

  test('a body for which there is no room is answered 503, with the time to come back', async () => {
    await using on = await startWith(answering(), { parts: { budget: new Budget(10) } });
    const told = await ask(`${on.url}${CHAT}`, { body });
    expect(told.status).toBe(503);
    expect(told.headers['retry-after']).toBe('2');
    expect(told.json()).toMatchObject({ error: { code: 'busy' } });
  });
});

describe('a request that is right', () => {
  test.each(['/v1/chat/completions', '/chat/completions', '/v1/responses', '/responses', '/responses?x=1'])(
    '%s is a call',
    async (path) => {
      const calls: Call[] = [];
      await using on = await startWith(
        answering(calls, { 'x-clawmatrix-route': 'studio', 'server-timing': 'hop;dur=1' }),
      );
      const told = await ask(`${on.url}${path}`, { body });
      expect(told.status).toBe(200);
      expect(told.text).toBe('{"ok":true}');
      expect(told.headers).toMatchObject({
        'x-request-id': calls[0]?.id,
        'x-clawmatrix-route': 'studio',
        'content-length': '11',
        'server-timing': expect.stringMatching(/^hop;dur=1, ttfb;dur=[\d.]+$/),
      });
      expect(calls[0]).toMatchObject({
        dialect: path.includes('responses') ? 'responses' : 'chat',
        model: { id: 'm' },
        stream: false,
        origin: NODE,
      });
      expect(Buffer.from(calls[0]?.body ?? []).toString()).toBe(body);
      await eventually('what its body took is given back', () => on.budget.usedBytes === 0);
    },
  );

  test.each([
    [{ 'x-session-affinity': 'a', session_id: 'b' }, '', 'a'],
    [{ session_id: 'b' }, ',"prompt_cache_key":"c"', 'b'],
    [{}, ',"prompt_cache_key":"c","user":"d"', 'c'],
    [{}, ',"user":"d"', 'd'],
    [{}, ',"user":7', undefined],
  ])('its session is the first of %j and %s', async (headers, extra, session) => {
    const calls: Call[] = [];
    await using on = await startWith(answering(calls));
    await ask(`${on.url}${CHAT}`, { body: `{"model":"m"${extra}}`, headers });
    expect(calls[0]?.session).toBe(session);
  });

  test('carries the allowed headers and no others', async () => {
    const calls: Call[] = [];
    await using on = await startWith(answering(calls));
    const headers = {
      'openai-beta': 'x',
      authorization: 'Bearer y',
      cookie: 'z',
      'x-session-id': 'w'.repeat(600),
    };
    await ask(`${on.url}${CHAT}`, { body, headers });
    expect(calls[0]?.headers).toEqual({ 'openai-beta': 'x', 'x-clawmatrix-hops': '1' });
  });

  test.each([
    [undefined, '1'],
    ['3', '4'],
    ['-1', '1'],
    ['many', '1'],
  ])('counts the proxies that it came through: after %s this is number %s', async (before, counted) => {
    const calls: Call[] = [];
    await using on = await startWith(answering(calls));
    const headers = before === undefined ? {} : { 'x-clawmatrix-hops': before };
    await ask(`${on.url}${CHAT}`, { body, headers });
    expect(calls[0]?.headers).toEqual({ 'x-clawmatrix-hops': counted });
  });

  test('that came through four proxies goes in a circle, and no further', async () => {
    const calls: Call[] = [];
    await using on = await startWith(answering(calls));
    const told = await ask(`${on.url}${CHAT}`, { body, headers: { 'x-clawmatrix-hops': '4' } });
    expect(told.status).toBe(508);
    expect(told.json()).toMatchObject({ error: { code: 'loop_detected' } });
    expect(calls).toEqual([]);
  });

  test('with `Expect: 100-continue` is told to go on', async () => {
    await using on = await startWith(answering());
    const told = await ask(`${on.url}${CHAT}`, { body, headers: { expect: '100-continue' } });
    expect(told.status).toBe(200);
  });

  test('leaves one line in the log, with no prompt in it', async () => {
    await using on = await startWith(answering([], { 'x-clawmatrix-left-out': 'seed, tools[0]' }));
    await ask(`${on.url}${CHAT}`, {
      body: '{"model":"m","messages":[{"content":"the prompt"}]}',
      headers: { session_id: 's-1' },
    });
    await eventually('the line is there', () => on.lines.length > 0);
    expect(on.lines).toMatchObject([
      {
        level: 30,
        msg: 'call settled',
        model: 'm',
        status: 200,
        bytes: 11,
        finish: 'stop',
        leftOut: 'seed, tools[0]',
        ms: expect.any(Number),
      },
    ]);
    expect(JSON.stringify(on.lines)).not.toMatch(/the prompt|s-1/);
  });

  test('the official client reads replies, streams and errors', async () => {
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    const client = new OpenAI({ baseURL: `${on.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const messages = [{ role: 'user' as const, content: 'hi' }];
    const whole = await client.chat.completions.create({ model: 'chatty', messages });
    expect(whole.choices[0]?.message.content).toBe('hello');
    upstream.next(scripted.says('Hel', 'lo'));
    let text = '';
    for await (const chunk of await client.chat.completions.create({
      model: 'chatty',
      messages,
      stream: true,
    }))
      text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toBe('Hello');
    upstream.next(
      scripted.cutsAfter(
        chatEvents({ text: ['Hel'] })
          .slice(0, 2)
          .join(''),
      ),
    );
    const broken = await client.chat.completions.create({ model: 'chatty', messages, stream: true });
    await expect(
      (async () => {
        for await (const _chunk of broken);
      })(),
    ).rejects.toMatchObject({ code: 'upstream_truncated' });
    await expect(client.chat.completions.create({ model: 'nothing', messages })).rejects.toMatchObject({
      status: 404,
    });
  });

  test('bytes pass exactly: unknown fields, huge integers, key order, both ways', async () => {
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    const head = '"id":"c1","object":"chat.completion","created":1,"model":"chatty"';
    const choice = '{"finish_reason":"stop","index":0,"message":{"content":"Hi","role":"assistant"}}';
    const reply = `{"z":9007199254740993,${head},"choices":[${choice}],"a":1.10,"\\u00e9":"é"}`;
    upstream.next(scripted.raw({ headers: { 'content-type': 'application/json' } }, reply));
    const sent =
      '{"zz":18446744073709551615,"model":"chatty","stream":false,"a":{"c":1,"b":2.50},"messages":[]}';
    const told = await ask(`${on.url}${CHAT}`, { body: sent });
    expect(told.text).toBe(reply);
    expect((await upstream.request(0)).body.toString()).toBe(sent);
  });
});

describe('an answer that throws', () => {
  test('keeps its status, headers and time to come back', async () => {
    const error = new ClawError('no_owner', 'nobody has m now', {
      retryAfterSeconds: 1.2,
      headers: { 'x-clawmatrix-route': 'studio; attempts=2' },
    });
    await using on = await startWith(throwing(error));
    const told = await ask(`${on.url}${CHAT}`, { body });
    expect(told.status).toBe(503);
    expect(told.headers).toMatchObject({ 'retry-after': '2', 'x-clawmatrix-route': 'studio; attempts=2' });
    expect(told.headers).not.toHaveProperty('x-should-retry');
    expect(told.json()).toEqual({
      error: { message: 'nobody has m now', type: 'server_error', param: null, code: 'no_owner' },
    });
  });

  test('what is no error of ours is 500 without its words, which are in the log', async () => {
    await using on = await startWith(throwing(new TypeError('secret detail')));
    const told = await ask(`${on.url}${CHAT}`, { body });
    expect(told.status).toBe(500);
    expect(told.text).not.toContain('secret detail');
    await eventually('it is logged', () => on.lines.length > 0);
    expect(on.lines[0]).toMatchObject({ level: 50, code: 'internal', err: { message: 'secret detail' } });
  });
});

describe('a client that leaves', () => {
  test.each([
    ['while it waits for the head', false],
    ['in the middle of a stream', true],
  ])('%s: the upstream is left within 250 ms, and no error is logged', async (_when, streaming) => {
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    const stream = streaming ? upstream.nextStream(chatEvents({ text: ['a'] })) : undefined;
    if (stream === undefined) upstream.next(scripted.neverAnswers);
    const socket = connect(on.edge.port, '127.0.0.1');
    let got = '';
    socket.on('data', (data) => {
      got += data.toString();
    });
    const sent = '{"model":"chatty","stream":true}';
    socket.write(
      `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${sent.length}\r\n\r\n${sent}`,
    );
    const request = await upstream.request(0);
    await stream?.send(2);
    if (streaming) await eventually('the events have come', () => got.includes('"content":"a"'));
    const leftAt = performance.now();
    socket.destroy();
    const closedAt = await eventually('the upstream sees it', () => request.leftAt);
    expect(closedAt - leftAt).toBeLessThan(250);
    await eventually('the call is settled', () => on.lines.length > 0);
    expect(on.lines).toMatchObject([{ level: 30, status: 499, code: 'cancelled' }]);
    expect(on.budget.usedBytes).toBe(0);
  });

  test('while it sends: nobody is asked', async () => {
    const calls: Call[] = [];
    await using on = await startWith(answering(calls));
    const socket = connect(on.edge.port, '127.0.0.1');
    socket.write(
      `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
    );
    await eventually('the body is waited for', () => on.budget.usedBytes === 100);
    socket.destroy();
    await eventually('it is noticed', () => on.budget.usedBytes === 0);
    expect(calls).toHaveLength(0);
  });
});

describe('a client that reads slowly', () => {
  test('stops the answer, and then gets every byte of it', async () => {
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    const stream = upstream.nextStream([]);
    const socket = connect(on.edge.port, '127.0.0.1');
    const sent = '{"model":"chatty","stream":true}';
    socket.write(
      `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${sent.length}\r\n\r\n${sent}`,
    );
    socket.pause();
    const response = await stream.opened();
    const event = `: ${'x'.repeat(64 * 1024)}\n\n`;
    for (let written = 0; written < 512; written++) response.write(event);
    response.end('data: [DONE]\n\n');
    let before = -1;
    let still = 0;
    await eventually('nothing has moved for 40 turns', () => {
      still = response.writableLength === before ? still + 1 : 0;
      before = response.writableLength;
      return still > 40;
    });
    expect(before).toBeGreaterThan(8 << 20);
    let bytes = 0;
    socket.on('data', (data) => {
      bytes += data.length;
    });
    socket.resume();
    await eventually('the last byte has come', () => socket.readyState === 'closed');
    expect(bytes).toBeGreaterThan(512 * event.length);
    await eventually('the call is settled', () => on.lines.length > 0);
    expect(on.lines[0]).toMatchObject({ status: 200, bytes: 512 * event.length + 14 });
  });
});

describe('an edge that closes', () => {
  test('lets an open call end, takes no new one, and is closed then', async () => {
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    const stream = upstream.nextStream(chatEvents({ text: ['a'] }));
    const telling = ask(`${on.url}${CHAT}`, { body: '{"model":"chatty","stream":true}' });
    await stream.send();
    const closing = on.edge.close(10_000);
    await expect(ask(`${on.url}/health`)).rejects.toThrow('ECONNREFUSED');
    await stream.finish();
    expect(await telling).toMatchObject({ whole: true });
    await within('the edge closes', closing);
    await on.edge.close();
  });

  test('breaks what outlasts the grace, and says so', async () => {
    const clock = new FakeClock();
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl, { parts: { clock } });
    const stream = upstream.nextStream(chatEvents({ text: ['a'] }));
    let status = 0;
    const onHead = (told: number) => {
      status = told;
    };
    const telling = ask(`${on.url}${CHAT}`, { body: '{"model":"chatty","stream":true}', onHead });
    await stream.send();
    await eventually('the stream has begun', () => status === 200);
    const closing = on.edge.close(3_000);
    clock.advance(3_000);
    const told = await telling;
    expect(told.whole).toBe(false);
    expect(told.text).toContain('"code":"draining"');
    await within('the edge closes', closing);
    expect(clock.pending).toBe(0);
  });

  test('a call that hears of it by its signal alone is cut too', async () => {
    const clock = new FakeClock();
    const stuck: Answer = (_call, signal) =>
      new Promise((_, reject) => {
        onAbort(signal, reject);
      });
    await using on = await startWith(stuck, { parts: { clock } });
    const telling = ask(`${on.url}${CHAT}`, { body });
    await eventually('the call is open', () => on.budget.usedBytes > 0);
    const closing = on.edge.close(0);
    expect(await telling).toMatchObject({ status: 503 });
    await within('the edge closes', closing);
  });
});
