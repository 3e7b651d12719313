/** How long a WebSocket of a client lives: its hour, a client that is not heard, one that reads slowly, a daemon that stops. */
import { afterEach, describe, expect, test } from 'vitest';
import {
  CLIENT_PING_MS,
  CLIENT_SILENCE_MS,
  CLIENT_SOCKET_MS,
  CLIENT_STALL_MS,
  DRAIN_MS,
  HOLD_MS,
  KEEPALIVE_MS,
  SOCKET_UNSENT_BYTES_MAX,
} from '../../src/core/limits.ts';
import { eventually, within } from '../support/eventually.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { dataEvent, responsesEvents } from '../support/openai-bodies.ts';
import { OPCODE, RawClient, upgradeRequest, webSocketFrame } from '../support/raw-client.ts';
import { type Message, ResponsesSocket } from '../support/responses-socket.ts';
import type { ScriptedCall, ScriptedOwner } from '../support/scripted-answer.ts';
import { withScriptedEdge } from './scripted-edge.ts';
import type { Started } from './start.ts';
import { settled } from './stream-client.ts';

let clock: FakeClock;
let owner: ScriptedOwner;
let on: Started;
let raw: RawClient | undefined;

withScriptedEdge((edge) => ({ clock, owner, on } = edge));

afterEach(() => {
  raw?.destroy();
  raw = undefined;
});

const open = () => ResponsesSocket.open(`${on.url}/v1/responses`);
const CREATE = { type: 'response.create', model: 'm', input: 'Say it.' };
const types = (messages: readonly Message[]) => messages.map(({ type }) => type);

async function asked(socket: Pick<ResponsesSocket, 'send'>): Promise<ScriptedCall> {
  const before = owner.calls.length;
  socket.send(CREATE);
  return eventually('the call is asked', () => owner.calls[before]);
}

/** In steps, so that what is written is read in between. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 5_000) {
    await settled(on.url);
    clock.advance(Math.min(left, 5_000));
  }
  await settled(on.url);
}

/** A client that reads nothing until it is told to. */
async function deaf(): Promise<RawClient> {
  raw = new RawClient(on.edge.port);
  raw.write(
    upgradeRequest({ host: 'localhost', 'sec-websocket-protocol': undefined }, { path: '/v1/responses' }),
  );
  await raw.upgraded();
  raw.pause();
  return raw;
}

describe('the hour of a socket', () => {
  test('ends an idle one with an error that says so', async () => {
    const socket = await open();
    await pass(CLIENT_SOCKET_MS - 1);
    expect(socket.messages).toEqual([]);
    clock.advance(1);
    expect(await socket.answer()).toMatchObject([
      { type: 'error', status: 400, error: { code: 'websocket_connection_limit_reached' } },
    ]);
    expect((await socket.ended()).code).toBe(1000);
  });

  test('lets a response that runs have its end', async () => {
    const socket = await open();
    const call = await asked(socket);
    call.start().push(
      responsesEvents({ text: ['a'] })
        .slice(0, 3)
        .join(''),
    );
    await eventually('it has begun', () => socket.messages.length === 3);
    for (let left = CLIENT_SOCKET_MS; left > 0; left -= 10_000) {
      clock.advance(10_000);
      await settled(on.url);
    }
    expect(socket.closed).toBeUndefined();
    call
      .push(
        responsesEvents({ text: ['a'] })
          .slice(3)
          .join(''),
      )
      .end();
    expect(types(await socket.answer()).at(-1)).toBe('response.completed');
    expect(await socket.answer()).toMatchObject([{ error: { code: 'websocket_connection_limit_reached' } }]);
    await socket.ended();
  }, 60_000);
});

