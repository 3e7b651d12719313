/** What there is of a response beside its making: itself, its input, its end; and whom the edge asks for it. */
import { describe, expect, test } from 'vitest';
import type { Answer, Call, Progress, Reply } from '../../src/core/call.ts';
import { heldBody } from '../../src/dialect/held-body.ts';
import { History } from '../../src/history/history.ts';
import type { EdgeParts } from '../../src/http/server.ts';
import { Budget } from '../../src/lib/budget.ts';
import { eventually } from '../support/eventually.ts';
import { first } from '../support/identities.ts';
import { responsesBody, responsesEvents } from '../support/openai-bodies.ts';
import { realClock } from '../support/real-clock.ts';
import { ScriptedOwner } from '../support/scripted-answer.ts';
import { ask, type Told } from './ask.ts';
import { type Started, startWith } from './start.ts';
import { StreamClient } from './stream-client.ts';

const PATH = '/v1/responses';
const BODY = { model: 'm', input: 'one' };
const BODY_BYTES = JSON.stringify(BODY).length;
const SAID = { text: ['Hel', 'lo'] };

function trying(dialect: 'chat' | 'responses'): Progress {
  return { kind: 'trying', route: 'r', target: { node: first.id, provider: 'p', id: 'm' }, dialect };
}

/** An edge in front of one model, whose upstream speaks that dialect; what it was asked is kept. */
async function started(
  dialect: 'chat' | 'responses',
  reply: (call: Call) => [number, unknown] = () => [200, {}],
  created: unknown = CREATED,
  parts: Partial<EdgeParts> = {},
) {
  const calls: Call[] = [];
  const answer: Answer = (call) => {
    calls.push(call);
    call.report(trying(dialect));
    const [status, body] = call.operation === undefined ? [200, created] : reply(call);
    const made = call.stream ? responsesEvents(SAID).join('') : JSON.stringify(body);
    const held: Reply = { status, headers: {}, ...heldBody(Buffer.from(made), { finish: 'completed' }) };
    return Promise.resolve(held);
  };
  const card = { id: 'm', provider: 'p', dialect };
  const targets = (model: string) => (model === 'm' ? [{ node: first.id, card }] : []);
  const limits = { keepMs: 60_000, bytesMax: 1 << 20 };
  const history = new History({ clock: realClock, limits, targets });
  const on = await startWith(answer, { parts: { history, ...parts } });
  const dispose = async () => {
    history.store.close();
    await on.edge.close(0);
  };
  return Object.assign(on, { calls, [Symbol.asyncDispose]: dispose });
}

/** Its server says that it keeps it. */
const CREATED = { ...(responsesBody(SAID) as object), store: true };

const create = (on: Started, more: object = {}) =>
  ask(`${on.url}${PATH}`, { body: JSON.stringify({ ...BODY, ...more }) });
const at = (on: Started, rest: string, method = 'GET') => ask(`${on.url}${PATH}/${rest}`, { method });
const errorOf = ({ text }: Told) => (JSON.parse(text) as { error: Record<string, unknown> }).error;

describe.each([true, false])('a response that is kept here (stream: %s)', (stream) => {
  test('is told again, with and without /v1', async () => {
    await using on = await started('chat');
    await create(on, { stream });
    for (const url of [`${on.url}${PATH}/resp_scripted`, `${on.url}/responses/resp_scripted`]) {
      const told = await ask(url);
      expect(told.status).toBe(200);
      expect(told.json()).toMatchObject({
        id: 'resp_scripted',
        status: 'completed',
        output: [{ id: 'msg_1' }],
      });
    }
    expect(on.calls).toHaveLength(1);
  });

  test('is gone on from by the next call', async () => {
    await using on = await started('chat');
    await create(on, { stream });
    await create(on, { input: 'two', previous_response_id: 'resp_scripted' });
    const body = JSON.parse(Buffer.from(on.calls[1]?.body ?? '').toString());
    expect(body.input).toHaveLength(3);
    expect(body).not.toHaveProperty('previous_response_id');
    expect(on.calls[1]?.continues).toBe('resp_scripted');
    // What was written out took room, and has given it back.
    await eventually('the call is over', () => on.budget.usedBytes === 0);
  });

  test('is deleted once, and then there is none', async () => {
    await using on = await started('chat');
    await create(on, { stream });
    const told = await at(on, 'resp_scripted', 'DELETE');
    expect(told.json()).toEqual({ id: 'resp_scripted', object: 'response', deleted: true });
    for (const method of ['GET', 'DELETE']) {
      const gone = await at(on, 'resp_scripted', method);
      expect(gone.status).toBe(404);
      expect(errorOf(gone)).toMatchObject({
        message: "No response found with id 'resp_scripted'.",
        type: 'invalid_request_error',
      });
    }
  });

  test('that was not to be stored is not there', async () => {
    await using on = await started('chat');
    await create(on, { stream, store: false });
    expect((await at(on, 'resp_scripted')).status).toBe(404);
  });
});

