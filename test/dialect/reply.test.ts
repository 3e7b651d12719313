/** Whole replies without a stream, from each dialect into the other. */
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/call.ts';
import { translate } from '../../src/dialect/translate.ts';
import { ResponseObject } from '../support/responses-schemas.ts';
import { aCall, AT, countingTools, drained, ScriptedUpstream, cardOf } from './scripted.ts';

const bodies = { chat: { model: 'alias', messages: [] }, responses: { model: 'alias', input: 'Hi' } };

async function answered(upstream: Dialect, reply: unknown) {
  const client = upstream === 'chat' ? 'responses' : 'chat';
  const script = new ScriptedUpstream({
    chunks: [typeof reply === 'string' ? reply : JSON.stringify(reply)],
  });
  const answer = translate(script.answer, client, cardOf(upstream), countingTools());
  const got = await answer(aCall(client, bodies[client], false), new AbortController().signal);
  const { text, error } = await drained(got);
  expect(error).toBeUndefined();
  return { ...got, json: JSON.parse(text), outcome: await got.ended, bytes: Buffer.byteLength(text) };
}

const usage = {
  prompt_tokens: 3,
  completion_tokens: 4,
  total_tokens: 7,
  prompt_tokens_details: { cached_tokens: 2 },
  completion_tokens_details: { reasoning_tokens: 1 },
};
const responsesUsage = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 2 },
  output_tokens: 4,
  output_tokens_details: { reasoning_tokens: 1 },
  total_tokens: 7,
};

function completion(message: object, finish_reason = 'stop') {
  return { choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason }], usage };
}

function response(output: object[], more: object = {}) {
  return { object: 'response', status: 'completed', output, usage: responsesUsage, ...more };
}

const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
const message = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hello' }] };
const functionCall = {
  type: 'function_call',
  call_id: 'c1',
  name: 'f',
  arguments: '{}',
  status: 'completed',
};

describe('a chat reply for a Responses client', () => {
  test.each([
    ['text', completion({ content: 'Hello' }), 'completed', [{ type: 'message', status: 'completed' }]],
    [
      'reasoning, text and calls, in this order',
      completion({ content: 'Hi', reasoning: 'hm', tool_calls: [call] }, 'stop'),
      'completed',
      [
        { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] },
        { type: 'message', content: [{ type: 'output_text', text: 'Hi' }] },
        { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{"a":1}' },
      ],
    ],
    [
      'a refusal',
      completion({ content: null, refusal: 'No.' }),
      'completed',
      [{ content: [{ type: 'refusal' }] }],
    ],
    [
      'an answer that was cut',
      completion({ content: 'He' }, 'length'),
      'incomplete',
      [{ status: 'incomplete' }],
    ],
    [
      'a filtered answer',
      completion({ content: 'He' }, 'content_filter'),
      'incomplete',
      [{ type: 'message' }],
    ],
    [
      'an unknown finish reason',
      completion({ content: 'Hello' }, 'eos_token'),
      'completed',
      [{ type: 'message' }],
    ],
  ])('%s', async (_, reply, status, output) => {
    const { json } = await answered('chat', reply);
    expect(ResponseObject.parse(json).status).toBe(status);
    expect(json).toMatchObject({ output, usage: responsesUsage, model: 'alias' });
  });

  test('a reply of error with the status 200 is the status that it names', async () => {
    const error = { message: 'slow down', code: 429 };
    const { status, json } = await answered('chat', { error });
    expect(status).toBe(429);
    expect(json).toEqual({
      error: { message: `slow down${AT}`, type: 'rate_limit_error', param: null, code: '429' },
    });
  });
});

