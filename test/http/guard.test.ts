import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../src/core/call.ts';
import { REQUEST_BODY_BYTES_MAX } from '../../src/core/limits.ts';
import { eventually } from '../support/eventually.ts';
import { ask } from './ask.ts';
import { startWith } from './start.ts';

/** Fails the test that reaches it. */
const unreachable: Answer = () => Promise.reject(new Error('the request was let through'));
const body = '{"model":"m","messages":[]}';
const CHAT = '/v1/chat/completions';

function error(code: string) {
  return { error: { code, message: expect.any(String), type: expect.any(String), param: null } };
}

describe('Host', () => {
  test.each([
    'evil.com',
    '127.0.0.1.evil.com',
    'localhost.evil',
    'evil.com:19701',
    'localhost@evil.com',
    '127.0.0.1, evil.com',
    '10.0.0.1',
    '[::2]',
  ])('HE1: the host %j is answered 421 and no more', async (host) => {
    await using started = await startWith(unreachable);
    for (const path of ['/health', '/v1/models', '/nothing', CHAT]) {
      const told = await ask(`${started.url}${path}`, {
        headers: { host },
        ...(path === CHAT ? { body } : {}),
      });
      expect(told.status).toBe(421);
      expect(told.json()).toEqual(error('host_refused'));
      expect(told.headers['x-should-retry']).toBe('false');
      expect(told.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    }
  });

  test.each([
    'localhost',
    'LOCALHOST:1',
    '127.0.0.1:19701',
    '[::1]',
    '[::1]:8080',
    'box.lan',
    'box.lan:5',
    'api.lan:7',
  ])('HE1: the host %j is served: a loopback name on any port, or one that is allowed', async (host) => {
    await using started = await startWith(unreachable, {
      options: { allowedHosts: ['Box.lan', 'api.lan:7'] },
    });
    expect((await ask(`${started.url}/health`, { headers: { host } })).status).toBe(200);
  });

  test('a name allowed on one port is refused on another', async () => {
    await using started = await startWith(unreachable, { options: { allowedHosts: ['api.lan:7'] } });
    expect((await ask(`${started.url}/health`, { headers: { host: 'api.lan:8' } })).status).toBe(421);
  });

  test('HE9: X-Forwarded-Host is believed from a trusted proxy alone', async () => {
    const headers = { host: 'evil.com', 'x-forwarded-host': 'localhost' };
    await using open = await startWith(unreachable);
    expect((await ask(`${open.url}/health`, { headers })).status).toBe(421);
    await using behind = await startWith(unreachable, { options: { trustedProxies: ['127.0.0.1'] } });
    expect((await ask(`${behind.url}/health`, { headers })).status).toBe(200);
    const evil = { 'x-forwarded-host': 'evil.com' };
    expect((await ask(`${behind.url}/health`, { headers: evil })).status).toBe(421);
  });

  test('HE1: a request without Host, and one for another server, are refused', async () => {
    await using started = await startWith(unreachable);
    expect(await raw(started.edge.port, 'GET /health HTTP/1.1\r\nconnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1.1 421 /,
    );
    const absolute = 'GET http://evil.com/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n';
    expect(await raw(started.edge.port, absolute)).toMatch(/^HTTP\/1.1 400 /);
  });
});

describe('Origin', () => {
  test.each([
    'https://evil.com',
    'null',
    'http://localhost:3000',
    'https://APP.example',
    'https://app.example:444',
  ])(
    'HE2: the origin %j is answered 403, without a header that would let the page read it',
    async (origin) => {
      await using started = await startWith(unreachable, {
        options: { allowedOrigins: ['https://app.example', 'null'] },
      });
      for (const method of ['GET', 'OPTIONS']) {
        const told = await ask(`${started.url}/v1/models`, { method, headers: { origin } });
        expect(told.status).toBe(403);
        expect(Object.keys(told.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      }
    },
  );

  test('HE6: an origin is found behind a hundred and twenty other headers', async () => {
    await using started = await startWith(unreachable);
    const many = Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`x-${index}`, 'x']));
    const told = await ask(`${started.url}/v1/models`, { headers: { ...many, origin: 'https://evil.com' } });
    expect(told.status).toBe(403);
  });

  test('HE2: a page of another site that sends no Origin is answered 403', async () => {
    await using started = await startWith(unreachable);
    const told = await ask(`${started.url}/health`, { headers: { 'sec-fetch-site': 'cross-site' } });
    expect(told.status).toBe(403);
  });

  test('an allowed origin may ask and read', async () => {
    await using started = await startWith(unreachable, {
      options: { allowedOrigins: ['https://app.example'] },
    });
    const headers = { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' };
    const asked = await ask(`${started.url}${CHAT}`, { method: 'OPTIONS', headers });
    expect(asked.status).toBe(204);
    expect(asked.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-headers': expect.stringContaining('authorization'),
      vary: 'Origin',
    });
    const told = await ask(`${started.url}/health`, { headers });
    expect(told.headers['access-control-allow-origin']).toBe('https://app.example');
    expect(told.headers['access-control-expose-headers']).toBe(
      'x-request-id, x-clawmatrix-route, x-clawmatrix-left-out, server-timing',
    );
    expect(told.headers).not.toHaveProperty('access-control-allow-credentials');
  });

  test('HE3: OPTIONS without an origin gets no CORS header', async () => {
    await using started = await startWith(unreachable);
    const told = await ask(`${started.url}${CHAT}`, { method: 'OPTIONS' });
    expect(Object.keys(told.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('path, method and form', () => {
  test('a path that is not there is answered 404 and told what is', async () => {
    await using started = await startWith(unreachable);
    const told = await ask(`${started.url}/v1/v1/chat/completions`, { body });
    expect(told.status).toBe(404);
    expect(told.text).toContain('/v1/chat/completions');
  });

  test.each([
    ['GET', CHAT, 'POST'],
    ['DELETE', '/responses', 'POST'],
    ['POST', '/v1/models', 'GET, HEAD'],
    ['PUT', '/health', 'GET, HEAD'],
  ])('%s %s is answered 405 and told which method it takes', async (method, path, allow) => {
    await using started = await startWith(unreachable);
    const told = await ask(`${started.url}${path}`, { method });
    expect(told.status).toBe(405);
    expect(told.headers.allow).toBe(allow);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    undefined,
  ])('HE3: a valid body as %s is answered 415: a web page could have sent it', async (type) => {
    await using started = await startWith(unreachable);
    const told = await ask(`${started.url}${CHAT}`, { body, headers: { 'content-type': type } });
    expect(told.status).toBe(415);
    expect(told.json()).toEqual(error('unsupported_media_type'));
  });

  test('a compressed body is answered 415', async () => {
    await using started = await startWith(unreachable);
    const told = await ask(`${started.url}${CHAT}`, { body, headers: { 'content-encoding': 'gzip' } });
    expect(told.status).toBe(415);
  });
});

describe('the key', () => {
  const apiKeys = ['first-key-0123456789abcdef', 'second-key-0123456789abcdef'];

  test.each([undefined, 'Bearer', 'Bearer wrong', `Bearer ${apiKeys[0]}x`, `Basic ${apiKeys[0]}`, 'Bearer '])(
    '%j is answered 401, before the body, and the answer holds no key',
    async (authorization) => {
      await using started = await startWith(unreachable, { options: { apiKeys } });
      const asking = [CHAT, '/v1/models', '/status'].map((path) =>
        ask(`${started.url}${path}`, { headers: { authorization }, ...(path === CHAT ? { body } : {}) }),
      );
      for (const told of await Promise.all(asking)) {
        expect(told.status).toBe(401);
        expect(told.text).not.toContain('0123456789');
        expect(told.json()).toMatchObject({ error: { type: 'authentication_error' } });
      }
      expect(JSON.stringify(started.lines)).not.toContain('0123456789');
    },
  );

  test('each of the configured keys is let in, and health needs none', async () => {
    await using started = await startWith(unreachable, { options: { apiKeys } });
    for (const key of apiKeys) {
      const told = await ask(`${started.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
      expect(told.status).toBe(200);
    }
    expect((await ask(`${started.url}/health`)).json()).toEqual({ status: 'ok' });
  });
});

describe('size', () => {
  test('HE7: a body declared too large is answered 413 before it is sent', async () => {
    await using started = await startWith(unreachable);
    const length = REQUEST_BODY_BYTES_MAX + 1;
    const head = `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
    const answer = await raw(started.edge.port, head);
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer).toContain('"code":"body_too_large"');
    expect(started.budget.usedBytes).toBe(0);
  });

  test('HE6: headers beyond the limit are answered 431, what is no HTTP and a length beside chunks 400', async () => {
    await using started = await startWith(unreachable);
    const large = `GET /health HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`;
    expect(await raw(started.edge.port, large)).toMatch(/^HTTP\/1.1 431 /);
    expect(await raw(started.edge.port, 'hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    const both = `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n`;
    expect(await raw(started.edge.port, both)).toMatch(/^HTTP\/1.1 400 /);
  });
});

/** Sends bytes as they are and reads until the other side closes. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  let closed = false;
  socket.on('data', (chunk) => {
    answer += chunk.toString();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  socket.write(bytes);
  await eventually('the server closes', () => closed);
  return answer;
}
