/** Group HTTP edge of the fault catalogue, what the guard's and the calls' own tests do not name. Two limits are made small. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Answer } from '../../src/core/call.ts';
import { HTTP_CHECK_MS, HTTP_CONNECTIONS_MAX, HTTP_HEADERS_MS } from '../../src/core/limits.ts';
import { ByteQueue } from '../../src/lib/byte-queue.ts';
import { eventually } from '../support/eventually.ts';
import { knockWithPass, MeshDoor } from '../support/mesh-door.ts';
import { RawClient, upgradeRequest } from '../support/raw-client.ts';
import { ask } from './ask.ts';
import { type Started, startWith } from './start.ts';

vi.mock('../../src/core/limits.ts', async (original) => {
  // Node's own HTTP server counts with the real clock: 10 s would be waited for.
  return { ...(await original<object>()), HTTP_HEADERS_MS: 300, HTTP_CHECK_MS: 50, HTTP_CONNECTIONS_MAX: 64 };
});

const CHAT = '/v1/chat/completions';
const BODY = '{"model":"m","messages":[]}';
const NOT_FOUND = 'HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

let asked = 0;
let on: Started;
let clients: RawClient[];

const answer: Answer = () => {
  asked++;
  const body = new ByteQueue({ onTaken: () => {}, onLeft: () => {} });
  body.push(Buffer.from('{"ok":true}'));
  body.end();
  const ended = Promise.resolve({ kind: 'complete', bytes: 11 } as const);
  return Promise.resolve({ status: 200, headers: { 'content-type': 'application/json' }, body, ended });
};

beforeEach(async () => {
  asked = 0;
  clients = [];
  on = await startWith(answer);
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  await on[Symbol.asyncDispose]();
});

function say(text: string): RawClient {
  const client = new RawClient(on.edge.port);
  clients.push(client);
  if (text !== '') client.write(text);
  return client;
}

async function answered(text: string): Promise<string> {
  const client = say(text);
  await eventually('the server closes', () => client.ended);
  return client.text;
}

const post = (headers: Readonly<Record<string, string>>, body: string) =>
  [
    `POST ${CHAT} HTTP/1.1`,
    ...Object.entries({ host: 'localhost', 'content-type': 'application/json', ...headers }).map(
      ([name, value]) => `${name}: ${value}`,
    ),
    '',
    body,
  ].join('\r\n');

/** What a browser adds to whatever a page of another site asks for. */
const PAGE = {
  origin: 'https://evil.example',
  'sec-fetch-site': 'cross-site',
  'sec-fetch-mode': 'no-cors',
  'user-agent': 'Mozilla/5.0',
};

