/** Watching streams that pass untouched: their end, their usage, and how their failure is told. */
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import { newCallId } from '../../src/core/ids.ts';
import { shapes } from '../../src/dialect/dialects.ts';
import { checkResponsesStream } from '../support/responses-rules.ts';
import { responsesEvents, sseEvents } from '../support/sse-text.ts';

function watched(dialect: Dialect, ...chunks: (string | object)[]) {
  const watch = shapes[dialect].watch();
  for (const chunk of chunks) watch.see(Buffer.from(typeof chunk === 'string' ? chunk : event(chunk)));
  return watch;
}

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

function delta(content: string, finish_reason: string | null = null, more: object = {}): object {
  return { choices: [{ index: 0, delta: { content }, finish_reason }], ...more };
}

const usage = { prompt_tokens: 3, completion_tokens: 4 };
const counted = { inputTokens: 3, outputTokens: 4 };
const DONE = 'data: [DONE]\n\n';
const context = { callId: newCallId(), model: 'm', createdAt: 11 };
const failure = new ClawError('upstream_timeout', 'the model fell silent');

describe('a chat stream', () => {
  test.each<[string, (string | object)[], object]>([
    ['ends with a finish reason', [delta('a'), delta('', 'stop')], { finish: 'stop' }],
    ['ends with [DONE] alone', [delta('a'), DONE], { finish: 'done' }],
    [
      'gives the usage behind its finish',
      [delta('a', 'stop'), { choices: [], usage }, DONE],
      { finish: 'stop', usage: counted },
    ],
    [
      'gives the usage with its finish',
      [delta('', 'length', { usage })],
      { finish: 'length', usage: counted },
    ],
    [
      'gives the last usage of several',
      [delta('', 'stop', { usage: { prompt_tokens: 1, completion_tokens: 1 } }), { choices: [], usage }],
      { finish: 'stop', usage: counted },
    ],
    [
      'all in one chunk',
      [event(delta('a', 'stop')) + event({ choices: [], usage }) + DONE],
      { usage: counted },
    ],
    [
      'with spaces, line ends of Windows and a pretty printer',
      ['data: {"choices":\r\ndata: [{"delta":{},\r\ndata: "finish_reason" :  "stop"}]}\r\n\r\n'],
      { finish: 'stop' },
    ],
    [
      'with the usage inside the choice',
      [{ choices: [{ delta: {}, finish_reason: 'stop', usage }] }],
      { usage: counted },
    ],
  ])('that %s', (_, chunks, ending) => {
    expect(watched('chat', ...chunks).ending).toMatchObject(ending);
  });

  test.each<[string, (string | object)[]]>([
    ['text about an end', [delta('"finish_reason":"stop" data: [DONE]')]],
    [
      'a delta that is called finish_reason',
      [{ choices: [{ delta: { content: 'finish_reason' }, finish_reason: null }] }],
    ],
    ['an empty finish reason', [delta('a', '')]],
    ['an error, even before [DONE]', [delta('a'), { error: { message: 'no' } }, DONE]],
    ['an error that calls itself a finish', [delta('', 'error', { error: { message: 'no' } }), DONE]],
    [
      'an error, even with comments before [DONE]',
      [delta('a'), { error: { message: 'no' } }, ': ping\n\n', DONE],
    ],
    ['a finish that is an error', [delta('a'), delta('', 'insufficient_system_resource'), DONE]],
    ['comments', [': ping\n\n']],
    ['usage on the way', [delta('a', null, { usage })]],
  ])('is not ended by %s', (_, chunks) => {
    expect(watched('chat', ...chunks).ending).toBeUndefined();
  });

  test('tells its failure as one frame of error, without choices and without [DONE]', () => {
    const text = Buffer.from(watched('chat', delta('a')).failure(failure, context)).toString();
    expect(sseEvents(text).map(({ name, data }) => ({ name, json: JSON.parse(data) }))).toEqual([
      {
        name: undefined,
        json: {
          error: {
            message: 'the model fell silent',
            type: 'server_error',
            param: null,
            code: 'upstream_timeout',
          },
        },
      },
    ]);
  });
});

describe('life on a chat stream', () => {
  const alive = (...chunks: (string | object)[]) =>
    Buffer.from(watched('chat', ...chunks).alive(context)).toString();

  test('is an empty delta of the stream that passes', () => {
    const head = { id: 'chatcmpl-9', created: 7, model: 'upstream-m' };
    const [event] = sseEvents(alive(delta('a', null, head)));
    expect(JSON.parse(event?.data ?? '')).toEqual({
      ...head,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta: {}, finish_reason: null }],
    });
  });

  test.each([[[]], [[': ping\n\n']], [[delta('a')]], [['data: {\n\n']]])(
    'is one of the call behind %j, which names none',
    (chunks) => {
      const [event] = sseEvents(alive(...chunks));
      const head = { id: `chatcmpl-${context.callId}`, model: 'm', created: 11 };
      expect(JSON.parse(event?.data ?? '')).toMatchObject(head);
    },
  );

  test.each<[string, (string | object)[]]>([
    ['its finish', [delta('a', 'stop')]],
    ['its usage', [delta('a', 'stop'), { choices: [], usage }]],
    ['[DONE]', [delta('a'), DONE]],
    ['an error', [delta('a'), { error: { message: 'no' } }]],
  ])('is a comment behind %s', (_, chunks) => {
    expect(alive(...chunks)).toBe(': keepalive\n\n');
  });

  test('changes nothing of what the watch knows', () => {
    const watch = watched('chat', delta('a'), { error: { message: 'no' } });
    watch.alive(context);
    watch.see(Buffer.from(DONE));
    expect(watch.ending).toBeUndefined();
  });
});

