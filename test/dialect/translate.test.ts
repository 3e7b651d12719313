/** The translator around an answer: what it sends on, and what it refuses. */
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/call.ts';
import { translate } from '../../src/dialect/translate.ts';
import { aCall, countingTools, drained, type Script, ScriptedUpstream, cardOf } from './scripted.ts';

const signal = new AbortController().signal;
const body = { model: 'alias', input: 'Hi', stream: true };

async function streamed(script: Script) {
  const upstream = new ScriptedUpstream(script);
  const answer = translate(upstream.answer, 'responses', cardOf('chat'), countingTools());
  return { upstream, reply: await answer(aCall('responses', body), signal) };
}

/** A request that is fine but for the depth of a tool's schema. */
function deep(levels: number): string {
  const schema = `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  return `{"model":"m","input":"Hi","tools":[{"type":"function","name":"f","parameters":${schema}}]}`;
}

describe('the call', () => {
  test('an upstream of the same dialect is not wrapped at all', () => {
    const { answer } = new ScriptedUpstream({ chunks: [] });
    expect(translate(answer, 'chat', cardOf('chat'), countingTools())).toBe(answer);
  });

  test("goes on in the upstream's dialect, with the resolved model and all else as it was", async () => {
    const upstream = new ScriptedUpstream({ chunks: [] });
    const call = { ...aCall('responses', body), session: 's', headers: { session_id: 'x' } };
    await translate(upstream.answer, 'responses', cardOf('chat'), countingTools())(call, signal);
    const [sent] = upstream.calls;
    expect(sent).toMatchObject({ id: call.id, dialect: 'chat', session: 's', headers: { session_id: 'x' } });
    expect(upstream.request).toMatchObject({ model: 'upstream-model', stream: true });
  });

  test.each([
    ['no JSON', '{"model":', 'invalid_json'],
    ['text that is no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'invalid_json'],
    ['a list', '[]', 'bad_request'],
    ['no model', '{"input":"Hi"}', 'bad_request'],
    ['JSON of endless depth', deep(5_000), 'bad_request'],
  ])('%s is refused before the upstream is called', async (_, text, code) => {
    const upstream = new ScriptedUpstream({ chunks: [] });
    const answer = translate(upstream.answer, 'responses', cardOf('chat'), countingTools());
    await expect(answer(aCall('responses', text), signal)).rejects.toMatchObject({ code, status: 400 });
    expect(upstream.calls).toHaveLength(0);
  });

  test('a schema of sixty levels is not too deep', async () => {
    const upstream = new ScriptedUpstream({ chunks: [] });
    await translate(
      upstream.answer,
      'responses',
      cardOf('chat'),
      countingTools(),
    )(aCall('responses', deep(60)), signal);
    expect(upstream.calls).toHaveLength(1);
  });

  test('a key that would reach the prototype reaches nothing', async () => {
    const upstream = new ScriptedUpstream({ chunks: [] });
    const text = '{"model":"m","input":"Hi","__proto__":{"top_p":1},"metadata":{"__proto__":"x"}}';
    await translate(
      upstream.answer,
      'responses',
      cardOf('chat'),
      countingTools(),
    )(aCall('responses', text), signal);
    expect(upstream.request).toEqual({
      model: 'upstream-model',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(Object.hasOwn(Object.prototype, 'top_p')).toBe(false);
  });

  test.each<[Dialect, Dialect, object, string | undefined]>([
    [
      'chat',
      'responses',
      { seed: 1, logit_bias: {}, prediction: {}, presence_penalty: 1, frequency_penalty: 1 },
      'presence_penalty, frequency_penalty, seed, logit_bias, prediction',
    ],
    ['chat', 'responses', { temperature: 1, metadata: { a: 'b' }, store: true }, undefined],
    [
      'responses',
      'chat',
      { metadata: { a: 'b' }, store: true, max_tool_calls: 3, tools: [{ type: 'web_search' }] },
      'tools[0], metadata, max_tool_calls',
    ],
    ['responses', 'chat', { store: false, presence_penalty: 1 }, undefined],
  ])('%s to %s: what is left out of %j is named in a header', async (from, to, more, names) => {
    const upstream = new ScriptedUpstream({ chunks: [] });
    const call = aCall(from, {
      model: 'm',
      ...(from === 'chat' ? { messages: [] } : { input: 'Hi' }),
      ...more,
    });
    const { headers } = await translate(upstream.answer, from, cardOf(to), countingTools())(call, signal);
    expect(headers['x-clawmatrix-left-out']).toBe(names);
  });

  test('what its owner left out is named behind that', async () => {
    const headers = { 'x-clawmatrix-left-out': 'store' };
    const upstream = new ScriptedUpstream({ headers, chunks: [] });
    const answer = translate(upstream.answer, 'chat', cardOf('responses'), countingTools());
    const reply = await answer(aCall('chat', { model: 'm', messages: [], seed: 1 }), signal);
    expect(reply.headers['x-clawmatrix-left-out']).toBe('seed, store');
  });

  test("the upstream's own refusal passes as it is", async () => {
    const text = '{"error":{"message":"no","type":"t","param":null,"code":"c"}}';
    const { reply } = await streamed({
      status: 404,
      headers: { 'content-type': 'application/json' },
      chunks: [text],
    });
    expect(reply).toMatchObject({ status: 404, headers: { 'content-type': 'application/json' } });
    expect((await drained(reply)).text).toBe(text);
  });
});
