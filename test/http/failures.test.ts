/** Every failure at the edge: its status or its error event, naming node and provider, and none with a key in it. */
import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { chatEvents, responsesEvents } from '../support/openai-bodies.ts';
import * as scripted from '../support/scripted-upstream.ts';
import { ask, type Told } from './ask.ts';
import { PROVIDER_KEY, type Started, startBefore } from './start.ts';

const PLACE = '(node studio, provider ollama, model chatty)';
const EVENTS = { 'content-type': 'text/event-stream' };

let seen: Told[] = [];
let started: Started | undefined;

afterEach(() => {
  for (const { text, headers } of seen) {
    expect(text + JSON.stringify(headers)).not.toContain('canary');
    expect(text).not.toMatch(/\n\s+at /);
  }
  expect(JSON.stringify(started?.lines ?? [])).not.toContain('canary');
  seen = [];
});

function chat(stream: boolean, extra = ''): string {
  return `{"model":"chatty","messages":[{"role":"user","content":"the prompt"}],"stream":${stream}${extra}}`;
}

async function post(on: Started, body: string, path = '/v1/chat/completions'): Promise<Told> {
  started = on;
  const told = await ask(`${on.url}${path}`, { body });
  seen.push(told);
  return told;
}

function message(told: Told): string {
  const body = told.json();
  expect(body).toEqual({
    error: { message: expect.any(String), type: expect.any(String), param: null, code: expect.anything() },
  });
  return JSON.stringify(body);
}

