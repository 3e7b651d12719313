/** Servers that close the connections they kept, as local ones do after some seconds: no call fails for it. */
import { expect, test } from 'vitest';
import { UPSTREAM_STALE_MS } from '../../src/core/limits.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { chatBody } from '../support/openai-bodies.ts';
import { call, live, read, readBroken, streamCall, thrown, upstreams, where } from './one-upstream.ts';
import { httpText, rawUpstream } from './raw-upstream.ts';

const BODY = JSON.stringify(chatBody({ text: ['hello'] }));

/** One call that is answered, and the turns that its connection takes to be free for the next. */
async function keepOne(ours: ReturnType<typeof upstreams>): Promise<void> {
  await read(await ours.answer(call(), live()));
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test('a server that closes its idle connections between calls makes no call fail', async () => {
  await using upstream = await rawUpstream((socket) => {
    socket.write(httpText(BODY));
    socket.end();
  });
  await using ours = upstreams(upstream.baseUrl);
  for (let round = 0; round < 50; round++) expect(await read(await ours.answer(call(), live()))).toBe(BODY);
  expect(upstream.requests).toHaveLength(50);
});

test.each(['end', 'resetAndDestroy'] as const)(
  'a connection that its server closes (%s) as a call goes out on it: the call is sent once more over a fresh one',
  async (how) => {
    const answered = new WeakSet<object>();
    await using upstream = await rawUpstream((socket) => {
      // Each connection is good for one answer; the next request on it is met by its end.
      if (answered.has(socket)) return void socket[how]();
      answered.add(socket);
      socket.write(httpText(BODY));
    });
    await using ours = upstreams(upstream.baseUrl);
    for (let round = 0; round < 20; round++) {
      const reply = await ours.answer(call(), live());
      expect(await read(reply)).toBe(BODY);
      expect(await reply.ended).toMatchObject({ kind: 'complete' });
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Nothing is sent a third time, and nothing twice that was answered.
    expect(upstream.requests.length).toBeLessThanOrEqual(40);
    expect(upstream.requests.length).toBeGreaterThan(20);
  },
);

test('many calls at once over stale connections all get their answer', async () => {
  const answered = new WeakSet<object>();
  await using upstream = await rawUpstream((socket) => {
    if (answered.has(socket)) return void socket.resetAndDestroy();
    answered.add(socket);
    socket.write(httpText(BODY));
  });
  await using ours = upstreams(upstream.baseUrl);
  const round = () =>
    Promise.all(Array.from({ length: 16 }, async () => read(await ours.answer(call(), live()))));
  await round();
  expect(new Set(await round())).toEqual(new Set([BODY]));
});

test('a call whose reply had begun is not sent again', async () => {
  await using upstream = await rawUpstream((socket, { at }) => {
    if (at === 0) return void socket.write(httpText(BODY));
    socket.write('HTTP/1.1 200 OK\r\ncontent-ty', () => socket.resetAndDestroy());
  });
  await using ours = upstreams(upstream.baseUrl);
  await keepOne(ours);
  const error = await thrown(ours.answer(call(), live()));
  expect(error).toMatchObject({ code: 'upstream_unreachable', status: 502 });
  expect(error.message).toContain(where);
  expect(upstream.requests).toHaveLength(2);
});

test('a stream that breaks behind its first event is not sent again', async () => {
  await using upstream = await rawUpstream((socket, { at }) => {
    if (at === 0) return void socket.write(httpText(BODY));
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
    socket.write(`${head}10\r\ndata: {"a":"b"}\n\r\n1\r\n\n\r\n`, () => socket.destroy());
  });
  await using ours = upstreams(upstream.baseUrl);
  await keepOne(ours);
  const { error } = await readBroken(await ours.answer(streamCall(), live()));
  expect(error.code).toBe('upstream_truncated');
  expect(upstream.requests).toHaveLength(2);
});

test('a call that was in work for a while before its connection ended is not sent again', async () => {
  await using upstream = await rawUpstream((socket, { at }) => {
    if (at === 0) socket.write(httpText(BODY));
  });
  const clock = new FakeClock();
  await using ours = upstreams(upstream.baseUrl, { clock });
  await keepOne(ours);
  const failed = thrown(ours.answer(call(), live()));
  await eventually('it is there', () => upstream.requests.length === 2);
  expect(upstream.connections).toHaveLength(1);
  clock.advance(UPSTREAM_STALE_MS);
  upstream.connections[0]?.destroy();
  expect(await failed).toMatchObject({ code: 'upstream_unreachable', status: 502 });
  expect(upstream.requests).toHaveLength(2);
});

test('a connection that never answered is not tried again: its server has refused', async () => {
  await using upstream = await rawUpstream((socket) => socket.destroy());
  await using ours = upstreams(upstream.baseUrl);
  expect(await thrown(ours.answer(call(), live()))).toMatchObject({ code: 'upstream_unreachable' });
  expect(upstream.requests).toHaveLength(1);
});

test('a call is sent at most twice', async () => {
  let isDown = false;
  await using upstream = await rawUpstream((socket) => {
    if (isDown) return void socket.destroy();
    socket.write(httpText(BODY));
  });
  await using ours = upstreams(upstream.baseUrl);
  await keepOne(ours);
  isDown = true;
  expect(await thrown(ours.answer(call(), live()))).toMatchObject({ code: 'upstream_unreachable' });
  expect(upstream.requests).toHaveLength(3);
});

test('a caller that leaves while its call is sent again has left', async () => {
  const answered = new WeakSet<object>();
  await using upstream = await rawUpstream((socket, { at }) => {
    if (at === 0) {
      answered.add(socket);
      socket.write(httpText(BODY));
    } else if (answered.has(socket)) {
      socket.destroy();
    }
  });
  await using ours = upstreams(upstream.baseUrl);
  await keepOne(ours);
  const controller = new AbortController();
  const failed = thrown(ours.answer(call(), controller.signal));
  await eventually('it was sent again', () => upstream.requests.length === 3);
  controller.abort(new Error('gone'));
  expect(await failed).toMatchObject({ code: 'cancelled' });
  await eventually('the second connection is left', () => upstream.connections.at(-1)?.destroyed);
});