test('a client that goes on as soon as it has read the last event is not too early', async () => {
  const owner = new ScriptedOwner();
  const history = new History({
    clock: realClock,
    limits: { keepMs: 60_000, bytesMax: 1 << 20 },
    targets: () => [{ node: first.id, card: { id: 'm', provider: 'p', dialect: 'chat' } }],
  });
  await using on = await startWith(owner.answer, { parts: { history } });
  const client = new StreamClient(`${on.url}${PATH}`, JSON.stringify({ ...BODY, stream: true }));
  await eventually('the call is asked', () => owner.calls.length === 1);
  owner.last.call.report(trying('chat'));
  owner.last.start().push(responsesEvents(SAID).join(''));
  await eventually('the last event has come', () => client.text.includes('response.completed'));
  expect((await at(on, 'resp_scripted')).status).toBe(200);
  owner.last.end();
  await client.closed();
  history.store.close();
});

describe('the input of a response', () => {
  const INPUT = ['one', 'two', 'three'].map((content) => ({ role: 'user', content }));
  const textsOf = (told: Told) =>
    (told.json() as { data: { content: { text: string }[] }[] }).data.map(({ content }) => content[0]?.text);

  test('is listed in pages, the latest first unless asked otherwise', async () => {
    await using on = await started('chat');
    await create(on, { input: INPUT });
    const latest = await at(on, 'resp_scripted/input_items?limit=2');
    expect(latest.json()).toMatchObject({ object: 'list', has_more: true, data: [{ type: 'message' }, {}] });
    expect(textsOf(latest)).toEqual(['three', 'two']);
    const { last_id } = latest.json() as { last_id: string };
    const rest = await at(on, `resp_scripted/input_items?limit=2&after=${last_id}`);
    expect(rest.json()).toMatchObject({ has_more: false });
    expect(textsOf(rest)).toEqual(['one']);
    expect(textsOf(await at(on, 'resp_scripted/input_items?order=asc'))).toEqual(['one', 'two', 'three']);
  });

  test.each(['limit=0', 'limit=101', 'limit=x', 'order=up', 'after=msg_9'])(
    '%s is refused by name',
    async (query) => {
      await using on = await started('chat');
      await create(on);
      const told = await at(on, `resp_scripted/input_items?${query}`);
      expect(told.status).toBe(400);
      expect(errorOf(told).param).toBe(query.replace(/=.*/, ''));
    },
  );
});

describe('cancelling', () => {
  test('a response that runs ends its stream, and its upstream', async () => {
    const owner = new ScriptedOwner();
    await using on = await startWith(owner.answer);
    const client = new StreamClient(`${on.url}${PATH}`, JSON.stringify({ ...BODY, stream: true }));
    await eventually('the call is asked', () => owner.calls.length === 1);
    owner.last.start().push(responsesEvents(SAID).slice(0, 3).join(''));
    await eventually('the stream has begun', () => client.events.length === 3);
    const told = await at(on, 'resp_scripted/cancel', 'POST');
    expect(told.status).toBe(200);
    expect(told.json()).toMatchObject({ id: 'resp_scripted', object: 'response', status: 'cancelled' });
    await client.closed();
    expect(client.whole).toBe(false);
    expect(owner.last.signal.aborted).toBe(true);
    expect((await at(on, 'resp_scripted/cancel', 'POST')).status).toBe(404);
  });

  test('one that has ended is refused, and says so', async () => {
    await using on = await started('chat');
    await create(on);
    const told = await at(on, 'resp_scripted/cancel', 'POST');
    expect(told.status).toBe(400);
    expect(errorOf(told).message).toContain('has ended');
  });
});

