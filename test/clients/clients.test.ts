import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chatEvents, dataEvent, namedEvent, responsesEvents } from '../support/openai-bodies.ts';
import { answers, cutsAfter, raw, refuses, says } from '../support/scripted-upstream.ts';
import { MODELS, startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';
import { aiSdk } from './ai-sdk.ts';
import type { Place } from './client.ts';
import { langchain } from './langchain.ts';
import { openai } from './openai.ts';
import { piAi } from './pi-ai.ts';

let nodes: TwoNodes;
beforeAll(async () => {
  nodes = await startTwoNodes();
});
afterAll(async () => {
  await nodes?.[Symbol.asyncDispose]();
});

const CALL = { id: 'call_1', name: 'get_weather', arguments: '{"city":"Oslo"}' };
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const EVENT_STREAM = { 'content-type': 'text/event-stream' };

/** The start of a stream in the upstream's own dialect, with some text in it. */
const BEGUN = {
  chat: chatEvents({ text: ['Half of', ' it'] })
    .slice(0, 2)
    .join(''),
  responses: responsesEvents({ text: ['Half of', ' it'] })
    .slice(0, 5)
    .join(''),
};
/** How a server of that dialect tells that it broke. */
const BROKEN = {
  chat: dataEvent({ error: { message: 'out of memory', type: 'server_error', param: null, code: 'oom' } }),
  responses: namedEvent(
    Object.assign(
      { type: 'error', sequence_number: 5 },
      { code: 'oom', message: 'out of memory', param: null },
    ),
  ),
};

const lastSent = () => nodes.upstream.requests.at(-1)?.body.toString() ?? '';

const clients = [...openai, ...aiSdk, ...langchain, ...piAi].map(
  (client) => [client.name, client.api, client] as const,
);

describe.each(clients)('%s on %s', (_name, _api, client) => {
  describe.each(['chat', 'responses'] as const)('with an upstream that speaks %s', (upstream) => {
    const place = (): Place => ({ url: nodes.url, model: MODELS[upstream] });

    /** What the library's own error says of a call that has to fail. */
    async function failure(at = place()) {
      const error: unknown = await client.ask(at, { text: 'Hi' }).then(
        (heard) => expect.fail(`a whole answer: ${JSON.stringify(heard)}`),
        (reason: unknown) => reason,
      );
      return client.failure(error) ?? expect.fail(`not an error of the library: ${String(error)}`);
    }

    test('text streams piece by piece, and the usage is seen', async () => {
      nodes.upstream.next(answers({ text: ['Hel', 'lo', ' you'], usage: { input: 11, output: 3 } }));
      const heard = await client.ask(place(), { text: 'Say it.' });
      expect(heard).toEqual({
        text: 'Hello you',
        pieces: ['Hel', 'lo', ' you'],
        usage: { input: 11, output: 3 },
      });
      expect(lastSent()).toContain('Say it.');
    });

    test('a tool is called, its result goes back, the final answer comes', async () => {
      nodes.upstream.next(answers({ text: ['Let me look.'], toolCalls: [CALL] }));
      nodes.upstream.next(says('It rains', ' in Oslo.'));
      const cities: string[] = [];
      const weather = (city: string) => {
        cities.push(city);
        return 'rain, 7 degrees';
      };
      const heard = await client.ask(place(), { text: 'Weather?', weather });
      expect(cities).toEqual(['Oslo']);
      expect(heard.text).toBe('It rains in Oslo.');
      const sent = lastSent();
      for (const part of ['Weather?', 'Let me look.', CALL.id, 'Oslo', 'rain, 7 degrees'])
        expect(sent).toContain(part);
    });

    test('an image reaches the upstream', async () => {
      nodes.upstream.next(says('A pixel.'));
      const heard = await client.ask(place(), { text: 'What is it?', image: PIXEL });
      expect(heard.text).toBe('A pixel.');
      expect(lastSent()).toContain(`data:image/png;base64,${PIXEL}`);
    });

    test('a 429 of the upstream is the error of the library, and says when to try again', async () => {
      nodes.upstream.next(
        refuses(429, { message: 'not now', code: 'rate_limit_exceeded' }, { 'retry-after': '7' }),
      );
      const { status, message, retryAfter } = await failure();
      expect(status).toBe(429);
      expect(message).toMatch(/not now/);
      if (client.tellsHeaders) expect(retryAfter).toBe('7');
    });

    test('an unknown model is a 404 that names it', async () => {
      const { status, message } = await failure({ url: nodes.url, model: 'no-such-model' });
      expect(status).toBe(404);
      expect(message).toContain('no-such-model');
    });

    test('a stream that is cut in the middle is an error, never a complete answer', async () => {
      nodes.upstream.next(cutsAfter(BEGUN[upstream]));
      await failure();
    });

    test('a stream that just ends in the middle is an error, never a complete answer', async () => {
      nodes.upstream.next(raw({ headers: EVENT_STREAM }, BEGUN[upstream]));
      await failure();
    });

    test('an error of the upstream in the middle of a stream is told in its words', async () => {
      nodes.upstream.next(raw({ headers: EVENT_STREAM }, BEGUN[upstream] + BROKEN[upstream]));
      const { message } = await failure();
      expect(message).toMatch(/out of memory/);
    });
  });
});