describe('an upstream that fails before its first byte', () => {
  test('is down: 502, with the address and the question whether it runs', async () => {
    const upstream = await scripted.startUpstream();
    await upstream.stop();
    await using on = await startBefore(upstream.baseUrl);
    for (const stream of [false, true]) {
      const told = await post(on, chat(stream));
      expect(told.status).toBe(502);
      expect(message(told)).toContain(PLACE);
      expect(message(told)).toContain('is the server running?');
      expect(message(told)).toContain(new URL(upstream.baseUrl).origin);
      expect(told.json()).toMatchObject({ error: { code: 'upstream_unreachable', type: 'server_error' } });
    }
  });

  test('has no known host name: 502', async () => {
    await using on = await startBefore('http://no-such-host.invalid/v1');
    const told = await post(on, chat(false));
    expect(told.status).toBe(502);
    expect(message(told)).toContain('host name');
  });

  test.each([
    'http://169.254.169.254/v1',
    'http://[fe80::1]/v1',
    'http://[::ffff:169.254.169.254]/v1',
    'http://0.0.0.0:1/v1',
  ])('is at %s: refused, nothing is sent there', async (baseUrl) => {
    await using on = await startBefore(baseUrl);
    const told = await post(on, chat(false));
    expect(told.status).toBe(502);
    expect(message(told)).toContain('is not used as an upstream');
    expect(message(told)).toContain(PLACE);
  });

  test('hangs up without an answer: 502', async () => {
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    for (const hangUp of ['destroy', 'resetAndDestroy'] as const) {
      upstream.next((response) => void response.socket?.[hangUp]());
      const told = await post(on, chat(true));
      expect(told.status).toBe(502);
      expect(message(told)).toContain(PLACE);
      expect(told.json()).toMatchObject({ error: { code: 'upstream_unreachable' } });
    }
  });

  test('says nothing for 120 s: 504', async () => {
    const clock = new FakeClock();
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl, { parts: { clock } });
    upstream.next(scripted.neverAnswers);
    const telling = post(on, chat(false));
    await upstream.request(0);
    clock.advance(120_000);
    const told = await telling;
    expect(told.status).toBe(504);
    expect(message(told)).toContain(PLACE);
  });

  test('says nothing for 120 s to a stream call, which has its head by then: an error event', async () => {
    const clock = new FakeClock();
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl, { parts: { clock } });
    upstream.next(scripted.neverAnswers);
    const telling = post(on, chat(true));
    await upstream.request(0);
    clock.advance(120_000);
    const told = await telling;
    expect(told).toMatchObject({ status: 200, whole: false });
    expect(told.text.split('\n\n').at(-2)).toMatch(/^data: \{"error":.*"code":"upstream_timeout"\}\}$/);
    expect(told.text).toContain(PLACE);
  });

  test.each([401, 403, 404, 429, 500, 529])(
    'refuses with %i: its status and words, the key scrubbed',
    async (status) => {
      await using upstream = await scripted.startUpstream();
      await using on = await startBefore(upstream.baseUrl);
      for (const stream of [false, true]) {
        upstream.next(
          scripted.refuses(
            status,
            {
              message: `Incorrect API key provided: ${PROVIDER_KEY}`,
              type: 'its_own_type',
              code: 1234,
              param: 'x',
            },
            { 'retry-after': '7', 'x-secret': PROVIDER_KEY, 'set-cookie': 'a=b' },
          ),
        );
        const told = await post(on, chat(stream));
        expect(told.status).toBe(status);
        expect(told.headers['content-type']).toBe('application/json');
        expect(told.headers['retry-after']).toBe('7');
        expect(told.headers).not.toHaveProperty('set-cookie');
        const { error } = JSON.parse(told.text);
        expect(error).toMatchObject({ type: 'its_own_type', code: '1234', param: 'x' });
        expect(error.message).toContain('Incorrect API key provided: [secret]');
        expect(error.message).toContain(PLACE);
        if (status === 401 || status === 403)
          expect(error.message).toContain('apiKey of provider ollama on node studio');
        const permanent = [401, 403, 404].includes(status);
        expect(told.headers['x-should-retry']).toBe(permanent ? 'false' : undefined);
      }
    },
  );

  test.each([
    ['FastAPI', '{"detail":"no such thing"}', 'no such thing'],
    ['an error as text', '{"error":"model is loading"}', 'model is loading'],
    ['an old vLLM', '{"object":"error","message":"bad field","type":"X","code":400}', 'bad field'],
    ['no message', '{"oops":1}', 'HTTP 500 with a JSON body'],
    ['nothing', '', 'HTTP 500 with an empty body'],
    ['a long text', `{"error":{"message":"${'x'.repeat(5000)}"}}`, 'x…'],
  ])('tells what %s says', async (_who, body, words) => {
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    upstream.next(scripted.raw({ status: 500, headers: { 'content-type': 'application/json' } }, body));
    const told = await post(on, chat(true));
    expect(told.status).toBe(500);
    const { error } = JSON.parse(told.text);
    expect(error.message).toContain(words);
    expect(error.message.length).toBeLessThan(800);
  });

  test('answers with an HTML error page: its status, but not the page', async () => {
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    upstream.next(scripted.html(503));
    const told = await post(on, chat(true));
    expect(told.status).toBe(503);
    expect(told.text).toContain('HTTP 503 with an HTML body');
    expect(told.text).not.toContain('<html');
    expect(told.text).toContain(PLACE);
  });

  test('gives an error body that never ends: its status all the same', async () => {
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    upstream.next((response) => {
      response.writeHead(500, { 'content-type': 'application/json' });
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      };
      response.on('drain', more);
      more();
    });
    const told = await post(on, chat(false));
    expect(told.status).toBe(500);
    await eventually('it is left', async () => (await upstream.request(0)).leftAt);
  });

  test('redirects: 502 that names where to, without following or sending the key there', async () => {
    await using other = await scripted.startUpstream();
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    const location = `${other.baseUrl}/steal?token=canary`;
    upstream.next(scripted.raw({ status: 302, headers: { location } }, ''));
    const told = await post(on, chat(false));
    expect(told.status).toBe(502);
    expect(told.text).toContain('redirect');
    expect(told.text).toContain(new URL(other.baseUrl).origin);
    expect(told.headers).not.toHaveProperty('location');
    expect(other.requests).toHaveLength(0);
  });

  test.each([
    ['HTML', true, 'text/html', 'an HTML body'],
    ['HTML', false, 'text/html', 'an HTML body'],
    ['JSON for a stream, which it is not', true, 'application/json', 'no JSON'],
    ['no type for a stream', true, undefined, 'a body of no stated type'],
  ])('answers 200 with %s (stream: %s): 502 that says so', async (_what, stream, type, words) => {
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    upstream.next(scripted.raw({ headers: type === undefined ? {} : { 'content-type': type } }, 'x'));
    const told = await post(on, chat(stream));
    expect(told.status).toBe(502);
    expect(told.text).toContain(words);
    expect(told.json()).toMatchObject({ error: { code: 'upstream_protocol' } });
    expect(told.text).toContain(PLACE);
  });

  test('codes its body though it was asked not to: 502', async () => {
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    upstream.next(
      scripted.raw({ headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } }, 'x'),
    );
    expect((await post(on, chat(false))).text).toContain('coded as gzip');
  });

  test('sends half a JSON reply: 502, not half an answer', async () => {
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    upstream.next(scripted.cutsAfter('{"choices":[', { headers: { 'content-type': 'application/json' } }));
    const told = await post(on, chat(false));
    expect(told.status).toBe(502);
    expect(told.json()).toMatchObject({ error: { code: 'upstream_truncated' } });
  });

  test('sends more headers than are read: 502', async () => {
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    upstream.next(scripted.raw({ headers: { x: 'y'.repeat(100_000) } }, 'x'));
    const told = await post(on, chat(false));
    expect(told.status).toBe(502);
    expect(told.json()).toMatchObject({ error: { code: 'upstream_protocol' } });
  });
});

