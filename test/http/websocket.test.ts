/** Responses over WebSocket: what a message asks, what comes back, and what is said of a message that asks nothing. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ClawError } from '../../src/core/errors.ts';
import { REQUEST_BODY_BYTES_MAX } from '../../src/core/limits.ts';
import { EventMessages } from '../../src/http/websocket/event-messages.ts';
import { eventually } from '../support/eventually.ts';
import { responsesEvents } from '../support/openai-bodies.ts';
import { type Message, ResponsesSocket } from '../support/responses-socket.ts';
import { checkResponsesStream } from '../support/responses-rules.ts';
import { type ScriptedCall, ScriptedOwner } from '../support/scripted-answer.ts';
import { type Started, startWith } from './start.ts';

let owner: ScriptedOwner;
let on: Started;
let socket: ResponsesSocket;

beforeEach(async () => {
  owner = new ScriptedOwner();
  on = await startWith(owner.answer);
  socket = await ResponsesSocket.open(`${on.url}/v1/responses`);
});

afterEach(async () => {
  await socket[Symbol.asyncDispose]();
  await on[Symbol.asyncDispose]();
  await eventually('all bytes are given back', () => on.budget.usedBytes === 0);
});

const create = (more: object = {}) => ({ type: 'response.create', model: 'm', input: 'Say it.', ...more });
const types = (messages: readonly Message[]) => messages.map(({ type }) => type);
const settled = () => on.lines.filter(({ msg }) => msg === 'call settled');

async function asked(message: object | string = create()): Promise<ScriptedCall> {
  const before = owner.calls.length;
  socket.send(message);
  return eventually('the call is asked', () => owner.calls[before]);
}

function say(call: ScriptedCall, ...text: string[]): void {
  call.start().push(responsesEvents({ text }).join('')).end();
}

describe('a message', () => {
  test('is a call of its own, and its events come back one a message, as they are and in their order', async () => {
    const call = await asked();
    const events = responsesEvents({ text: ['Hel', 'lo'] });
    say(call, 'Hel', 'lo');
    const messages = await socket.answer();
    const sent = events.flatMap((event) => /^data: (\{.*)$/m.exec(event)?.[1] ?? []);
    expect(messages).toEqual(sent.map((data) => JSON.parse(data)));
    await eventually('it is logged', () => settled().length === 1);
    expect(settled()[0]).toMatchObject({
      callId: call.call.id,
      dialect: 'responses',
      stream: true,
      status: 200,
    });
  });

  test('reaches the upstream as the body of a stream, each member as it was written', async () => {
    const message =
      '{ "type":"response.create", "big": 9007199254740993123,\n"model" : "m", "stream":false,"stream_options":{"include_obfuscation":true},"background":false,"generate":true, "input":[{"type":"message","role":"user","content":"a \\"}] , \\\\"}],"x":{"type":"kept","a":[1,{"b":"]"}]}, "last" : null }';
    const call = await asked(message);
    expect(Buffer.from(call.call.body).toString()).toBe(
      '{"big": 9007199254740993123,"model" : "m","stream":true,"input":[{"type":"message","role":"user","content":"a \\"}] , \\\\"}],"x":{"type":"kept","a":[1,{"b":"]"}]},"last" : null}',
    );
    expect(call.call).toMatchObject({ stream: true, dialect: 'responses', model: { id: 'm' } });
    say(call, 'a');
    await socket.answer();
  });

  test('has the headers of the upgrade with it, but for the word that asked for the socket', async () => {
    await socket.close();
    socket = await ResponsesSocket.open(`${on.url}/responses`, {
      headers: { 'openai-beta': 'responses_websockets=2026-02-06', 'session-id': 'one' },
    });
    const call = await asked();
    expect(call.call.headers).toMatchObject({ 'session-id': 'one' });
    expect(call.call.headers).not.toHaveProperty('openai-beta');
    expect(call.call.session).toBe('one');
    say(call, 'a');
    await socket.answer();
  });

  test('of five megabytes is read', async () => {
    const picture = 'A'.repeat(5 << 20);
    const call = await asked(create({ input: picture }));
    expect(call.call.body.length).toBeGreaterThan(picture.length);
    say(call, 'seen');
    expect(types(await socket.answer()).at(-1)).toBe('response.completed');
  });

  test('may come as soon as the client has the last event, though the upstream has not hung up', async () => {
    const first = await asked();
    first.start().push(responsesEvents({ text: ['a'] }).join(''));
    await socket.answer();
    socket.send(create({ input: 'next' }));
    // Behind it: were it refused, that would be told first.
    socket.send({ type: 'nonsense' });
    expect(await socket.answer()).toMatchObject([{ error: { param: 'type' } }]);
    expect(owner.calls).toHaveLength(1);
    first.end();
    const second = await eventually('the next call is asked', () => owner.calls[1]);
    say(second, 'b');
    expect(types(await socket.answer()).at(-1)).toBe('response.completed');
  });

  test('with a stream_id has it in each event and in its error', async () => {
    const call = await asked(create({ stream_id: 'main "1"' }));
    expect(Buffer.from(call.call.body).toString()).not.toContain('stream_id');
    say(call, 'a');
    const messages = await socket.answer();
    expect(new Set(messages.map(({ stream_id: id }) => id))).toEqual(new Set(['main "1"']));
    const refused = await asked(create({ stream_id: 'two' }));
    refused.fail(new ClawError('no_owner', 'nobody'));
    expect(await socket.answer()).toMatchObject([{ type: 'error', stream_id: 'two', status: 503 }]);
  });

  test('is answered with objects alone, whatever else its upstream says', async () => {
    const events = responsesEvents({ text: ['a'] });
    const odd = 'event: odd\ndata: [1]\n\ndata: text\n\n';
    const call = await asked(create({ stream_id: 'one' }));
    call
      .start()
      .push(events.toSpliced(1, 0, odd).join(''))
      .end();
    expect(await socket.answer()).toHaveLength(events.length);
    const empty = new EventMessages('one').read(Buffer.from('data:  { }\n\n'));
    expect(empty.map(({ text }) => JSON.parse(text))).toEqual([{ stream_id: 'one' }]);
  });

  test('that wants nothing generated is answered with a response without output, and asks nobody', async () => {
    const more = { generate: false, instructions: 'Be brief.', store: false, input: [] };
    const messages = await socket.create(create(more));
    expect(types(messages)).toEqual(['response.created', 'response.in_progress', 'response.completed']);
    checkResponsesStream(messages);
    expect(messages.at(-1)).toMatchObject({
      response: { status: 'completed', output: [], instructions: 'Be brief.', store: false, model: 'm' },
    });
    expect(owner.calls).toHaveLength(0);
  });
});

describe('a failure', () => {
  test.each([
    ['of this node', new ClawError('no_owner', 'nobody has it', { retryAfterSeconds: 3 }), 503, 'no_owner'],
    [
      'of the upstream, in its own words',
      new ClawError('upstream_error', 'slow down', {
        status: 429,
        upstream: { code: 'too_fast', type: 'requests' },
      }),
      429,
      'too_fast',
    ],
  ])('%s before there is a response is one error with the status', async (_whose, error, status, code) => {
    (await asked()).fail(error);
    const [message, ...more] = await socket.answer();
    expect(more).toEqual([]);
    expect(message).toEqual({
      type: 'error',
      status,
      error: { ...error.body().error, code },
      ...(error.retryAfterSeconds === undefined ? {} : { headers: { 'retry-after': '3' } }),
    });
    say(await asked(), 'a');
    expect(types(await socket.answer()).at(-1)).toBe('response.completed');
  });

  test('that is the reply of the upstream is told in the same form', async () => {
    const call = await asked();
    const body = {
      error: { message: 'no such tool', type: 'invalid_request_error', param: 'tools', code: null },
    };
    call.start(400, { 'content-type': 'application/json' }).push(JSON.stringify(body)).end();
    expect(await socket.answer()).toEqual([{ type: 'error', status: 400, error: body.error }]);
  });

  test('in the middle is response.failed alone: a second message would be taken for the next answer', async () => {
    const call = await asked();
    call.start().push(
      responsesEvents({ text: ['a', 'b'] })
        .slice(0, 6)
        .join(''),
    );
    await eventually('some of it is there', () => socket.messages.length === 6);
    call.fail(new ClawError('upstream_truncated', 'it broke off'));
    const messages = await socket.answer();
    expect(types(messages)).not.toContain('error');
    expect(messages.at(-1)).toMatchObject({
      type: 'response.failed',
      sequence_number: expect.any(Number),
      response: { status: 'failed', error: { message: 'it broke off' } },
    });
    say(await asked(), 'a');
    expect(types(await socket.answer()).at(-1)).toBe('response.completed');
  });
});

describe('a message that asks for nothing', () => {
  const refusals: readonly (readonly [string, object | string, object])[] = [
    ['is no JSON', '{"type":"response.create",', { code: 'invalid_json' }],
    ['is no object', '[1]', { code: 'bad_request' }],
    ['has another type', { type: 'response.cancel' }, { code: 'bad_request', param: 'type' }],
    ['has no type', { model: 'm', input: 'a' }, { code: 'bad_request', param: 'type' }],
    ['names no model', { type: 'response.create', input: 'a' }, { param: 'model' }],
    ['names two models', '{"type":"response.create","model":"a","model":"b"}', { param: 'model' }],
    [
      'wants it in the background',
      create({ background: true }),
      { code: 'unsupported_parameter', param: 'background' },
    ],
  ];
  test.each(refusals)('as it %s is told so, and the socket goes on', async (_why, message, error) => {
    socket.send(message);
    expect(await socket.answer()).toMatchObject([{ type: 'error', status: 400, error }]);
    expect(owner.calls).toHaveLength(0);
    say(await asked(), 'a');
    expect(types(await socket.answer()).at(-1)).toBe('response.completed');
  });

  test('as another response is in progress is refused, and that one goes on', async () => {
    const call = await asked();
    call.start().push(
      responsesEvents({ text: ['a'] })
        .slice(0, 3)
        .join(''),
    );
    await eventually('it has begun', () => socket.messages.length === 3);
    socket.send(create({ input: 'second' }));
    expect((await socket.answer()).at(-1)).toMatchObject({
      type: 'error',
      status: 409,
      error: { code: 'response_already_in_flight' },
    });
    call
      .push(
        responsesEvents({ text: ['a'] })
          .slice(3)
          .join(''),
      )
      .end();
    expect(types(await socket.answer()).at(-1)).toBe('response.completed');
    expect(owner.calls).toHaveLength(1);
  });

  test('as it is binary closes the socket', async () => {
    socket.socket.send(Buffer.from(JSON.stringify(create())), { binary: true });
    expect(await socket.ended()).toEqual({ code: 1003, reason: 'text messages only' });
  });

  test('as it is too large closes the socket', async () => {
    socket.send('x'.repeat(REQUEST_BODY_BYTES_MAX + 1));
    expect((await socket.ended()).code).toBe(1009);
  });
});

test('a client that leaves ends its call within a second', async () => {
  const call = await asked();
  call.start().push(
    responsesEvents({ text: ['a'] })
      .slice(0, 3)
      .join(''),
  );
  await eventually('it has begun', () => socket.messages.length === 3);
  const leftAt = performance.now();
  socket.socket.terminate();
  await eventually('the call is cut', () => call.signal.aborted);
  expect(performance.now() - leftAt).toBeLessThan(1_000);
  await eventually('it is logged', () => settled().length === 1);
  expect(settled()[0]).toMatchObject({ status: 499, code: 'cancelled' });
});
