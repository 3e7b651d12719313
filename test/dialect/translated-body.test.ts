/** The body of a translated stream: how it ends, how it fails, and that it frees what it holds. */
import { describe, expect, test } from 'vitest';
import type { Answer, Outcome } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import { translate } from '../../src/dialect/translate.ts';
import { within } from '../support/eventually.ts';
import { responsesEvents } from '../support/sse-text.ts';
import { aCall, AT, countingTools, drained, type Script, ScriptedUpstream, cardOf } from './scripted.ts';

const signal = new AbortController().signal;
const body = { model: 'alias', input: 'Hi', stream: true };

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

function said(content: string, finish_reason: string | null = null): string {
  return event({ choices: [{ index: 0, delta: { content }, finish_reason }] });
}

async function streamed(script: Script) {
  const upstream = new ScriptedUpstream(script);
  const answer = translate(upstream.answer, 'responses', cardOf('chat'), countingTools());
  return { upstream, reply: await answer(aCall('responses', body), signal) };
}

describe('the stream', () => {
  test('each chunk of the upstream is one chunk of whole events, at once', async () => {
    const { reply } = await streamed({
      chunks: [said('a') + said('b'), said('c'), said('', 'stop'), 'data: [DONE]\n\n'],
    });
    const chunks: string[] = [];
    for await (const chunk of reply.body) chunks.push(Buffer.from(chunk).toString());
    expect(chunks).toHaveLength(3);
    expect(chunks.every((chunk) => chunk.endsWith('\n\n'))).toBe(true);
    expect(responsesEvents(chunks[1] ?? '')).toMatchObject([
      { type: 'response.output_text.delta', delta: 'c' },
    ]);
    expect(reply.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  });

  test('its outcome has the bytes of the translation, the finish and the usage', async () => {
    const usage = { prompt_tokens: 3, completion_tokens: 4 };
    const { reply } = await streamed({ chunks: [said('a', 'stop'), event({ choices: [], usage })] });
    const { text } = await drained(reply);
    expect(await reply.ended).toEqual({
      kind: 'complete',
      bytes: Buffer.byteLength(text),
      finish: 'stop',
      usage: { inputTokens: 3, outputTokens: 4 },
    });
  });

  test.each<[string, Script, string]>([
    ['without its end', { chunks: [said('a')] }, 'upstream_truncated'],
    ['before anything came', { chunks: [] }, 'upstream_truncated'],
    ['by [DONE] alone', { chunks: ['data: [DONE]\n\n'] }, 'upstream_truncated'],
    [
      'by [DONE] behind a call that nothing says is whole',
      {
        chunks: [
          event({
            choices: [
              { delta: { tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '{' } }] } },
            ],
          }),
          'data: [DONE]\n\n',
        ],
      },
      'upstream_truncated',
    ],
    ['with an error', { chunks: [said('a'), event({ error: { message: 'boom' } })] }, 'upstream_error'],
    ['with an error as text', { chunks: [said('a'), event({ error: 'boom' })] }, 'upstream_error'],
    [
      'with a named error',
      { chunks: [said('a'), 'event: error\ndata: {"message":"boom"}\n\n'] },
      'upstream_error',
    ],
    ['with an error for a finish', { chunks: [said('a', 'error')] }, 'upstream_error'],
    ['with something that is no JSON', { chunks: [said('a'), 'data: {"choices":\n\n'] }, 'upstream_protocol'],
    [
      'with something that is no chunk',
      { chunks: [said('a'), 'data: {"choices":7}\n\n'] },
      'upstream_protocol',
    ],
    [
      'with a call that has no name',
      {
        chunks: [
          event({
            choices: [{ delta: { tool_calls: [{ index: 0, id: 'c' }] }, finish_reason: 'tool_calls' }],
          }),
          'data: [DONE]\n\n',
        ],
      },
      'upstream_protocol',
    ],
    [
      'with an event over the limit',
      { chunks: [said('a'), `data: ${'x'.repeat(1_100_000)}`] },
      'stream_buffer_exceeded',
    ],
    [
      'because the connection broke',
      { chunks: [said('a')], fault: new ClawError('peer_lost', 'gone') },
      'peer_lost',
    ],
  ])('that stops %s throws, and never looks complete', async (_, script, code) => {
    const { reply } = await streamed(script);
    const { text, error } = await drained(reply);
    expect(error?.code).toBe(code);
    expect(text).not.toContain('response.completed');
    expect(text).not.toContain('[DONE]');
    expect(await reply.ended).toEqual({ kind: 'failed', bytes: Buffer.byteLength(text), error });
  });

  test('an error inside the choice is told with its own words', async () => {
    const { reply } = await streamed({
      chunks: [
        event({ choices: [{ delta: {}, finish_reason: 'error', error: { message: 'boom', code: 503 } }] }),
      ],
    });
    expect((await drained(reply)).error).toMatchObject({ message: `boom${AT}`, status: 503 });
  });

  test.each<[string, object, object]>([
    [
      'a message in place of a delta',
      { message: { role: 'assistant', content: 'Hello' } },
      { content: [{ text: 'Hello' }] },
    ],
    ['reasoning_text', { delta: { reasoning_text: 'Hm' } }, { summary: [{ text: 'Hm' }] }],
    [
      'thinking as a text',
      { delta: { content: [{ type: 'thinking', thinking: 'Hm' }] } },
      { summary: [{ text: 'Hm' }] },
    ],
  ])('%s is not lost', async (_, choice, item) => {
    const { reply } = await streamed({
      chunks: [event({ choices: [{ ...choice, finish_reason: 'stop' }] })],
    });
    const last = responsesEvents((await drained(reply)).text).at(-1);
    expect(last).toMatchObject({ response: { output: [item] } });
  });

  test('what came before a failure in the same chunk is told first', async () => {
    const { reply } = await streamed({
      chunks: [said('a') + event({ error: { message: 'boom', code: 'rate_limit_exceeded' } })],
    });
    const { text, error } = await drained(reply);
    expect(responsesEvents(text)).toContainEqual(expect.objectContaining({ delta: 'a' }));
    expect(error).toMatchObject({ message: `boom${AT}`, status: 429 });
  });

  test('a fault behind the end changes nothing: the client has it whole', async () => {
    const chunks = [said('a', 'stop'), 'data: [DONE]\n\n'];
    const { reply } = await streamed({ chunks, fault: new ClawError('peer_lost', 'gone') });
    const { text, error } = await drained(reply);
    expect(error).toBeUndefined();
    expect(text).toContain('response.completed');
    expect(await reply.ended).toMatchObject({ kind: 'complete' });
  });

  test('a client that leaves lets the upstream go', async () => {
    const { upstream, reply } = await streamed({ chunks: [said('a'), said('b'), said('c')] });
    let bytes = 0;
    for await (const chunk of reply.body) {
      bytes = chunk.length;
      break;
    }
    expect(upstream.left).toBe(1);
    expect(await reply.ended).toEqual({ kind: 'cancelled', bytes });
  });

  test('an upstream that fails is let go as well', async () => {
    const { upstream, reply } = await streamed({ chunks: [event({ error: 'boom' }), said('b'), said('c')] });
    await drained(reply);
    expect(upstream.left).toBe(1);
  });
});

