/** Where a call ran: told in the head, behind it where that was too late, and in the log with what was waited for. */
import { describe, expect, test } from 'vitest';
import type { Answer, Outcome, Progress, Reply } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import { nodeIdOf } from '../../src/core/ids.ts';
import { HOLD_MS } from '../../src/core/limits.ts';
import { ByteQueue } from '../../src/lib/byte-queue.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { chatEvents } from '../support/openai-bodies.ts';
import { ScriptedOwner } from '../support/scripted-answer.ts';
import { ask } from './ask.ts';
import { type Started, startWith } from './start.ts';
import { settled, StreamClient } from './stream-client.ts';

const CHAT = '/v1/chat/completions';
const BODY = '{"model":"m","stream":true}';
const BRAVO = 'alpha>bravo; model=m; upstream=ollama; attempts=1';
const CHARLIE = 'alpha>charlie; model=m; upstream=vllm; attempts=2';
const EVENTS = chatEvents({ text: ['a'] });

function trying(route: string): Progress {
  const target = { node: nodeIdOf(new Uint8Array(32)), provider: 'p', id: 'm' };
  return { kind: 'trying', route, target, dialect: 'chat' };
}

async function open(on: Started, owner: ScriptedOwner): Promise<StreamClient> {
  const client = new StreamClient(`${on.url}${CHAT}`, BODY);
  await eventually('the call is asked', () => owner.calls.length === 1);
  return client;
}

function lastLine(on: Started): Promise<Record<string, unknown>> {
  return eventually('the call is logged', () => on.lines.find(({ msg }) => msg === 'call settled'));
}

describe('the route', () => {
  test('is in the head of a reply, as the reply has it', async () => {
    const owner = new ScriptedOwner();
    await using on = await startWith(owner.answer);
    const client = await open(on, owner);
    owner.last.call.report(trying(BRAVO));
    owner.last.start(200, { 'x-clawmatrix-route': CHARLIE }).push(EVENTS.join('')).end();
    await client.closed();
    expect(client.headers['x-clawmatrix-route']).toBe(CHARLIE);
    expect(client.text).toBe(EVENTS.join(''));
  });

  test('is in the early head where a target is being tried by then, and is not told twice', async () => {
    const clock = new FakeClock();
    const owner = new ScriptedOwner();
    await using on = await startWith(owner.answer, { parts: { clock } });
    const client = await open(on, owner);
    owner.last.call.report(trying(BRAVO));
    clock.advance(HOLD_MS);
    await eventually('the head has come', () => client.status === 200);
    expect(client.headers['x-clawmatrix-route']).toBe(BRAVO);
    owner.last.start(200, { 'x-clawmatrix-route': BRAVO }).push(EVENTS.join('')).end();
    await client.closed();
    expect(client.comments).toEqual([]);
  });

  test('that changes behind the early head is a comment before the first event', async () => {
    const clock = new FakeClock();
    const owner = new ScriptedOwner();
    await using on = await startWith(owner.answer, { parts: { clock } });
    const client = await open(on, owner);
    const { report } = owner.last.call;
    report(trying(BRAVO));
    clock.advance(1_000);
    report({ kind: 'accepted' });
    clock.advance(HOLD_MS);
    await settled(on.url);
    report(trying(CHARLIE));
    clock.advance(1_000);
    report({ kind: 'accepted' });
    clock.advance(1_000);
    owner.last.start(200, { 'x-clawmatrix-route': CHARLIE }).push(EVENTS.join(''));
    owner.last.end({ finish: 'stop' });
    await client.closed();
    expect(client.headers['x-clawmatrix-route']).toBe(BRAVO);
    const behind = client.text.slice(client.text.indexOf(': x-'));
    expect(behind).toBe(`: x-clawmatrix-route ${CHARLIE}\n\n${EVENTS.join('')}`);
    expect(await lastLine(on)).toMatchObject({
      route: CHARLIE,
      attempts: 2,
      heldMs: 10_000,
      ackMs: 12_000,
      ttfbMs: 13_000,
      firstEventMs: 13_000,
      ms: 13_000,
      finish: 'stop',
    });
  });

  test('that changes inside of the body is a comment before the first event from there', async () => {
    const owner = new ScriptedOwner();
    await using on = await startWith(owner.answer);
    const client = await open(on, owner);
    const [first = '', ...rest] = EVENTS;
    owner.last.call.report(trying(BRAVO));
    owner.last.start(200, { 'x-clawmatrix-route': BRAVO });
    await eventually('the head has come', () => client.status === 200);
    owner.last.call.report(trying(CHARLIE));
    owner.last.push(first);
    await eventually('the first event has come', () => client.events.length === 1);
    owner.last.push(rest.join('')).end();
    await client.closed();
    expect(client.headers['x-clawmatrix-route']).toBe(BRAVO);
    expect(client.text).toBe(`: x-clawmatrix-route ${CHARLIE}\n\n${EVENTS.join('')}`);
    expect(await lastLine(on)).toMatchObject({ route: CHARLIE, attempts: 2, status: 200 });
  });

  test('of a plain reply is the one that its body came from', async () => {
    const answer: Answer = (call): Promise<Reply> => {
      call.report(trying(BRAVO));
      const queue = new ByteQueue({ onTaken: () => {}, onLeft: () => {} });
      const body = (async function* () {
        await Promise.resolve();
        call.report(trying(CHARLIE));
        yield* queue;
      })();
      queue.push(Buffer.from('{}'));
      queue.end();
      const ended = Promise.resolve<Outcome>({ kind: 'complete', bytes: 2 });
      return Promise.resolve({ status: 200, headers: { 'x-clawmatrix-route': BRAVO }, body, ended });
    };
    await using on = await startWith(answer);
    const told = await ask(`${on.url}${CHAT}`, { body: '{"model":"m"}' });
    expect(told.headers['x-clawmatrix-route']).toBe(CHARLIE);
    expect(told.headers['content-length']).toBe('2');
  });

  test.each([true, false])('is told with an error that does not know it (stream: %s)', async (stream) => {
    const owner = new ScriptedOwner();
    await using on = await startWith(owner.answer);
    const telling = ask(`${on.url}${CHAT}`, { body: JSON.stringify({ model: 'm', stream }) });
    await eventually('the call is asked', () => owner.calls.length === 1);
    owner.last.call.report(trying(BRAVO));
    owner.last.fail(new ClawError('owner_silent', 'bravo says nothing'));
    expect((await telling).headers['x-clawmatrix-route']).toBe(BRAVO);
    expect(await lastLine(on)).toMatchObject({ status: 504, route: BRAVO, attempts: 1 });
  });

  test('that could end its line is never told', async () => {
    const clock = new FakeClock();
    const owner = new ScriptedOwner();
    await using on = await startWith(owner.answer, { parts: { clock } });
    const client = await open(on, owner);
    clock.advance(HOLD_MS);
    await settled(on.url);
    owner.last.call.report(trying('alpha\n\ndata: {"error":1}'));
    owner.last.start().push(EVENTS.join('')).end();
    await client.closed();
    expect(client.comments).toEqual([]);
    expect(client.text).not.toContain('"error":1');
  });
});
