/** A client that reads nothing, and one that reads slowly: the first is given up, the second is not. */
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { CLIENT_STALL_MS } from '../../src/core/limits.ts';
import { eventually } from '../support/eventually.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { dataEvent } from '../support/openai-bodies.ts';
import type { ScriptedCall, ScriptedOwner } from '../support/scripted-answer.ts';
import { withScriptedEdge } from './scripted-edge.ts';
import type { Started } from './start.ts';
import { settled } from './stream-client.ts';

const LARGE = dataEvent({ pad: 'x'.repeat(255 << 10) });

let clock: FakeClock;
let owner: ScriptedOwner;
let on: Started;
let socket: Socket;
let closed: boolean;

withScriptedEdge((edge) => ({ clock, owner, on } = edge));

afterEach(() => {
  socket.destroy();
});

async function open(stream: boolean): Promise<ScriptedCall> {
  socket = connect(on.edge.port, '127.0.0.1').on('error', () => {});
  closed = false;
  socket.on('close', () => {
    closed = true;
  });
  socket.pause();
  const body = JSON.stringify({ model: 'm', stream });
  const head = `host: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\n${head}\r\n\r\n${body}`);
  return eventually('the call is asked', () => owner.calls[0]);
}

/** Pushes more than any socket holds, and waits until no more of it is taken. */
async function fill(call: ScriptedCall): Promise<void> {
  for (let chunk = 0; chunk < 128; chunk++) {
    const before = call.takenBytes;
    call.push(LARGE);
    await settled(on.url);
    if (call.takenBytes === before) return;
  }
  throw new Error('the client takes all');
}

describe('ST2: a client that takes no byte', () => {
  test.each([true, false])('for 60 s is given up, and its call with it (stream: %s)', async (stream) => {
    const call = (await open(stream)).start();
    await fill(call);
    clock.advance(CLIENT_STALL_MS - 2_000);
    await settled(on.url);
    expect(call.signal.aborted).toBe(false);
    clock.advance(3_000);
    await eventually('the call is cut', () => call.signal.aborted);
    await eventually('it is logged', () => on.lines.some(({ msg }) => msg === 'call settled'));
    expect(on.lines.at(-1)).toMatchObject({
      status: 499,
      code: 'cancelled',
      reason: 'the client took no byte for 60 s while there was something to send: it was given up',
    });
    expect(on.budget.usedBytes).toBe(0);
    socket.resume();
    await eventually('its connection is closed', () => closed);
  });

  test('of the end of its reply is cut off too', async () => {
    const call = (await open(false)).start(200, {});
    call.push(Buffer.alloc(16 << 20)).end();
    await settled(on.url);
    clock.advance(CLIENT_STALL_MS + 2_000);
    let bytes = 0;
    socket.on('data', (data) => {
      bytes += data.length;
    });
    socket.resume();
    await eventually('its connection is closed', () => closed);
    expect(bytes).toBeLessThan(16 << 20);
  });

  test('gets no signs of life on top of what it does not take', async () => {
    const call = (await open(true)).start();
    await fill(call);
    clock.advance(CLIENT_STALL_MS - 2_000);
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    socket.resume();
    await eventually('all is taken', () => {
      clock.advance(0);
      return call.takenBytes > 0 && text.length >= call.takenBytes && text.endsWith('\n\n\r\n');
    });
    expect(text).not.toContain('"delta":{}');
    call.end();
    await eventually('the stream has ended', () => text.endsWith('0\r\n\r\n'));
  });
});

test('a client that takes some of it every 50 s is not given up', async () => {
  const call = (await open(true)).start();
  await fill(call);
  for (let chunk = 0; chunk < 64; chunk++) call.push(LARGE);
  // More than the systems hold between the two: only behind that the edge sees that it is read.
  const some = call.takenBytes + (1 << 20);
  for (let round = 1; round <= 2; round++) {
    clock.advance(50_000);
    await eventually('some of it is read', () => {
      socket.read();
      return socket.bytesRead > round * some;
    });
    expect(call.signal.aborted).toBe(false);
  }
  clock.advance(CLIENT_STALL_MS + 2_000);
  expect(call.signal.aborted).toBe(true);
});

test('a client that has taken all may wait for ever', async () => {
  const call = (await open(true)).start();
  socket.resume();
  call.push(dataEvent({ choices: [] }));
  for (let second = 0; second < 300; second += 10) {
    await settled(on.url);
    clock.advance(10_000);
  }
  expect(call.signal.aborted).toBe(false);
});
