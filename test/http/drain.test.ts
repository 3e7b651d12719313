/** An edge that drains: what runs may end, what comes is sent elsewhere, what outlasts the grace is told so. */
import { describe, expect, test } from 'vitest';
import { DRAIN_MS, HOLD_MS, KEEPALIVE_MS } from '../../src/core/limits.ts';
import { eventually, within } from '../support/eventually.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { chatEvents } from '../support/openai-bodies.ts';
import { RawClient } from '../support/raw-client.ts';
import type { ScriptedOwner } from '../support/scripted-answer.ts';
import { ask } from './ask.ts';
import { withScriptedEdge } from './scripted-edge.ts';
import type { Started } from './start.ts';
import { StreamClient } from './stream-client.ts';

const STREAM = '{"model":"m","stream":true}';
const DRAINING = { code: 'draining', message: 'node studio is stopping: ask again' };

let clock: FakeClock;
let owner: ScriptedOwner;
let on: Started;

withScriptedEdge((edge) => ({ clock, owner, on } = edge));

function url(path = '/v1/chat/completions'): string {
  return `${on.url}${path}`;
}

function asked(count = 1): Promise<boolean> {
  return eventually('the call is asked', () => owner.calls.length === count);
}

/** A request as a client with a pool of connections writes it. */
function post(body: string): string {
  const head = `host: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
  return `POST /v1/chat/completions HTTP/1.1\r\n${head}\r\n\r\n${body}`;
}

describe('a call that is open', () => {
  test('has the whole grace to end', async () => {
    const client = new StreamClient(url(), STREAM);
    await asked();
    const closing = on.edge.close(DRAIN_MS);
    clock.advance(DRAIN_MS - 1);
    expect(owner.last.signal.aborted).toBe(false);
    const events = chatEvents({ text: ['late'] }).join('');
    owner.last.start().push(events).end();
    await client.closed();
    expect(client.whole).toBe(true);
    expect(client.text.endsWith(events)).toBe(true);
    await within('the edge closes', closing);
  });

  test('has it too for what the client has yet to take', async () => {
    const client = new RawClient(on.edge.port);
    client.pause();
    client.write(post('{"model":"m"}'));
    await asked();
    owner.last
      .start(200, {})
      .push(Buffer.alloc(8 << 20))
      .end();
    await ask(url('/health'));
    const closing = on.edge.close(DRAIN_MS);
    clock.advance(DRAIN_MS - 1);
    client.resume();
    await eventually('all has come', () => client.received.length > 8 << 20);
    await within('the edge closes', closing);
  });

  test('is still shown life', async () => {
    const client = new StreamClient(url(), STREAM);
    await asked();
    const closing = on.edge.close(DRAIN_MS);
    clock.advance(HOLD_MS);
    await eventually('the head has come', () => client.events.length === 1);
    clock.advance(KEEPALIVE_MS);
    await eventually('it is shown life', () => client.events.length === 2);
    owner.last.start().push(chatEvents({}).join('')).end();
    await client.closed();
    await within('the edge closes', closing);
  });

  test.each(['/v1/chat/completions', '/v1/responses'])(
    'that was only kept alive (%s) is told by an event that the node stops',
    async (path) => {
      const client = new StreamClient(url(path), STREAM);
      await asked();
      clock.advance(HOLD_MS);
      await eventually('the head has come', () => client.status === 200);
      const closing = on.edge.close(DRAIN_MS);
      clock.advance(DRAIN_MS);
      await client.closed();
      expect(client.whole).toBe(false);
      expect(client.text).not.toMatch(/\[DONE\]|response\.completed/);
      const error = path.endsWith('responses') ? client.events.at(-2) : client.events.at(-1);
      expect(error).toMatchObject({ error: DRAINING });
      await within('the edge closes', closing);
      expect(on.lines.at(-1)).toMatchObject({ status: 503, code: 'draining' });
    },
  );

  test('that has no head yet is told by a status to ask again', async () => {
    const telling = ask(url(), { body: STREAM });
    await asked();
    const closing = on.edge.close(0);
    const told = await telling;
    expect(told).toMatchObject({ status: 503, whole: true });
    expect(told.headers).toMatchObject({ 'retry-after': '2', 'x-should-retry': 'true' });
    expect(told.json()).toMatchObject({ error: DRAINING });
    await within('the edge closes', closing);
  });
});

describe('a connection that is kept for more', () => {
  test('is closed behind its reply, and the reply says so', async () => {
    const client = new RawClient(on.edge.port);
    client.write(post('{"model":"m"}'));
    await asked();
    const closing = on.edge.close(DRAIN_MS);
    owner.last.start(200, {}).push('{}').end();
    await eventually('the connection is closed', () => client.ended);
    expect(client.text).toMatch(/^HTTP\/1\.1 200 /);
    expect(client.text.toLowerCase()).toContain('connection: close');
    await within('the edge closes', closing);
  });

  test('is closed behind its stream, though the head could not say so', async () => {
    const client = new RawClient(on.edge.port);
    client.write(post(STREAM));
    await asked();
    owner.last.start();
    await eventually('the head has come', () => client.text.includes('\r\n\r\n'));
    const closing = on.edge.close(DRAIN_MS);
    owner.last.push(chatEvents({}).join('')).end();
    await eventually('the connection is closed', () => client.ended);
    expect(client.text).toMatch(/\r\n0\r\n\r\n$/);
    await within('the edge closes', closing);
  });

  test('and brings a new call gets 503 that says who stops, and to ask again', async () => {
    const client = new RawClient(on.edge.port);
    const request = post(STREAM);
    client.write(request.slice(0, 20));
    const other = new StreamClient(url(), STREAM);
    await asked();
    const closing = on.edge.close(DRAIN_MS);
    client.write(request.slice(20));
    await eventually('the connection is closed', () => client.ended);
    expect(client.text).toMatch(/^HTTP\/1\.1 503 /);
    const text = client.text.toLowerCase();
    for (const header of ['retry-after: 2', 'x-should-retry: true', 'connection: close'])
      expect(text).toContain(header);
    expect(client.text).toContain('"node studio is stopping: ask again"');
    expect(owner.calls).toHaveLength(1);
    owner.last.start().push(chatEvents({}).join('')).end();
    expect((await other.closed()).whole).toBe(true);
    await within('the edge closes', closing);
  });
});
