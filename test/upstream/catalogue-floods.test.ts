/** The fault catalogue, group Upstream: bodies and heads without measure, and bytes that are no text. */
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { SSE_EVENT_BYTES_MAX, UPSTREAM_HEADER_BYTES_MAX } from '../../src/core/limits.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { chatEvents } from '../support/openai-bodies.ts';
import * as scripted from '../support/scripted-upstream.ts';
import { call, failed, live, readBroken, streamCall, thrown, upstreams, where } from './one-upstream.ts';
import { httpText, rawUpstream } from './raw-upstream.ts';

/** What the system's own buffers may hold of what was sent and never read. */
const SYSTEM_BYTES = 16 << 20;
const EVENTS = { 'content-type': 'text/event-stream' };

/** Sends the piece again and again, as fast as it is taken, until the other side has gone. */
function flood(socket: Socket, piece: string | Buffer): void {
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more);
  more();
}

async function bytes(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('UP4: without measure', () => {
  const endless = 'x'.repeat(64 * 1024);

  test.each([
    ['headers', 'HTTP/1.1 200 OK\r\n', `x-more: ${'y'.repeat(1_000)}\r\n`],
    ['one header', 'HTTP/1.1 200 OK\r\nx-more: ', endless],
  ])('UP4: %s without end are refused at their limit', async (_what, start, piece) => {
    await using upstream = await rawUpstream((socket) => {
      socket.write(start);
      flood(socket, piece);
    });
    await using ours = upstreams(upstream.baseUrl);
    const error = await thrown(ours.answer(streamCall(), live()));
    expect(error).toMatchObject({ code: 'upstream_protocol', status: 502 });
    expect(error.message).toContain(where);
    const [socket] = upstream.connections;
    await eventually('it is left', () => socket?.destroyed);
    expect(socket?.bytesWritten).toBeLessThan(SYSTEM_BYTES + UPSTREAM_HEADER_BYTES_MAX);
  });

  test('UP4: a status line without end is no sign of life: it ends at the guard, and nothing of it is kept', async () => {
    await using upstream = await rawUpstream((socket) => {
      socket.write('HTTP/1.1 200 ');
      flood(socket, endless);
    });
    const clock = new FakeClock();
    await using ours = upstreams(upstream.baseUrl, { clock });
    const failed = thrown(ours.answer(streamCall(), live()));
    const socket = await eventually('it is sent', () => upstream.connections[0]);
    const rssBefore = process.memoryUsage().rss;
    await eventually('much of it was read', () => socket.bytesWritten > 32 << 20);
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(64 << 20);
    clock.advance(120_000);
    expect(await failed).toMatchObject({ code: 'upstream_timeout', status: 504 });
    await eventually('it is left', () => socket.destroyed);
  });

  test.each([
    ['a stream', streamCall],
    ['a plain call', call],
  ] as const)('UP4: a line without end, for %s, is cut at the limit of an event', async (_form, made) => {
    await using upstream = await rawUpstream((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: ');
      flood(socket, endless);
    });
    await using ours = upstreams(upstream.baseUrl);
    const rssBefore = process.memoryUsage().rss;
    const error = await failed(ours.answer(made(), live()));
    expect(error).toMatchObject({ code: 'stream_buffer_exceeded', status: 502 });
    expect(error.message).toContain(String(SSE_EVENT_BYTES_MAX));
    expect(error.message).toContain(where);
    const [socket] = upstream.connections;
    await eventually('it is left', () => socket?.destroyed);
    expect(socket?.bytesWritten).toBeLessThan(SYSTEM_BYTES + SSE_EVENT_BYTES_MAX);
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(64 << 20);
  });

  test.each([
    ['white space that announces nothing', ' \n'.repeat(32 * 1024), /a body of type text\/plain/],
    ['a text that announces nothing', endless, /a body of type text\/plain/],
  ])('UP4: %s is read no further than its first bytes', async (_what, piece, words) => {
    await using upstream = await rawUpstream((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n');
      flood(socket, piece);
    });
    await using ours = upstreams(upstream.baseUrl);
    const error = await thrown(ours.answer(streamCall(), live()));
    expect(error).toMatchObject({ code: 'upstream_protocol', message: expect.stringMatching(words) });
    const [socket] = upstream.connections;
    await eventually('it is left', () => socket?.destroyed);
    expect(socket?.bytesWritten).toBeLessThan(SYSTEM_BYTES);
  });

  test.each(['gzip', 'br', 'deflate', 'zstd', 'gzip, gzip'])(
    'UP4: a body coded as %s was not asked for: it is refused unread, whatever it would grow to',
    async (coding) => {
      const bomb = gzipSync(Buffer.alloc(32 << 20, 'data: x\n\n'));
      await using upstream = await scripted.startUpstream();
      await using ours = upstreams(upstream.baseUrl);
      for (const sent of [call(), streamCall()]) {
        upstream.next(scripted.raw({ headers: { ...EVENTS, 'content-encoding': coding } }, bomb));
        const error = await thrown(ours.answer(sent, live()));
        expect(error).toMatchObject({ code: 'upstream_protocol', status: 502 });
        expect(error.message).toContain(`coded as ${coding}, which was not asked for`);
      }
      expect((await upstream.request(0)).headers['accept-encoding']).toBe('identity');
    },
  );
});

describe('UP4: no text', () => {
  const wrong = Buffer.from([0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x00]);

  test('UP4: bytes that are no UTF-8 pass in a stream as they came', async () => {
    const [start = '', ...rest] = chatEvents({ text: ['a'] });
    const odd = Buffer.concat([Buffer.from('data: {"choices":[],"x":"'), wrong, Buffer.from('"}\n\n')]);
    const sent = Buffer.concat([Buffer.from(start), odd, Buffer.from(rest.join(''))]);
    await using upstream = await scripted.startUpstream();
    await using ours = upstreams(upstream.baseUrl);
    upstream.next(scripted.raw({ headers: EVENTS }, sent));
    const reply = await ours.answer(streamCall(), live());
    expect((await bytes(reply.body)).equals(sent)).toBe(true);
    expect(await reply.ended).toMatchObject({ kind: 'complete', finish: 'stop' });
  });

  test.each([
    ['of rubbish alone', wrong],
    ['of rubbish in the place of a line', Buffer.concat([Buffer.from('data: '), wrong, Buffer.from('\n\n')])],
  ])('UP4: a stream %s is an error, never an answer', async (_what, sent) => {
    await using upstream = await scripted.startUpstream();
    await using ours = upstreams(upstream.baseUrl);
    upstream.next(scripted.raw({ headers: EVENTS }, sent));
    const told = await ours.answer(streamCall(), live()).then(readBroken, (error: unknown) => ({ error }));
    expect(told.error).toMatchObject({ code: 'upstream_truncated', status: 502 });
  });
});

describe('UP4: a length that is not kept', () => {
  const body = '{"choices":[]}';
  const length = (bytes: number) => ({ 'content-length': String(bytes) });

  test.each([
    ['plain', call],
    ['stream', streamCall],
  ] as const)('UP4: that is longer than what comes: %s call broken', async (_form, made) => {
    await using upstream = await rawUpstream((socket) => {
      socket.end(httpText(body, length(body.length + 5)));
    });
    await using ours = upstreams(upstream.baseUrl);
    const error = await thrown(ours.answer(made(), live()));
    expect(error).toMatchObject({ code: 'upstream_truncated', status: 502 });
  });

  test('UP4: that is shorter than what comes: the rest is no part of this answer, nor of the next', async () => {
    await using upstream = await rawUpstream((socket) => {
      socket.write(`${httpText(body)}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecond`);
    });
    await using ours = upstreams(upstream.baseUrl);
    for (let round = 0; round < 5; round++) {
      const reply = await ours.answer(call(), live());
      expect((await bytes(reply.body)).toString()).toBe(body);
    }
  });

  test.each(['-1', '1e3', '99999999999999999999', '5, 6'])('UP4: of %s: refused', async (text) => {
    await using upstream = await rawUpstream((socket) => {
      socket.end(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text}\r\n\r\n${body}`,
      );
    });
    await using ours = upstreams(upstream.baseUrl);
    expect(await thrown(ours.answer(call(), live()))).toMatchObject({
      code: 'upstream_protocol',
      status: 502,
    });
  });
});