describe('a Responses stream', () => {
  const created = {
    type: 'response.created',
    sequence_number: 0,
    response: { id: 'resp_9', model: 'm', created_at: 7 },
  };
  const text = { type: 'response.output_text.delta', sequence_number: 4, delta: 'Hi' };
  const end = (status: string) => ({
    type: `response.${status}`,
    response: { status, usage: { input_tokens: 3, output_tokens: 4 } },
  });

  test.each(['completed', 'incomplete', 'failed'])('ends with response.%s', (status) => {
    expect(watched('responses', created, text, end(status)).ending).toEqual({
      finish: status,
      usage: counted,
    });
  });

  test.each<[string, (string | object)[]]>([
    ['text about an end', [{ ...text, delta: '{"type":"response.completed"}' }]],
    ['a delta that is just the name of an end', [{ ...text, delta: 'response.completed' }]],
    ['an error event', [{ type: 'error', message: 'no' }]],
    ['[DONE]', [text, DONE]],
    ['a name that ends where the bytes end', ['data: {"type":"response.comp']],
  ])('is not ended by %s', (_, chunks) => {
    expect(watched('responses', ...chunks).ending).toBeUndefined();
  });

  test('tells its failure twice, with the id and the next number of what passed', () => {
    const keepalive = ': ping\n\n';
    const bytes = watched('responses', created, text, keepalive).failure(failure, context);
    expect(responsesEvents(Buffer.from(bytes).toString())).toMatchObject([
      {
        type: 'error',
        sequence_number: 5,
        code: 'upstream_timeout',
        message: 'the model fell silent',
        param: null,
        error: { code: 'upstream_timeout', message: 'the model fell silent', param: null },
      },
      {
        type: 'response.failed',
        sequence_number: 6,
        response: {
          id: 'resp_9',
          model: 'm',
          created_at: 7,
          status: 'failed',
          error: { code: 'upstream_timeout' },
        },
      },
    ]);
  });

  test('tells its failure with a response of its own when nothing had passed', () => {
    const events = responsesEvents(Buffer.from(watched('responses').failure(failure, context)).toString());
    expect(events).toMatchObject([
      {
        type: 'response.created',
        sequence_number: 0,
        response: { id: `resp_${context.callId}`, model: 'm' },
      },
      { type: 'error', sequence_number: 1 },
      { type: 'response.failed', sequence_number: 2 },
    ]);
    checkResponsesStream(events);
  });

  test.each<[string, (string | object)[]]>([
    ['nothing', []],
    ['comments', [': ping\n\n']],
    ['its end', [created, text, end('completed')]],
  ])('shows life by a comment behind %s', (_, chunks) => {
    expect(Buffer.from(watched('responses', ...chunks).alive(context)).toString()).toBe(': keepalive\n\n');
  });

  test.each<[string, (string | object)[]]>([
    ['`created`', [created]],
    ['a delta', [created, text]],
    ['a comment', [created, text, ': ping\n\n']],
    ['what is not `created`', [text]],
  ])('shows life without a number behind %s: those are the upstream’s to give', (_, chunks) => {
    const bytes = watched('responses', ...chunks).alive(context);
    expect(responsesEvents(Buffer.from(bytes).toString())).toEqual([{ type: 'keepalive' }]);
  });

  test('says in the words of a rate limit when to come back', () => {
    const told = (message: string) => {
      const limited = new ClawError('upstream_error', message, { status: 429, retryAfterSeconds: 3 });
      return responsesEvents(
        Buffer.from(watched('responses', created).failure(limited, context)).toString(),
      )[0];
    };
    expect(told('slow down')).toMatchObject({ message: 'slow down; try again in 3 s' });
    expect(told('Try again in 2s')).toMatchObject({ message: 'Try again in 2s' });
  });

  test('names a rate limit as Codex reads it', () => {
    const limited = new ClawError('upstream_error', 'try again in 3s', { status: 429 });
    const events = responsesEvents(
      Buffer.from(watched('responses', created).failure(limited, context)).toString(),
    );
    expect(events).toMatchObject([
      { code: 'rate_limit_exceeded' },
      { response: { error: { code: 'rate_limit_exceeded' } } },
    ]);
  });
});

test.each<[Dialect, unknown, unknown]>([
  ['chat', { choices: [{ message: {}, finish_reason: 'stop' }], usage }, { finish: 'stop', usage: counted }],
  ['chat', { error: { message: 'no' } }, undefined],
  ['chat', 'text', undefined],
  ['responses', { object: 'response', status: 'completed' }, { finish: 'completed' }],
  ['responses', { object: 'response', status: 'queued' }, undefined],
  ['responses', { error: { message: 'no' } }, undefined],
])('%s: the ending of the whole reply %j', (dialect, reply, ending) => {
  expect(shapes[dialect].endingOf(reply)).toEqual(ending);
});