test.each<[string, string, Readonly<Record<string, string>>, string | undefined]>([
  ['fetch of JSON', CHAT, { ...PAGE, 'content-type': 'application/json' }, BODY],
  ['fetch without CORS', CHAT, { ...PAGE, 'content-type': 'text/plain;charset=UTF-8' }, BODY],
  ['form', CHAT, { ...PAGE, 'content-type': 'application/x-www-form-urlencoded' }, `${BODY}=`],
  ['form of a sandboxed frame', CHAT, { ...PAGE, origin: 'null', 'content-type': 'text/plain' }, BODY],
  // Its Origin is left out where the request reads only; then the browser's own word stands.
  ['image', '/v1/models', { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' }, undefined],
  ['EventSource', '/v1/models', { ...PAGE, accept: 'text/event-stream' }, undefined],
  [
    'name that points here',
    '/v1/models',
    { host: 'evil.example:19701', 'sec-fetch-site': 'same-origin' },
    undefined,
  ],
  [
    'call by a name that points here',
    CHAT,
    { host: 'evil.example', 'content-type': 'application/json' },
    BODY,
  ],
])(
  'HE4: a page’s %s does not reach routing, and the page cannot read why',
  async (_what, path, headers, body) => {
    const told = await ask(`${on.url}${path}`, { headers, ...(body === undefined ? {} : { body }) });
    expect([403, 421]).toContain(told.status);
    expect(Object.keys(told.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(told.text).not.toContain('"object"');
    expect(asked).toBe(0);
  },
);

test('HE4: a page’s WebSocket gets none, neither at the proxy nor at the mesh port', async () => {
  const client = say(upgradeRequest({ host: `127.0.0.1:${on.edge.port}`, ...PAGE }, { path: CHAT }));
  await eventually('it is answered', () => client.text.startsWith('HTTP/1.1 '));
  expect(client.text).toMatch(/^HTTP\/1.1 403 /);
  await using door = await MeshDoor.open();
  const knocked = door.knock(knockWithPass(PAGE));
  await eventually('the connection has ended', () => knocked.ended);
  expect(knocked.text).toBe(NOT_FOUND);
});

test('HE6: headers that do not come are answered 408 when their time is up, drip or not', async () => {
  const startedAt = performance.now();
  const [silent, half] = [say(''), say(`POST ${CHAT} HTTP/1.1\r\nhost: localh`)];
  await eventually('both are closed', () => {
    if (!half.ended) half.write('o');
    return silent.ended && half.ended;
  });
  expect(performance.now() - startedAt).toBeGreaterThan(HTTP_HEADERS_MS - 2 * HTTP_CHECK_MS);
  expect(half.text).toMatch(/^HTTP\/1.1 408 /);
  expect(half.text).toContain('request_timeout');
  expect((await ask(`${on.url}/health`)).status).toBe(200);
});

test.each([
  ['a bad chunk', post({ 'transfer-encoding': 'chunked' }, 'zz\r\nhello\r\n')],
  [
    'a chunk that is longer than it says',
    post({ 'transfer-encoding': 'chunked' }, '2\r\nhello\r\n0\r\n\r\n'),
  ],
  ['two lengths', post({ 'content-length': '27', 'Content-Length': '28' }, BODY)],
  ['a length that is none', post({ 'content-length': '-1' }, BODY)],
  ['a length beside chunks', post({ 'content-length': '5', 'transfer-encoding': 'chunked' }, '')],
  ['a coding that hides chunks', post({ 'transfer-encoding': 'chunked, identity' }, '0\r\n\r\n')],
  ['a space before the colon', `GET /health HTTP/1.1\r\nhost : localhost\r\n\r\n`],
  ['a header that is folded', `GET /health HTTP/1.1\r\nhost: localhost\r\nx: a\r\n b\r\n\r\n`],
  ['a bare line feed', `GET /health HTTP/1.1\nhost: localhost\n\n`],
])('HE6: %s is answered 400 and the connection closed', async (_what, text) => {
  expect(await answered(text)).toMatch(/^HTTP\/1.1 400 /);
  expect(asked).toBe(0);
});

test('HE6: requests that come behind each other are answered in their order, one at a time', async () => {
  const length = String(BODY.length);
  const bad = 'GET /v1/models HTTP/1.1\r\nhost: evil.com\r\nconnection: close\r\n\r\n';
  const text = await answered(
    post({ 'content-length': length }, BODY) + 'GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n' + bad,
  );
  expect([...text.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status)).toEqual(['200', '200', '421']);
  expect(text.indexOf('"ok":true')).toBeLessThan(text.indexOf('"status":"ok"'));
  expect(asked).toBe(1);
});

test('HE7: bytes beyond the length that was said close the connection, and are no second request', async () => {
  const text = await answered(post({ 'content-length': String(BODY.length) }, `${BODY}GARBAGE\r\n\r\n`));
  expect([...text.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status)).toEqual(['400']);
  expect(asked).toBeLessThanOrEqual(1);
});

test('HE7: a body shorter than it said is never asked for, and gives its room back', async () => {
  const client = say(post({ 'content-length': String(BODY.length + 1) }, BODY));
  await eventually('the body is waited for', () => on.budget.usedBytes > 0);
  client.destroy();
  await eventually('nothing is held', () => on.budget.usedBytes === 0);
  expect(asked).toBe(0);
});

test('HE8: connections over the cap are cut, those below it are served, and idle ones make room', async () => {
  const idle = Array.from({ length: HTTP_CONNECTIONS_MAX + 88 }, () => say(''));
  await eventually('those over the cap are cut', () => idle.filter(({ ended }) => ended).length >= 88);
  const kept = idle.filter(({ ended }) => !ended);
  expect(kept.length).toBeLessThanOrEqual(HTTP_CONNECTIONS_MAX);
  const [one] = kept;
  one?.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await eventually('one of them is served', () => one?.text.startsWith('HTTP/1.1 200 '));
  await eventually('idle ones are closed', () => kept.filter(({ ended }) => ended).length >= kept.length - 1);
  expect((await ask(`${on.url}/health`)).status).toBe(200);
});

test('HE8: five hundred connections of one request each leave nothing behind', async () => {
  for (let round = 0; round < 20; round++) {
    const told = await Promise.all(Array.from({ length: 25 }, () => ask(`${on.url}/health`)));
    expect(told.filter(({ status }) => status !== 200)).toEqual([]);
  }
  expect(process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length).toBeLessThan(60);
});

test('HE9: X-Forwarded-Host of a stranger does not open the door, and does not close it either', async () => {
  const evil = { host: 'evil.com', 'x-forwarded-host': 'localhost', 'x-forwarded-for': '127.0.0.1' };
  expect((await ask(`${on.url}/health`, { headers: evil })).status).toBe(421);
  const odd = { 'x-forwarded-host': 'evil.com', forwarded: 'for=1.2.3.4;host=evil.com' };
  expect((await ask(`${on.url}/health`, { headers: odd })).status).toBe(200);
});