describe('leaving while the upstream is silent', () => {
  /** A body whose `next()` waits until it is let go. */
  function silent() {
    let letGo: (result: IteratorResult<Uint8Array>) => void = () => {};
    let settle: (outcome: Outcome) => void = () => {};
    const seen: string[] = [];
    const answer: Answer = async () => ({
      status: 200,
      headers: {},
      ended: new Promise<Outcome>((resolve) => {
        settle = resolve;
      }),
      body: {
        [Symbol.asyncIterator]: () => ({
          next: () => {
            seen.push('next');
            return new Promise<IteratorResult<Uint8Array>>((resolve) => {
              letGo = resolve;
            });
          },
          // As a generator's: it settles only once the pending `next()` has.
          return: () => {
            seen.push('return');
            return new Promise<IteratorResult<Uint8Array>>(() => {});
          },
        }),
      },
    });
    return {
      answer,
      seen,
      settle: (outcome: Outcome) => settle(outcome),
      letGo: () => letGo({ done: true, value: undefined }),
    };
  }

  test('return() reaches the upstream although a next() is pending', async () => {
    const { answer, seen, letGo } = silent();
    const reply = await translate(
      answer,
      'responses',
      cardOf('chat'),
      countingTools(),
    )(aCall('responses', body), signal);
    const iterator = reply.body[Symbol.asyncIterator]();
    const pending = iterator.next();
    await within('return() comes back', Promise.resolve(iterator.return?.()));
    expect(seen).toEqual(['next', 'return']);
    letGo();
    expect(await within('the pending next() ends', pending)).toEqual({ done: true, value: undefined });
    expect(await reply.ended).toEqual({ kind: 'cancelled', bytes: 0 });
  });

  test('a call that is aborted while nobody pulls has an outcome', async () => {
    const { answer, settle } = silent();
    const reply = await translate(
      answer,
      'responses',
      cardOf('chat'),
      countingTools(),
    )(aCall('responses', body), signal);
    settle({ kind: 'cancelled', bytes: 12 });
    expect(await within('the outcome', reply.ended)).toEqual({ kind: 'cancelled', bytes: 0 });
  });
});

describe('a Responses upstream', () => {
  const chat = { model: 'alias', messages: [], stream: true };
  test.each([
    ['an error event', [event({ type: 'error', message: 'boom', code: 'server_error' })], 502],
    [
      'response.failed',
      [
        event({
          type: 'response.failed',
          response: { error: { code: 'rate_limit_exceeded', message: 'boom' } },
        }),
      ],
      429,
    ],
  ])('that sends %s fails the stream with its message', async (_, chunks, status) => {
    const upstream = new ScriptedUpstream({ chunks });
    const reply = await translate(
      upstream.answer,
      'chat',
      cardOf('responses'),
      countingTools(),
    )(aCall('chat', chat), signal);
    const { text, error } = await drained(reply);
    expect(text).toBe('');
    expect(error).toMatchObject({ code: 'upstream_error', message: `boom${AT}`, status });
  });

  test.each([
    ['its connection', []],
    ['[DONE]', ['data: [DONE]\n\n']],
  ])('that ends with %s alone is cut', async (_, end) => {
    const upstream = new ScriptedUpstream({
      chunks: [event({ type: 'response.created', response: {} }), ...end],
    });
    const reply = await translate(
      upstream.answer,
      'chat',
      cardOf('responses'),
      countingTools(),
    )(aCall('chat', chat), signal);
    expect((await drained(reply)).error?.code).toBe('upstream_truncated');
  });
});