describe('a response that its upstream keeps', () => {
  test('is deleted there, and then forgotten here', async () => {
    await using on = await started('responses', () => [200, { id: 'resp_scripted', deleted: true }]);
    await create(on);
    const told = await at(on, 'resp_scripted', 'DELETE');
    expect(told.json()).toEqual({ id: 'resp_scripted', deleted: true });
    expect(on.calls[1]).toMatchObject({
      operation: { kind: 'delete', responseId: 'resp_scripted', query: '' },
      home: { node: first.id, provider: 'p', id: 'm' },
      model: { id: 'm' },
      dialect: 'responses',
      stream: false,
    });
    expect(told.headers['x-clawmatrix-route']).toBe('r');
    expect((await at(on, 'resp_scripted')).status).toBe(404);
  });

  test('that is not deleted there is not forgotten here', async () => {
    await using on = await started('responses', () => [500, { error: { message: 'no' } }]);
    await create(on);
    expect((await at(on, 'resp_scripted', 'DELETE')).status).toBe(500);
    expect((await at(on, 'resp_scripted')).status).toBe(200);
  });

  test.each([
    ['retrieve', 'GET', '?include[]=x'],
    ['input_items', 'GET', '/input_items?limit=3'],
    ['cancel', 'POST', '/cancel'],
  ] as const)('%s of one that runs in the background is asked there', async (kind, method, rest) => {
    const begun = { id: 'resp_bg', object: 'response', status: 'queued' };
    await using on = await started('responses', () => [200, { ...begun, status: 'completed' }], begun);
    await create(on, { background: true });
    const told = await ask(`${on.url}${PATH}/resp_bg${rest}`, { method });
    expect(told.json()).toMatchObject({ id: 'resp_bg', status: 'completed' });
    const query = rest.includes('?') ? rest.slice(rest.indexOf('?') + 1) : '';
    expect(on.calls[1]?.operation).toEqual({ kind, responseId: 'resp_bg', query });
  });
});

test('a conversation that there is no room to write out is refused for now', async () => {
  const budget = new Budget(BODY_BYTES + 200);
  await using on = await started('chat', undefined, undefined, { budget });
  await create(on, { input: 'x'.repeat(200) });
  const told = await create(on, { previous_response_id: 'resp_scripted' });
  expect(told.status).toBe(503);
  expect(told.headers['retry-after']).toBe('2');
  expect(budget.usedBytes).toBe(0);
});

describe('the door', () => {
  test.each([
    ['POST', 'resp_1', 'GET, HEAD, DELETE'],
    ['GET', 'resp_1/cancel', 'POST'],
    ['DELETE', 'resp_1/input_items', 'GET, HEAD'],
    ['GET', 'compact', 'POST'],
    ['GET', 'input_tokens', 'POST'],
  ])('%s %s is told what it takes', async (method, path, allow) => {
    await using on = await started('chat');
    const told = await at(on, path, method);
    expect(told.status).toBe(405);
    expect(told.headers.allow).toBe(allow);
  });

  test.each(['resp_1/output', 'resp_1/cancel/now', '', 'a%2Fb', 'resp 1', '%00', '..%2f..', 'x'.repeat(129)])(
    '%s is no path that there is',
    async (path) => {
      await using on = await started('chat');
      expect((await at(on, path)).status).toBe(404);
    },
  );

  test.each([
    ['host', { host: 'evil.example' }, 421],
    ['origin', { origin: 'https://evil.example' }, 403],
    ['key', {}, 401],
  ] as const)('checks the %s as for any other', async (name, headers, status) => {
    const options = name === 'key' ? { apiKeys: ['k'.repeat(32)] } : {};
    await using on = await startWith(() => Promise.reject(new Error('not asked')), { options });
    for (const [path, method] of [
      ['resp_1', 'GET'],
      ['resp_1', 'DELETE'],
      ['resp_1/cancel', 'POST'],
    ] as const)
      expect((await ask(`${on.url}${PATH}/${path}`, { method, headers })).status).toBe(status);
  });

  test('a stream of what is over is refused by name', async () => {
    await using on = await started('chat');
    await create(on);
    const told = await at(on, 'resp_scripted?stream=true');
    expect(told.status).toBe(400);
    expect(errorOf(told).param).toBe('stream');
  });

  test.each(['compact', 'input_tokens'])('%s is a call with that operation', async (kind) => {
    await using on = await started('responses', () => [200, { object: 'told' }]);
    const body = JSON.stringify({ ...BODY, stream: true });
    const told = await ask(`${on.url}${PATH}/${kind}`, { body });
    expect(told.json()).toEqual({ object: 'told' });
    expect(on.calls[0]).toMatchObject({ operation: { kind }, stream: false, model: { id: 'm' } });
    expect((await ask(`${on.url}${PATH}/${kind}`, { body: '{"input":"x"}' })).status).toBe(400);
    expect((await at(on, 'resp_scripted')).status).toBe(404);
  });
});