describe('a stream that breaks after its first byte', () => {
  const events = chatEvents({ text: ['Hel', 'lo'] });

  test.each(['cut', 'end'] as const)(
    'stops half way (%s): an error event, no [DONE], a closed socket',
    async (how) => {
      await using upstream = await scripted.startUpstream();
      await using on = await startBefore(upstream.baseUrl);
      const stream = upstream.nextStream(events);
      const telling = post(on, chat(true));
      await stream.send(2);
      await stream[how]();
      const told = await telling;
      expect(told.status).toBe(200);
      expect(told.text.startsWith(events.slice(0, 2).join(''))).toBe(true);
      expect(told.whole).toBe(false);
      expect(told.text).not.toContain('[DONE]');
      const last = told.text.trim().split('\n\n').at(-1) ?? '';
      const { error } = JSON.parse(last.replace(/^data: /, ''));
      expect(error.code).toBe('upstream_truncated');
      expect(error.message).toContain(PLACE);
      expect(on.lines.at(-1)).toMatchObject({ msg: 'call settled', status: 502, code: 'upstream_truncated' });
    },
  );

  test('stops half way on responses: `error`, then `response.failed`, numbered on', async () => {
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    const passed = responsesEvents({ text: ['Hel', 'lo'] }).slice(0, 5);
    upstream.next(scripted.cutsAfter(passed.join('')));
    const told = await post(on, '{"model":"answering","input":"x","stream":true}', '/v1/responses');
    expect(told.whole).toBe(false);
    expect(told.text.startsWith(passed.join(''))).toBe(true);
    const rest = told.text.slice(passed.join('').length).trim().split('\n\n');
    expect(rest.map((event) => JSON.parse(event.replace(/^event: .*\ndata: /, '')))).toMatchObject([
      { type: 'error', sequence_number: 5, code: 'upstream_truncated' },
      { type: 'response.failed', sequence_number: 6, response: { id: 'resp_scripted', status: 'failed' } },
    ]);
    expect(told.text).not.toContain('response.completed');
  });

  test('sends a line of 2 MiB: an error event that names the limit, behind what came before', async () => {
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    const stream = upstream.nextStream(events);
    const telling = post(on, chat(true));
    await stream.send(2);
    const response = await stream.opened();
    response.write(`data: ${'x'.repeat(2 << 20)}\n\n`);
    const told = await telling;
    expect(told.whole).toBe(false);
    expect(told.text.startsWith(events.slice(0, 2).join(''))).toBe(true);
    expect(told.text).toContain('"code":"stream_buffer_exceeded"');
    expect(told.text).toContain('1048576');
    expect(told.text).toContain(PLACE);
    expect(told.text.length).toBeLessThan(2000);
  });

  test('sends nothing but a line of 2 MiB: an error event, and nothing of the line', async () => {
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    upstream.next(scripted.sendsLine(2 << 20));
    const told = await post(on, chat(true));
    expect(told).toMatchObject({ status: 200, whole: false });
    expect(told.text).toContain('"code":"stream_buffer_exceeded"');
    expect(told.text.length).toBeLessThan(2000);
  });

  test('falls silent for 120 s: an error event', async () => {
    const clock = new FakeClock();
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl, { parts: { clock } });
    const stream = upstream.nextStream(events);
    started = on;
    let status = 0;
    const onHead = (told: number) => {
      status = told;
    };
    const telling = ask(`${on.url}/v1/chat/completions`, { body: chat(true), onHead });
    await stream.send(1);
    await eventually('the head has come through', () => status === 200);
    clock.advance(120_000);
    const told = await telling;
    seen.push(told);
    expect(told.whole).toBe(false);
    expect(told.text).toContain('"code":"upstream_timeout"');
    expect(told.text).toContain(PLACE);
  });

  test('a whole reply that is cut behind the window: a destroyed socket, nothing that looks whole', async () => {
    await using upstream = await scripted.startUpstream();
    await using on = await startBefore(upstream.baseUrl);
    const stream = upstream.nextStream([], { headers: { 'content-type': 'application/json' } });
    const telling = post(on, chat(false));
    await stream.write(`{"pad":"${'x'.repeat(2 << 20)}`);
    await stream.cut();
    const told = await telling;
    expect(told.status === 502 || !told.whole).toBe(true);
  });
});

test('what an upstream says of types and streams is passed on whole when nothing fails', async () => {
  await using upstream = await scripted.startUpstream();
  await using on = await startBefore(upstream.baseUrl);
  upstream.next(
    scripted.raw({ headers: { ...EVENTS, 'x-ratelimit-remaining-tokens': '5' } }, chatEvents({}).join('')),
  );
  const told = await post(on, chat(true));
  expect(told.whole).toBe(true);
  expect(told.text).toBe(chatEvents({}).join(''));
  expect(told.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    'x-ratelimit-remaining-tokens': '5',
    'server-timing': expect.stringMatching(/^ttfb;dur=[\d.]+$/),
  });
});
