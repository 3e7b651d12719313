/** Golden streams: what an upstream of one dialect sends, and every event that a client of the other gets for it. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/call.ts';
import { translate } from '../../src/dialect/translate.ts';
import { checkResponsesStream } from '../support/responses-rules.ts';
import { responsesEvents, sseEvents } from '../support/sse-text.ts';
import { aCall, countingTools, drained, ScriptedUpstream, cardOf } from './scripted.ts';

const folder = new URL('../../fixtures/dialect/', import.meta.url);

function cases(upstream: Dialect): string[] {
  return readdirSync(new URL(`${upstream}-upstream/`, folder))
    .filter((name) => name.endsWith('.upstream.sse'))
    .map((name) => name.slice(0, -'.upstream.sse'.length));
}

function fixture(upstream: Dialect, name: string, kind: string): URL {
  return new URL(`${upstream}-upstream/${name}.${kind}`, folder);
}

async function played(upstream: Dialect, client: Dialect, name: string): Promise<string> {
  const script = new ScriptedUpstream({ chunks: [readFileSync(fixture(upstream, name, 'upstream.sse'))] });
  const answer = translate(script.answer, client, cardOf(upstream), countingTools());
  const body = readFileSync(fixture(upstream, name, 'request.json'), 'utf8');
  const reply = await answer(aCall(client, body), new AbortController().signal);
  const { text, error } = await drained(reply);
  expect(error).toBeUndefined();
  return text;
}

/** The SDK, fed without a socket. */
function sdk(text: string): OpenAI {
  const headers = { 'content-type': 'text/event-stream' };
  return new OpenAI({
    apiKey: 'none',
    baseURL: 'http://127.0.0.1/v1',
    maxRetries: 0,
    fetch: async () => new Response(text, { headers }),
  });
}

describe('a chat upstream for a Responses client', () => {
  test.each(cases('chat'))('%s: the events are those of the golden file', async (name) => {
    const text = await played('chat', 'responses', name);
    await expect(text).toMatchFileSnapshot(fileURLToPath(fixture('chat', name, 'client.sse')));
  });

  test.each(cases('chat'))('%s: the stream keeps every rule of Responses', async (name) => {
    const text = await played('chat', 'responses', name);
    checkResponsesStream(responsesEvents(text));
    expect(sseEvents(text).at(-1)).toEqual({ name: undefined, data: '[DONE]' });
  });

  test.each(cases('chat'))("%s: OpenAI's SDK puts the same response together", async (name) => {
    const text = await played('chat', 'responses', name);
    const stream = sdk(text).responses.stream({ model: 'alias', input: 'Hello' });
    const final = await stream.finalResponse();
    const last: { response?: { output?: unknown; status?: string } } = JSON.parse(
      sseEvents(text).at(-2)?.data ?? '{}',
    );
    expect(final.output).toMatchObject(Object(last.response?.output));
    expect(final.status).toBe(last.response?.status);
  });
});

describe('a Responses upstream for a chat client', () => {
  test.each(cases('responses'))('%s: the chunks are those of the golden file', async (name) => {
    const text = await played('responses', 'chat', name);
    await expect(text).toMatchFileSnapshot(fileURLToPath(fixture('responses', name, 'client.sse')));
  });

  test.each(cases('responses'))('%s: the chunks have one id, no event names, one end', async (name) => {
    const events = sseEvents(await played('responses', 'chat', name));
    expect(events.every((event) => event.name === undefined)).toBe(true);
    expect(events.at(-1)?.data).toBe('[DONE]');
    const chunks = events.slice(0, -1).map(({ data }) => JSON.parse(data));
    expect(new Set(chunks.map(({ id, created, model }) => `${id} ${created} ${model}`)).size).toBe(1);
    expect(chunks[0].choices[0].delta).toEqual({ role: 'assistant', content: '' });
    const finishes = chunks.map((chunk) => chunk.choices[0]?.finish_reason).filter(Boolean);
    expect(finishes).toHaveLength(1);
  });

  test.each(cases('responses'))("%s: OpenAI's SDK puts a completion together", async (name) => {
    const text = await played('responses', 'chat', name);
    const stream = sdk(text).chat.completions.stream({ model: 'alias', messages: [] });
    const choice = (await stream.finalChatCompletion()).choices[0];
    const told = sseEvents(text)
      .slice(0, -1)
      .map(({ data }) => JSON.parse(data).choices[0]?.delta?.content ?? '')
      .join('');
    expect(choice?.message.content ?? '').toBe(told);
    for (const call of choice?.message.tool_calls ?? [])
      if (call.type === 'function') expect(JSON.parse(call.function.arguments)).toBeTypeOf('object');
  });
});
