/** Upstreams that are slow to begin, through two daemons: what clients are told before, and that the answer is one. */
import type { ServerResponse } from 'node:http';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { chatBody, chatEvents, responsesEvents } from '../support/openai-bodies.ts';
import { checkResponsesStream } from '../support/responses-rules.ts';
import { json } from '../support/scripted-upstream.ts';
import { responsesEvents as read } from '../support/sse-text.ts';
import { MODELS, post, startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';

let nodes: TwoNodes;
beforeAll(async () => {
  nodes = await startTwoNodes({ alpha: { timeouts: { holdMs: 50, wholeKeepaliveMs: 50 } } });
});
afterAll(async () => {
  await nodes?.[Symbol.asyncDispose]();
});

const EVENTS = {
  chat: chatEvents({ text: ['Hel', 'lo'] }),
  responses: responsesEvents({ text: ['Hel', 'lo'] }),
};
const UPSTREAMS = ['chat', 'responses'] as const;

/** The next call of the upstream gets no byte, not even a head, until it is answered with this. */
function silent(answer: (response: ServerResponse) => void): () => Promise<void> {
  let waiting: ServerResponse | undefined;
  nodes.upstream.next((response) => {
    waiting = response;
  });
  return async () => answer(await eventually('the upstream is asked', () => waiting));
}

const streams = (upstream: (typeof UPSTREAMS)[number]) => (response: ServerResponse) =>
  void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(EVENTS[upstream].join(''));

/** What has come before the upstream says a word, and then all of it. */
async function late(path: string, upstream: (typeof UPSTREAMS)[number], body: object) {
  const answer = silent(streams(upstream));
  const reply = await post(`${nodes.url}${path}`, { model: MODELS[upstream], stream: true, ...body });
  const reader = reply.body?.getReader();
  const next = async () => Buffer.from((await reader?.read())?.value ?? '').toString();
  const early = await next();
  await answer();
  let text = early;
  for (let chunk = await next(); chunk !== ''; chunk = await next()) text += chunk;
  return { early, text };
}

describe.each(UPSTREAMS)('in front of %s', (upstream) => {
  test('a Responses client has its response begun before the upstream does, and it is one to the end', async () => {
    const body = { input: 'Say it.', instructions: 'Be brief.' };
    const { early, text } = await late('/responses', upstream, body);
    expect(early).toMatch(/^event: response\.created\n/);
    const events = read(text.replace(/^: .*\n\n/gm, ''));
    const ids = events.flatMap((event) => Reflect.get(Object(event), 'response')?.id ?? []);
    expect(new Set(ids).size).toBe(1);
    expect(events[0]).toMatchObject({ response: { instructions: 'Be brief.' } });
    expect(events).toEqual(events.map((_, at) => expect.objectContaining({ sequence_number: at })));
    expect(events.at(-1)).toMatchObject({ type: 'response.completed' });
    if (upstream === 'chat') checkResponsesStream(events);
  });

  test('a chat client has an event before the upstream says a word', async () => {
    const messages = [{ role: 'user', content: 'Say it.' }];
    const { early, text } = await late('/chat/completions', upstream, { messages });
    expect(early).toContain('"delta":{}');
    expect(text).toMatch(/"Hel"[^]*"lo"[^]*\[DONE\]\n\n$/);
  });

  test('OpenAI’s own client puts the response together', async () => {
    const answer = silent(streams(upstream));
    const openai = new OpenAI({ baseURL: nodes.url, apiKey: 'none', maxRetries: 0 });
    const reading = openai.responses.stream({ model: MODELS[upstream], input: 'Say it.' });
    const types: string[] = [];
    reading.on('event', ({ type }) => types.push(type));
    await eventually('it has begun', () => types.includes('response.in_progress'));
    await answer();
    expect((await reading.finalResponse()).output_text).toBe('Hello');
  });
});

test('a call without a stream is kept alive by white space where that is configured', async () => {
  const answer = silent(json(200, chatBody({ text: ['late'] })));
  const messages = [{ role: 'user', content: 'Say it.' }];
  const reply = await post(`${nodes.url}/chat/completions`, { model: MODELS.chat, messages });
  expect(reply.status).toBe(200);
  const reader = reply.body?.getReader();
  expect(Buffer.from((await reader?.read())?.value ?? '').toString()).toBe('\n');
  await answer();
  let text = '';
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read())
    text += Buffer.from(part.value).toString();
  expect(JSON.parse(text)).toMatchObject({ choices: [{ message: { content: 'late' } }] });
});