describe('a client', () => {
  test('that waits sees an event within 15 s, and none before ten', async () => {
    await using socket = await open();
    const call = await asked(socket);
    await pass(HOLD_MS - 1);
    expect(socket.messages).toEqual([]);
    await pass(1 + 3 * KEEPALIVE_MS);
    const seen = types(socket.messages);
    expect(seen.slice(0, 2)).toEqual(['response.created', 'response.in_progress']);
    expect(seen.filter((type) => type === 'keepalive').length).toBeGreaterThanOrEqual(2);
    call
      .start()
      .push(responsesEvents({ text: ['a'] }).join(''))
      .end();
    const messages = await socket.answer();
    expect(messages.map(({ sequence_number: number }) => number)).toEqual(messages.map((_, at) => at));
    expect(messages.at(-1)).toMatchObject({ type: 'response.completed' });
  });

  test('that answers pings is kept while it says nothing, and one that does not is given up', async () => {
    await using socket = await open();
    const silent = await deaf();
    await pass(CLIENT_SILENCE_MS - CLIENT_PING_MS);
    expect(silent.ended).toBe(false);
    await pass(2 * CLIENT_PING_MS);
    silent.resume();
    await eventually('the silent one is cut', () => silent.ended);
    expect(socket.closed).toBeUndefined();
  });

  test('that is asked nothing else and does not answer while its response runs is given up sooner', async () => {
    const silent = await deaf();
    silent.write(webSocketFrame(OPCODE.text, Buffer.from(JSON.stringify(CREATE))));
    const call = await eventually('the call is asked', () => owner.calls[0]);
    await pass(CLIENT_STALL_MS + CLIENT_PING_MS);
    await eventually('its call is cut', () => call.signal.aborted);
  });

  test('that reads slowly stops the reading of the upstream, and gets all of it', async () => {
    const slow = await deaf();
    slow.write(webSocketFrame(OPCODE.text, Buffer.from(JSON.stringify(CREATE))));
    const call = (await eventually('the call is asked', () => owner.calls[0])).start();
    const [created = '', ...rest] = responsesEvents({ text: ['a'] });
    call.push(created);
    const large = dataEvent({ type: 'response.output_text.delta', pad: 'x'.repeat(255 << 10) });
    let pushed = 0;
    for (let taken = -1; taken !== call.takenBytes && pushed < 256; pushed++) {
      taken = call.takenBytes;
      call.push(large);
      await settled(on.url);
    }
    expect(pushed).toBeLessThan(256);
    expect(call.takenBytes).toBeLessThan(pushed * large.length);
    call.push(rest.join('')).end();
    slow.resume();
    await eventually('the end is there', () => slow.received.includes('response.completed'), 20_000);
    expect(slow.received.length).toBeGreaterThan(pushed * (255 << 10));
  });

  test('that takes no byte for 60 s is given up, and its call with it', async () => {
    const slow = await deaf();
    slow.write(webSocketFrame(OPCODE.text, Buffer.from(JSON.stringify(CREATE))));
    const call = (await eventually('the call is asked', () => owner.calls[0])).start();
    const large = dataEvent({ type: 'response.output_text.delta', pad: 'x'.repeat(255 << 10) });
    for (let taken = -1; taken !== call.takenBytes;) {
      taken = call.takenBytes;
      call.push(large);
      await settled(on.url);
    }
    await pass(CLIENT_STALL_MS + 2_000);
    await eventually('the call is cut', () => call.signal.aborted);
    slow.resume();
    await eventually('its connection is closed', () => slow.ended);
  });

  test('that asks on and on and reads nothing is cut off', async () => {
    const slow = await deaf();
    const garbage = webSocketFrame(OPCODE.text, Buffer.from('{'));
    const many = Buffer.concat(Array.from({ length: 8_192 }, () => garbage));
    await eventually(
      'it is cut off',
      () => {
        slow.write(many);
        return slow.ended;
      },
      20_000,
    );
    expect(SOCKET_UNSENT_BYTES_MAX).toBeLessThan(1 << 20);
  }, 30_000);

  test('that sends half a message holds what it sent out of the budget, until it leaves', async () => {
    const half = await deaf();
    half.write(webSocketFrame(OPCODE.text, Buffer.alloc(1 << 20), { claimedBytes: BigInt(2 << 20) }));
    await eventually('it is counted', () => on.budget.usedBytes >= 1 << 20);
    half.destroy();
    await eventually('it is given back', () => on.budget.usedBytes === 0);
  });
});

describe('a daemon that stops', () => {
  test('closes an idle socket at once, and takes no new one', async () => {
    const socket = await open();
    const busy = await open();
    const call = await asked(busy);
    const closing = on.edge.close(DRAIN_MS);
    expect((await socket.ended()).code).toBe(1001);
    await expect(open()).rejects.toThrow();
    call
      .start()
      .push(responsesEvents({ text: ['a'] }).join(''))
      .end();
    expect(types(await busy.answer()).at(-1)).toBe('response.completed');
    expect((await busy.ended()).code).toBe(1001);
    await within('the edge closes', closing);
  });

  test('tells a response that outlasts the grace, and then closes its socket', async () => {
    const socket = await open();
    const call = await asked(socket);
    call.start().push(
      responsesEvents({ text: ['a'] })
        .slice(0, 3)
        .join(''),
    );
    await eventually('it has begun', () => socket.messages.length === 3);
    const closing = on.edge.close(DRAIN_MS);
    await settledElsewhere();
    clock.advance(DRAIN_MS);
    expect((await socket.answer()).at(-1)).toMatchObject({
      type: 'response.failed',
      response: { error: { code: 'draining' } },
    });
    expect((await socket.ended()).code).toBe(1001);
    await within('the edge closes', closing);
  });
});

/** The edge takes no requests any more: a turn of the event loop must do. */
async function settledElsewhere(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
