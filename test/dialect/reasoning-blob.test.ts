/** Reasoning that goes through a client and comes back with the next turn: to who told it, and to nobody else. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/call.ts';
import { REASONING_BLOB_CHARS_MAX } from '../../src/core/limits.ts';
import { openReasoning, sealReasoning } from '../../src/dialect/reasoning-blob.ts';
import { translate } from '../../src/dialect/translate.ts';
import { responsesEvents, sseEvents } from '../support/sse-text.ts';
import { aCall, cardOf, countingTools, drained, ScriptedUpstream } from './scripted.ts';

const INCLUDE = { include: ['reasoning.encrypted_content'] };

interface Item {
  readonly type: string;
  readonly encrypted_content?: string;
  readonly summary?: unknown;
}

async function asked(
  from: Dialect,
  to: Dialect,
  body: object,
  upstream: ScriptedUpstream,
  provider = 'scripted',
) {
  const call = aCall(from, { model: 'm', ...body }, 'stream' in body);
  const answer = translate(upstream.answer, from, cardOf(to, provider), countingTools());
  const { text, error } = await drained(await answer(call, new AbortController().signal));
  expect(error).toBeUndefined();
  return text;
}

/** What a chat upstream that answers with this message makes of a Responses client's output. */
async function output(message: object, isStream: boolean, more: object = INCLUDE): Promise<readonly Item[]> {
  const whole = { choices: [{ index: 0, message, finish_reason: 'stop' }] };
  const chunk = { choices: [{ index: 0, delta: message, finish_reason: 'stop' }] };
  const chunks = isStream ? [`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`] : [JSON.stringify(whole)];
  const body = { input: 'Hi', ...more, ...(isStream ? { stream: true } : {}) };
  const text = await asked('responses', 'chat', body, new ScriptedUpstream({ chunks }));
  if (!isStream) return JSON.parse(text).output;
  const events = responsesEvents(text).map(Object);
  const done = events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item);
  expect(events.at(-1).response.output).toEqual(done);
  return done;
}

/** The assistant's message that a chat upstream gets for these items. */
async function sentBack(items: readonly unknown[], provider = 'scripted'): Promise<unknown> {
  const upstream = new ScriptedUpstream({ chunks: ['{"choices":[{"message":{"content":"ok"}}]}'] });
  const input = [{ role: 'user', content: 'Hi' }, ...items, { role: 'user', content: 'On' }];
  await asked('responses', 'chat', { input }, upstream, provider);
  return Object(upstream.request).messages[1];
}

const thinking = (text: string) => ({ type: 'thinking', thinking: [{ type: 'text', text }] });
const details = [
  { type: 'reasoning.summary', summary: 'Hm', id: 'rs_1', format: 'openai-responses-v1', index: 0 },
  { type: 'reasoning.encrypted', data: 'gAAA', id: 'rs_1', format: 'openai-responses-v1', index: 1 },
];

