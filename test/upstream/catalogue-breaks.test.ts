/** The fault catalogue, group Upstream: servers that fall silent, or go in the middle of a word. */
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Call } from '../../src/core/call.ts';
import { eventually, within } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { chatBody, chatEvents } from '../support/openai-bodies.ts';
import * as scripted from '../support/scripted-upstream.ts';
import {
  call,
  failed,
  live,
  read,
  readBroken,
  streamCall,
  thrown,
  upstreams,
  where,
} from './one-upstream.ts';
import { rawUpstream } from './raw-upstream.ts';

const events = chatEvents({ text: ['a', 'b'] });
const BODY = JSON.stringify(chatBody({ text: ['a'] }));
const JSON_TYPE = { 'content-type': 'application/json' };

/** A clock that is moved only when what was sent has been heard: each sign of life reads it. */
class HearingClock extends FakeClock {
  reads = 0;

  override now(): number {
    this.reads++;
    return super.now();
  }

  async heard(send: () => Promise<void>): Promise<void> {
    const before = this.reads;
    await send();
    await eventually('it has been heard', () => this.reads > before);
  }
}

describe('UP2: silence', () => {
  test.each([
    ['plain', call],
    ['stream', streamCall],
  ] as const)('UP2: a head and no body is no answer to a %s call: 504 at the guard', async (_form, made) => {
    await using upstream = await scripted.startUpstream();
    const clock = new HearingClock();
    await using ours = upstreams(upstream.baseUrl, { clock });
    const head = made().stream ? {} : { headers: JSON_TYPE };
    const stream = upstream.nextStream([], head);
    const told = failed(ours.answer(made(), live()));
    await clock.heard(async () => void (await stream.opened()));
    clock.advance(119_999);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    const error = await told;
    expect(error).toMatchObject({ code: 'upstream_timeout', status: 504 });
    expect(error.message).toContain(where);
    expect(clock.pending).toBe(0);
  });

  test('UP2: in mid-stream it ends the stream at the guard; what came before is kept', async () => {
    await using upstream = await scripted.startUpstream();
    const clock = new FakeClock();
    await using ours = upstreams(upstream.baseUrl, { clock });
    const stream = upstream.nextStream(events);
    const answered = ours.answer(streamCall(), live());
    await stream.send(2);
    const reply = await answered;
    const broken = readBroken(reply);
    clock.advance(61_000);
    expect(clock.pending).toBe(1);
    clock.advance(59_000);
    const { text, error } = await within('it ends', broken);
    expect(text).toBe(events.slice(0, 2).join(''));
    expect(error).toMatchObject({ code: 'upstream_timeout', status: 504 });
    expect(await reply.ended).toMatchObject({ kind: 'failed', error: { code: 'upstream_timeout' } });
    await eventually('the upstream is left', async () => (await upstream.request(0)).leftAt);
  });

  test.each([
    ['plain', call, BODY, JSON_TYPE],
    ['stream', streamCall, events.join(''), { 'content-type': 'text/event-stream' }],
  ] as const)(
    'UP2: a drip of one byte each 30 s is life: a %s reply comes whole',
    async (_form, made, body, headers) => {
      await using upstream = await scripted.startUpstream();
      const clock = new HearingClock();
      await using ours = upstreams(upstream.baseUrl, { clock });
      const stream = upstream.nextStream([], { headers });
      const answered = ours.answer(made(), live());
      for (const letter of body.slice(0, 40)) {
        await clock.heard(() => stream.write(letter));
        clock.advance(30_000);
      }
      await stream.write(body.slice(40));
      await stream.end();
      expect(await read(await answered)).toBe(body);
      expect(clock.now()).toBe(40 * 30_000);
    },
  );
});

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: ';
type End = (socket: Socket) => void;
const ends: readonly [string, End][] = [
  ['close', (socket) => void socket.end()],
  ['cut', (socket) => void socket.destroy()],
  ['reset', (socket) => void socket.resetAndDestroy()],
];

describe.each(ends)('UP3: a server that goes by a %s', (_how, end) => {
  const forms: readonly [string, () => Call][] = [
    ['plain', () => call()],
    ['stream', () => streamCall()],
  ];

  test.each(forms)('UP3: before its head: 502 to a %s call', async (_form, made) => {
    await using upstream = await rawUpstream(end);
    await using ours = upstreams(upstream.baseUrl);
    const error = await thrown(ours.answer(made(), live()));
    expect(error).toMatchObject({ code: 'upstream_unreachable', status: 502 });
    expect(error.message).toContain('closed the connection before it answered');
    expect(error.message).toContain(where);
  });

  test.each(forms)('UP3: in the middle of its head: 502 to a %s call', async (_form, made) => {
    await using upstream = await rawUpstream((socket) => {
      socket.write(`${HEAD}text/ev`, () => end(socket));
    });
    await using ours = upstreams(upstream.baseUrl);
    expect(await thrown(ours.answer(made(), live()))).toMatchObject({ status: 502 });
  });

  test.each([
    ['a stream in the middle of a chunk', streamCall, 'text/event-stream', events.slice(0, 2).join('')],
    ['a stream before its first event', streamCall, 'text/event-stream', 'data: {"cho'],
    ['a JSON reply in the middle of a chunk', call, 'application/json', BODY],
    ['JSON for a stream in the middle of a chunk', streamCall, 'application/json', BODY],
    ['a stream for a plain call in the middle of a chunk', call, 'text/event-stream', events[1] ?? ''],
  ] as const)('UP3: in %s: never a whole answer', async (_what, made, type, sent) => {
    await using upstream = await rawUpstream((socket) => {
      // The chunk is said to be longer than what comes of it.
      const coding = `transfer-encoding: chunked\r\n\r\n${(Buffer.byteLength(sent) + 1).toString(16)}`;
      socket.write(`${HEAD}${type}\r\n${coding}\r\n${sent}`, () => setImmediate(end, socket));
    });
    await using ours = upstreams(upstream.baseUrl);
    const told = await ours
      .answer(made(), live())
      .then(readBroken, (error: unknown) => ({ text: '', error }));
    expect(told.error).toMatchObject({ code: 'upstream_truncated', status: 502 });
    expect(sent.startsWith(told.text)).toBe(true);
    expect(told.text).not.toContain('[DONE]');
  });
});

test('UP3: a stream that HTTP ends well without its finish or [DONE] is not whole', async () => {
  await using upstream = await scripted.startUpstream();
  await using ours = upstreams(upstream.baseUrl);
  const sent = events.slice(0, 3).join('');
  upstream.next(scripted.raw({ headers: { 'content-type': 'text/event-stream' } }, sent));
  const { text, error } = await readBroken(await ours.answer(streamCall(), live()));
  expect(text).toBe(sent);
  expect(error).toMatchObject({ code: 'upstream_truncated' });
});