describe('a Responses reply for a chat client', () => {
  test.each([
    ['text', response([message]), 'stop', { content: 'Hello', refusal: null }],
    [
      'calls',
      response([functionCall]),
      'tool_calls',
      {
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
    ],
    [
      'reasoning',
      response([{ type: 'reasoning', summary: [{ text: 'a' }, { text: 'b' }] }, message]),
      'stop',
      { content: 'Hello', reasoning_content: 'a\n\nb' },
    ],
    [
      'messages of two phases',
      response([
        { ...message, phase: 'commentary' },
        { ...message, phase: 'final_answer' },
      ]),
      'stop',
      { content: 'Hello\n\nHello' },
    ],
    [
      'a cut answer',
      response([message], { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }),
      'length',
      { content: 'Hello' },
    ],
  ])('%s', async (_, reply, finish_reason, expected) => {
    const { json } = await answered('responses', reply);
    expect(json).toMatchObject({ object: 'chat.completion', model: 'alias', usage });
    expect(json.choices).toMatchObject([
      { index: 0, finish_reason, message: { role: 'assistant', ...expected } },
    ]);
  });

  test.each(['incomplete', 'in_progress'])(
    'a call that was cut (%s) is left out, as its arguments cannot be parsed',
    async (status) => {
      const cut = { ...functionCall, status, arguments: '{"a' };
      const { json } = await answered('responses', response([message, cut], { status: 'incomplete' }));
      expect(json.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'Hello' } });
      expect(json.choices[0].message).not.toHaveProperty('tool_calls');
    },
  );

  test('a whole call is kept, whatever its status says', async () => {
    const stale = response([{ ...functionCall, status: 'in_progress' }]);
    expect((await answered('responses', stale)).json.choices[0].message.tool_calls).toHaveLength(1);
  });

  test('text in a part of the type "text" is not lost', async () => {
    const { json } = await answered(
      'responses',
      response([{ ...message, content: [{ type: 'text', text: 'Hello' }] }]),
    );
    expect(json.choices[0].message.content).toBe('Hello');
  });

  test.each([
    ['rate_limit_exceeded', 429],
    ['invalid_prompt', 400],
    ['context_length_exceeded', 400],
    ['server_error', 502],
  ])('a response that failed with %s is an error with the status %i', async (code, status) => {
    const got = await answered(
      'responses',
      response([], { status: 'failed', error: { code, message: 'no' } }),
    );
    expect(got.status).toBe(status);
    expect(got.json.error).toMatchObject({ message: `no${AT}`, code });
  });
});

test.each<Dialect>(['chat', 'responses'])(
  '%s: an error in the form of old servers is told with its words',
  async (from) => {
    const got = await answered(from, { object: 'error', message: 'too long', code: 400 });
    expect(got.status).toBe(400);
    expect(got.json.error).toMatchObject({ message: `too long${AT}`, code: '400' });
  },
);

test("what OpenRouter's provider said is told", async () => {
  const error = {
    message: 'Provider returned error',
    code: 429,
    metadata: { raw: 'slow down', provider_name: 'x' },
  };
  const got = await answered('chat', { error });
  expect(got.status).toBe(429);
  expect(got.json.error.message).toBe(`Provider returned error: slow down${AT}`);
});

test('one choice is the answer, whatever its number', async () => {
  const choice = { index: 1, message: { content: 'yes' }, finish_reason: 'stop' };
  const { json } = await answered('chat', { choices: [choice] });
  expect(JSON.stringify(json.output)).toContain('yes');
});

test('of several choices the first is the one with the number 0', async () => {
  const choice = (index: number, content: string) => ({ index, message: { content }, finish_reason: 'stop' });
  const { json } = await answered('chat', { choices: [choice(1, 'no'), choice(0, 'yes')] });
  expect(json.output).toMatchObject([{ content: [{ text: 'yes' }] }]);
});

test('a whole reply ends with its own bytes, finish and usage, as application/json', async () => {
  const { headers, outcome, bytes } = await answered('chat', completion({ content: 'Hello' }));
  expect(headers['content-type']).toBe('application/json');
  expect(outcome).toEqual({
    kind: 'complete',
    bytes,
    finish: 'stop',
    usage: { inputTokens: 3, outputTokens: 4 },
  });
});

test.each([
  ['no JSON', '<html>'],
  ['no completion', '[]'],
  ['a completion without its message', { choices: [{}] }],
  ['a call without a name', completion({ tool_calls: [{ id: 'a', function: { arguments: '{}' } }] })],
])('%s is an error of the upstream', async (_, reply) => {
  await expect(answered('chat', reply)).rejects.toMatchObject({ code: 'upstream_protocol', status: 502 });
});

test('a response that has not ended is no answer', async () => {
  await expect(answered('responses', response([], { status: 'queued' }))).rejects.toMatchObject({
    code: 'upstream_protocol',
  });
});

test('a whole reply that is left before it is read ends as cancelled', async () => {
  const script = new ScriptedUpstream({ chunks: [JSON.stringify(completion({ content: 'Hello' }))] });
  const answer = translate(script.answer, 'responses', cardOf('chat'), countingTools());
  const reply = await answer(aCall('responses', bodies.responses, false), new AbortController().signal);
  await reply.body[Symbol.asyncIterator]().return?.();
  expect(await reply.ended).toEqual({ kind: 'cancelled', bytes: 0 });
});