describe.each([true, false])('a chat upstream, stream %s', (isStream) => {
  test.each<[string, object, object, object]>([
    ['reasoning_content', { reasoning_content: 'Hm' }, { reasoning_content: 'Hm' }, { content: 'So' }],
    ['reasoning', { reasoning: 'Hm' }, { reasoning: 'Hm' }, { content: 'So' }],
    ['reasoning_text', { reasoning_text: 'Hm' }, { reasoning_text: 'Hm' }, { content: 'So' }],
    [
      'parts that think',
      { content: [thinking('Hm'), { type: 'text', text: 'So' }] },
      { content: [thinking('Hm'), { type: 'text', text: 'So' }] },
      {},
    ],
    [
      'details',
      { reasoning: 'Hm', reasoning_details: details },
      { reasoning_details: details },
      { content: 'So' },
    ],
  ])('gets its reasoning back as it told it: %s', async (_, told, expected, said) => {
    const items = await output({ ...told, ...said }, isStream);
    expect(items.map(({ type }) => type)).toEqual(['reasoning', 'message']);
    expect(items[0]?.summary).toEqual([{ type: 'summary_text', text: 'Hm' }]);
    expect(await sentBack(items)).toEqual({ role: 'assistant', ...said, ...expected });
  });

  test('of another provider gets the text alone, under the name that most read', async () => {
    const items = await output({ content: 'So', reasoning: 'Hm', reasoning_details: details }, isStream);
    const message = { role: 'assistant', content: 'So', reasoning_content: 'Hm' };
    expect(await sentBack(items, 'other')).toEqual(message);
  });

  test('that told nothing but a blob gets that', async () => {
    const only = details.slice(1);
    const items = await output({ content: 'So', reasoning_details: only }, isStream);
    expect(await sentBack(items)).toEqual({ role: 'assistant', content: 'So', reasoning_details: only });
    expect(await sentBack(items, 'other')).toEqual({ role: 'assistant', content: 'So' });
  });

  test('gives no blob to a client that did not ask for one', async () => {
    const items = await output({ content: 'So', reasoning_content: 'Hm' }, isStream, {});
    expect(items[0]).not.toHaveProperty('encrypted_content');
  });

  test('gives no blob that a client could not carry', async () => {
    const text = 'x'.repeat(REASONING_BLOB_CHARS_MAX);
    const items = await output({ content: 'So', reasoning_content: text }, isStream);
    expect(items[0]).not.toHaveProperty('encrypted_content');
    expect(await sentBack(items)).toMatchObject({ reasoning_content: text });
  });
});

