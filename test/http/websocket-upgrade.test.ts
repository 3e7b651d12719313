/** Who gets a WebSocket, who is told why not, and requests that only offer to speak something else. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CLIENT_SOCKETS_MAX, KEY_REFUSAL_MS } from '../../src/core/limits.ts';
import { eventually } from '../support/eventually.ts';
import { RawClient } from '../support/raw-client.ts';
import { ResponsesSocket } from '../support/responses-socket.ts';
import { type ScriptedCall, ScriptedOwner } from '../support/scripted-answer.ts';
import { type Started, startWith, type StartOptions } from './start.ts';

const KEY = 'sk-proxy-0123456789abcdefghij';

let owner: ScriptedOwner;
let on: Started;
let clients: RawClient[];

beforeEach(() => {
  owner = new ScriptedOwner();
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  await on[Symbol.asyncDispose]();
});

async function start(options: StartOptions = {}): Promise<void> {
  on = await startWith(owner.answer, options);
}

interface Offer {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
}

const UPGRADE = {
  host: 'localhost',
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
};

function knock({ method = 'GET', path = '/v1/responses', headers = {}, body = '' }: Offer = {}): RawClient {
  const client = new RawClient(on.edge.port);
  clients.push(client);
  const lines = Object.entries({ ...UPGRADE, ...headers }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  client.write(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
  return client;
}

/** The status, headers and JSON of a plain answer. */
async function told(client: RawClient): Promise<{ status: number; head: string; error: unknown }> {
  const text = await eventually('the answer is there', () =>
    /\r\n\r\n\{.*\}$/s.test(client.text) ? client.text : undefined,
  );
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const { error } = JSON.parse(body);
  return { status: Number(head.slice('HTTP/1.1 '.length, 12)), head, error };
}

function asked(index = 0): Promise<ScriptedCall> {
  return eventually('the call is asked', () => owner.calls[index]);
}

describe('a request for a WebSocket', () => {
  test.each(['/v1/responses', '/responses', '/v1/responses?x=1'])('at %s gets one', async (path) => {
    await start();
    const client = knock({ path });
    await eventually('it is upgraded', () => client.text.includes('101 Switching Protocols'));
    expect(client.text).not.toMatch(/sec-websocket-extensions|sec-websocket-protocol/i);
  });

  const refused: readonly (readonly [string, Offer, number, string])[] = [
    ['of a name that is not ours', { headers: { host: 'evil.test' } }, 421, 'host_refused'],
    ['of a web page', { headers: { origin: 'https://evil.test' } }, 403, 'origin_refused'],
    ['of another site', { headers: { 'sec-fetch-site': 'cross-site' } }, 403, 'origin_refused'],
    ['at another path', { path: '/v1/nothing' }, 404, 'not_found'],
    ['at a path of chat', { path: '/v1/chat/completions' }, 405, 'method_not_allowed'],
    ['by another method', { method: 'PUT' }, 405, 'method_not_allowed'],
    ['of another version', { headers: { 'sec-websocket-version': '8' } }, 426, 'bad_request'],
    ['without a key of its own', { headers: { 'sec-websocket-key': 'short' } }, 400, 'bad_request'],
    ['with a body', { headers: { 'content-length': '2' }, body: '{}' }, 400, 'bad_request'],
  ];
  test.each(refused)('%s is refused in plain HTTP', async (_whose, offer, status, code) => {
    await start();
    const client = knock(offer);
    expect(await told(client)).toMatchObject({ status, error: { code } });
    expect(client.text).toMatch(/x-request-id: [0-9a-f]{32}/);
  });

  test('of an allowed web page gets one', async () => {
    await start({ options: { allowedOrigins: ['https://mine.test'] } });
    const client = knock({ headers: { origin: 'https://mine.test' } });
    await eventually('it is upgraded', () => client.text.includes('101 Switching Protocols'));
  });

  test('of another version is told which one is spoken', async () => {
    await start();
    expect((await told(knock({ headers: { 'sec-websocket-version': '8' } }))).head).toMatch(
      /sec-websocket-version: 13/,
    );
  });

  test('without the key is refused, with a wrong one late, with the right one taken', async () => {
    await start({ options: { apiKeys: [KEY] } });
    expect(await told(knock())).toMatchObject({ status: 401, error: { code: 'unauthorized' } });
    const since = performance.now();
    const wrong = knock({ headers: { authorization: 'Bearer sk-wrong' } });
    expect(await told(wrong)).toMatchObject({ status: 401 });
    expect(performance.now() - since).toBeGreaterThan(KEY_REFUSAL_MS - 20);
    const right = knock({ headers: { authorization: `Bearer ${KEY}` } });
    await eventually('it is upgraded', () => right.text.includes('101 Switching Protocols'));
  });

  test('over the limit is told to come back', async () => {
    await start();
    const sockets = await Promise.all(
      Array.from({ length: CLIENT_SOCKETS_MAX }, () => ResponsesSocket.open(`${on.url}/v1/responses`)),
    );
    expect(await told(knock())).toMatchObject({ status: 503, error: { code: 'busy' } });
    await sockets[0]?.close();
    await eventually('one is free', async () => {
      const client = knock();
      await eventually('an answer', () => client.text.includes('HTTP/1.1'));
      return client.text.includes('101 Switching Protocols');
    });
    for (const socket of sockets) socket.socket.terminate();
  });
});

describe('an offer that is not taken up changes nothing', () => {
  const BODY = '{"model":"m","stream":true}';
  const post = (headers: Record<string, string | undefined>) =>
    knock({
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': String(BODY.length),
        'sec-websocket-version': undefined,
        'sec-websocket-key': undefined,
        ...headers,
      },
      body: BODY,
    });

  test.each([
    [
      'HTTP/2, as Java offers it',
      { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABk' },
    ],
    ['a WebSocket, where one posts', {}],
  ])('%s: the request is served, and the next one on its connection', async (_what, headers) => {
    await start();
    const client = post(headers);
    const first = await asked();
    expect(Buffer.from(first.call.body).toString()).toBe(BODY);
    first.start(200, { 'content-type': 'text/event-stream' }).push('data: {"a":1}\n\n').end();
    await eventually('the answer is whole', () => client.text.endsWith('0\r\n\r\n'));
    client.write(`GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await eventually('the next is answered', () => client.text.includes('{"status":"ok"}'));
    expect(client.ended).toBe(false);
  });

  test('whatever else the request says is read: a host that is not ours is refused', async () => {
    await start();
    const client = post({ host: 'evil.test', upgrade: 'h2c' });
    expect(await told(client)).toMatchObject({ status: 421 });
  });

  test('a body that comes later, in pieces, is read', async () => {
    await start();
    const client = new RawClient(on.edge.port);
    clients.push(client);
    const head = 'host: localhost\r\nconnection: Upgrade\r\nupgrade: h2c\r\ncontent-type: application/json';
    client.write(`POST /v1/responses HTTP/1.1\r\n${head}\r\ncontent-length: ${BODY.length}\r\n\r\n`);
    await eventually('the head is there', () => on.edge.port > 0);
    client.write(BODY.slice(0, 5));
    client.write(BODY.slice(5));
    expect(Buffer.from((await asked()).call.body).toString()).toBe(BODY);
  });
});
