/** What only a real socket can get wrong: HTTP around the upgrade, hostile frames, a reader that stops. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Listener, listenSockets } from '../../src/lib/socket.ts';
import { eventually } from '../support/eventually.ts';
import { OPCODE, RawClient, upgradeRequest, webSocketFrame } from '../support/raw-client.ts';
import { RecordedSocket } from '../support/recorded-socket.ts';

const PENDING_MAX = 32;
const CAPS = { messageBytesMax: 64 * 1024, fragmentsMax: 16, chunksMax: 1_024, closeMs: 200 };
const GOOD = { 'sec-websocket-protocol': 'test.v1', 'x-pass': 'friend' };
const NOT_FOUND = 'HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

let listener: Listener;
let accepted: RecordedSocket[];
let clients: RawClient[];

beforeEach(async () => {
  accepted = [];
  clients = [];
  listener = await listenSockets({
    ...CAPS,
    host: '127.0.0.1',
    port: 0,
    subprotocol: 'test.v1',
    openMs: 300,
    pendingMax: PENDING_MAX,
    admit: ({ 'x-pass': pass }) => (pass === 'friend' ? pass : undefined),
    onSocket: (socket) => accepted.push(new RecordedSocket(socket)),
  });
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  for (const { socket } of accepted) socket.destroy();
  await listener.close();
});

function client(): RawClient {
  const made = new RawClient(listener.port);
  clients.push(made);
  return made;
}

async function upgraded(headers: Record<string, string> = {}) {
  const raw = client();
  raw.write(upgradeRequest({ ...GOOD, ...headers }));
  await raw.upgraded();
  const socket = await eventually('the socket is handed over', () => accepted.at(-1));
  return { raw, socket };
}

test.each([
  ['no pass', upgradeRequest({ ...GOOD, 'x-pass': undefined })],
  ['a wrong pass', upgradeRequest({ ...GOOD, 'x-pass': 'stranger' })],
  ['an Origin', upgradeRequest({ ...GOOD, origin: 'http://mesh.test' })],
  ['no subprotocol', upgradeRequest({ ...GOOD, 'sec-websocket-protocol': undefined })],
  ['another subprotocol', upgradeRequest({ ...GOOD, 'sec-websocket-protocol': 'test.v2' })],
  ['two subprotocols', upgradeRequest({ ...GOOD, 'sec-websocket-protocol': 'test.v1, test.v2' })],
  ['another version', upgradeRequest({ ...GOOD, 'sec-websocket-version': '8' })],
  ['no key', upgradeRequest({ ...GOOD, 'sec-websocket-key': undefined })],
  ['a short key', upgradeRequest({ ...GOOD, 'sec-websocket-key': 'c2hvcnQ=' })],
  ['another method', upgradeRequest(GOOD, { method: 'POST' })],
  ['another upgrade', upgradeRequest({ ...GOOD, upgrade: 'h2c' })],
  ['no host', 'GET / HTTP/1.1\r\n\r\n'],
  ['no upgrade', 'GET / HTTP/1.1\r\nhost: mesh.test\r\n\r\n'],
  ['a path of some API', 'GET /v1/models HTTP/1.1\r\nhost: mesh.test\r\n\r\n'],
  ['a body', 'POST / HTTP/1.1\r\nhost: mesh.test\r\ncontent-length: 2\r\n\r\n{}'],
  ['a body that waits', 'POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n'],
  ['an odd expectation', 'POST / HTTP/1.1\r\nhost: a\r\nexpect: tea\r\ncontent-length: 2\r\n\r\n'],
  ['a tunnel', 'CONNECT mesh.test:443 HTTP/1.1\r\nhost: mesh.test:443\r\n\r\n'],
  ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ['too large headers', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(5_000)}\r\n\r\n`],
])('a request with %s gets the one plain 404, byte for byte', async (_what, request) => {
  const raw = client();
  raw.write(request);
  await eventually('the connection has ended', () => raw.ended);
  expect(raw.text).toBe(NOT_FOUND);
  expect(accepted).toEqual([]);
});

test.each([
  ['nothing', ''],
  ['half a request', 'GET / HTTP/1.1\r\nhost'],
])('HS3: a connection that says %s ends when its time is up', async (_what, text) => {
  const raw = client();
  if (text !== '') raw.write(text);
  await eventually('the connection has ended', () => raw.ended);
  expect(raw.text).toBe(NOT_FOUND);
});

test('HS3: of connections that have not asked yet, one over the cap is cut, and one that left makes room', async () => {
  const waiting = Array.from({ length: PENDING_MAX }, () => client());
  for (const raw of waiting) raw.write('GET / ');
  const over = client();
  over.write(upgradeRequest(GOOD));
  await eventually('the one over the cap is cut', () => over.ended);
  expect(over.text).toBe('');
  expect(waiting.filter(({ ended }) => ended)).toEqual([]);
  waiting[0]?.destroy();
  await eventually('there is room again', async () => {
    const next = client();
    next.write(upgradeRequest(GOOD));
    return eventually('answered or cut', () => next.text.startsWith('HTTP/1.1 101 ') || next.ended).then(
      () => !next.ended,
    );
  });
});

test('a connection that was let in does not count as waiting', async () => {
  for (let index = 0; index < PENDING_MAX + 1; index++) await upgraded();
  expect(accepted).toHaveLength(PENDING_MAX + 1);
});

test('FR3: compression is not negotiated, and a compressed message closes 1002', async () => {
  const { raw, socket } = await upgraded({ 'sec-websocket-extensions': 'permessage-deflate' });
  expect(raw.text.toLowerCase()).not.toContain('sec-websocket-extensions');
  raw.write(webSocketFrame(OPCODE.binary, Buffer.from('7801', 'hex'), { reserved: 4 }));
  await eventually('the close frame is there', () => raw.closeCode === 1002);
  expect(socket.messages).toEqual([]);
});

test('a text message closes 1003', async () => {
  const { raw, socket } = await upgraded();
  raw.write(webSocketFrame(OPCODE.text, Buffer.from('hello')));
  await eventually('the close frame is there', () => raw.closeCode === 1003);
  expect(socket.messages).toEqual([]);
});

test.each([48n, 63n])(
  'FR1: a header that claims 2^%i bytes is refused with 1009, and nothing waits for them',
  async (bits) => {
    const { raw, socket } = await upgraded();
    const before = process.memoryUsage.rss();
    const sentAt = performance.now();
    raw.write(webSocketFrame(OPCODE.binary, Buffer.alloc(0), { claimedBytes: 2n ** bits }));
    await eventually('the close frame is there', () => raw.closeCode === 1009);
    // 50 ms, and what a busy machine adds.
    expect(performance.now() - sentAt).toBeLessThan(500);
    expect(process.memoryUsage.rss() - before).toBeLessThan(32 << 20);
    expect(socket.messages).toEqual([]);
  },
);

test.each([
  ['that is not masked', webSocketFrame(OPCODE.binary, Buffer.from('x'), { masked: false }), 1002],
  ['of a reserved kind', webSocketFrame(3, Buffer.from('x')), 1002],
  ['that goes on where nothing began', webSocketFrame(OPCODE.continuation, Buffer.from('x')), 1002],
  ['in pieces over the cap', Buffer.concat(pieces(2, 40 * 1024)), 1009],
])('FR2: a message %s is refused with %i', async (_what, bytes, code) => {
  const { raw, socket } = await upgraded();
  raw.write(bytes);
  await eventually('the close frame is there', () => raw.closeCode === code);
  expect(socket.messages).toEqual([]);
});

function pieces(count: number, bytesEach: number): Buffer[] {
  return Array.from({ length: count }, (_, index) =>
    webSocketFrame(index === 0 ? OPCODE.binary : OPCODE.continuation, Buffer.alloc(bytesEach, index), {
      final: index === count - 1,
    }),
  );
}

test('FR2: a message of 16 fragments is whole, one of 17 is refused', async () => {
  const { raw, socket } = await upgraded();
  raw.write(Buffer.concat(pieces(16, 1)));
  await eventually('the message is there', () => socket.messages.length === 1);
  expect(socket.messages[0]).toHaveLength(16);
  raw.write(Buffer.concat(pieces(17, 1)));
  await eventually('the close frame is there', () => raw.closeCode === 1008);
  expect(socket.messages).toHaveLength(1);
});

test('FR2: fragments of no bytes are counted too: a thousand of them are no way to go on for ever', async () => {
  const { raw, socket } = await upgraded();
  raw.write(Buffer.concat(pieces(1_000, 0)));
  await eventually('the close frame is there', () => raw.closeCode === 1008);
  expect(socket.messages).toEqual([]);
});

test('FR2: the bits of an extension that nobody agreed on are refused with 1002', async () => {
  for (const reserved of [1, 2, 4]) {
    const { raw } = await upgraded();
    raw.write(webSocketFrame(OPCODE.binary, Buffer.from('x'), { reserved }));
    await eventually('the close frame is there', () => raw.closeCode === 1002);
  }
});

test('a peer that does not answer a close is cut in time', async () => {
  const { raw, socket } = await upgraded();
  socket.socket.close(4001, '');
  await eventually('the connection has ended', () => raw.ended);
  expect(raw.closeCode).toBe(4001);
  expect(socket.closed).toHaveLength(1);
});

test('what a reader that stops does not take stays unsent, and leaves when it reads again', async () => {
  const { raw, socket } = await upgraded();
  raw.pause();
  const message = Buffer.alloc(60 * 1024, 7);
  let sent = 0;
  await eventually('the system takes no more', () => {
    for (let index = 0; index < 32; index++, sent++) socket.socket.send(message);
    return socket.socket.unsentBytes > 4 * message.length;
  });
  const before = socket.drained;
  raw.resume();
  await eventually('all has left', () => socket.socket.unsentBytes === 0);
  expect(socket.drained).toBeGreaterThan(before);
  await eventually('all is there', () => raw.received.length > sent * message.length);
});

test('a connection that is cut while much is unsent reports nothing after its end', async () => {
  const { raw, socket } = await upgraded();
  raw.pause();
  for (let index = 0; index < 500; index++) socket.socket.send(Buffer.alloc(60 * 1024));
  socket.socket.destroy();
  await eventually('the end is told', () => socket.closed.length === 1);
  const after = socket.drained;
  await eventually('the connection has ended', () => raw.resume() ?? raw.ended);
  expect([socket.drained, socket.late]).toEqual([after, 0]);
});

test('a port that is taken is an error of listen, not of the process', async () => {
  const again = listenSockets({
    ...CAPS,
    host: '127.0.0.1',
    port: listener.port,
    subprotocol: 'test.v1',
    openMs: 300,
    pendingMax: 1,
    admit: () => 'in',
    onSocket: () => {},
  });
  await expect(again).rejects.toThrow('EADDRINUSE');
});