test('details that come in pieces are put together as they were', async () => {
  const piece = (fields: object) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { reasoning_details: [fields] } }] })}\n\n`;
  const text = { type: 'reasoning.text', format: 'anthropic-claude-v1', index: 0 };
  const chunks = [
    piece({ ...text, text: 'H' }),
    piece({ ...text, text: 'm' }),
    piece({ ...text, signature: 'sig' }),
    'data: {"choices":[{"index":0,"delta":{"content":"So"},"finish_reason":"stop"}]}\n\n',
  ];
  const body = { input: 'Hi', stream: true, ...INCLUDE };
  const events = responsesEvents(await asked('responses', 'chat', body, new ScriptedUpstream({ chunks })));
  const whole = { ...text, text: 'Hm', signature: 'sig' };
  expect(await sentBack(Object(events.at(-1)).response.output)).toMatchObject({ reasoning_details: [whole] });
});

test.each([
  ['a blob of a provider, with a summary', { encrypted_content: 'gAAAA' }, 'Seen'],
  ['a blob that is null', { encrypted_content: null }, 'Seen'],
  [
    'a blob of ours that was broken',
    { encrypted_content: `${sealReasoning({ text: 'Hm' })?.slice(0, -9)}` },
    'Seen',
  ],
  ['a blob of ours', { encrypted_content: sealReasoning({ text: 'Hm' }) }, 'Hm'],
])('%s comes to a chat upstream as text', async (_, fields, expected) => {
  const item = { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Seen' }], ...fields };
  const message = await sentBack([item, { role: 'assistant', content: 'So' }]);
  expect(message).toEqual({ role: 'assistant', content: 'So', reasoning_content: expected });
});

describe('the blob of a Responses upstream', () => {
  const item = {
    id: 'rs_1',
    type: 'reasoning',
    summary: [{ type: 'summary_text', text: 'Hm' }],
    encrypted_content: 'gAAAA',
  };
  const said = { id: 'm', type: 'message', content: [{ type: 'output_text', text: 'So' }] };
  const reply = { object: 'response', status: 'completed', output: [item, said] };
  const request = { messages: [{ role: 'user', content: 'Hi' }], reasoning_effort: 'low' };

  async function chatMessage(isStream: boolean): Promise<object> {
    const last = `data: ${JSON.stringify({ type: 'response.completed', response: reply })}\n\n`;
    const upstream = new ScriptedUpstream({ chunks: [isStream ? last : JSON.stringify(reply)] });
    const body = isStream ? { ...request, stream: true } : request;
    const text = await asked('chat', 'responses', body, upstream, 'openai');
    expect(upstream.request).toMatchObject(INCLUDE);
    if (!isStream) return JSON.parse(text).choices[0].message;
    const deltas = sseEvents(text)
      .slice(0, -1)
      .map(({ data }) => JSON.parse(data).choices[0].delta);
    expect(deltas.filter(({ reasoning_content: one }) => one === 'Hm')).toHaveLength(1);
    const reasoning_details = deltas.flatMap((delta) => delta.reasoning_details ?? []);
    return { role: 'assistant', content: 'So', reasoning_content: 'Hm', reasoning_details };
  }

  async function given(message: object, provider: string): Promise<unknown> {
    const upstream = new ScriptedUpstream({ chunks: [JSON.stringify(reply)] });
    await asked('chat', 'responses', { messages: [message] }, upstream, provider);
    return Object(upstream.request).input;
  }

  test.each([true, false])('goes back to it through a chat client, stream %s', async (isStream) => {
    const input = await given(await chatMessage(isStream), 'openai');
    expect(input).toEqual([
      { type: 'reasoning', summary: [], encrypted_content: 'gAAAA' },
      expect.objectContaining({ role: 'assistant' }),
    ]);
  });

  test.each([true, false])('goes to no other provider, stream %s', async (isStream) => {
    expect(JSON.stringify(await given(await chatMessage(isStream), 'other'))).not.toContain('gAAAA');
  });

  test.each([true, false])(
    'is one of several, each with its own number and in their order, stream %s',
    async (isStream) => {
      const output = [item, { ...item, id: 'rs_2', encrypted_content: 'gBBBB' }, said];
      const several = { ...reply, output };
      const last = `data: ${JSON.stringify({ type: 'response.completed', response: several })}\n\n`;
      const upstream = new ScriptedUpstream({ chunks: [isStream ? last : JSON.stringify(several)] });
      const body = isStream ? { ...request, stream: true } : request;
      const text = await asked('chat', 'responses', body, upstream, 'openai');
      const told: readonly { reasoning_details?: readonly object[] }[] = isStream
        ? sseEvents(text)
            .slice(0, -1)
            .map(({ data }) => JSON.parse(data).choices[0].delta)
        : [JSON.parse(text).choices[0].message];
      const reasoning_details = told.flatMap((one) => one.reasoning_details ?? []);
      expect(reasoning_details).toMatchObject([
        { index: 0, data: 'gAAAA' },
        { index: 1, data: 'gBBBB' },
      ]);
      expect(await given({ role: 'assistant', content: 'So', reasoning_details }, 'openai')).toMatchObject([
        { type: 'reasoning', encrypted_content: 'gAAAA' },
        { type: 'reasoning', encrypted_content: 'gBBBB' },
        { role: 'assistant' },
      ]);
    },
  );

  test('is not asked for where the client wants no reasoning', async () => {
    const upstream = new ScriptedUpstream({ chunks: [JSON.stringify(reply)] });
    await asked('chat', 'responses', { ...request, reasoning_effort: 'none' }, upstream);
    expect(upstream.request).not.toHaveProperty('include');
  });

  test('of nobody, as OpenRouter gives them, is not taken for one', async () => {
    const message = { role: 'assistant', content: 'So', reasoning_details: details };
    expect(await given(message, 'openai')).toEqual([expect.objectContaining({ role: 'assistant' })]);
  });
});

test('what is sealed opens as it was', () => {
  const blob = fc.record(
    { dialect: fc.constantFrom<Dialect>('chat', 'responses'), provider: fc.string(), data: fc.string() },
    { requiredKeys: ['dialect', 'data'], noNullPrototype: true },
  );
  const opened = fc.record(
    { text: fc.string({ minLength: 1, unit: 'grapheme' }), blob },
    { requiredKeys: ['text'], noNullPrototype: true },
  );
  fc.assert(
    fc.property(opened, (one) => {
      expect(openReasoning(sealReasoning(one) ?? '')).toEqual(one);
    }),
  );
});
