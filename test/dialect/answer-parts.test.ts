/** What an answer holds beside text and calls: carried, refused by its name, or noted; never lost without a word. */
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/call.ts';
import { translate } from '../../src/dialect/translate.ts';
import { checkResponsesStream } from '../support/responses-rules.ts';
import { responsesEvents, sseEvents } from '../support/sse-text.ts';
import { aCall, cardOf, countingTools, drained, ScriptedUpstream } from './scripted.ts';

const bodies = { chat: { model: 'm', messages: [] }, responses: { model: 'm', input: 'Hi' } };

/** Translated, with what was noted of it. */
async function played(upstream: Dialect, chunks: readonly string[], isStream: boolean) {
  const client = upstream === 'chat' ? 'responses' : 'chat';
  const noted: string[] = [];
  const tools = countingTools((lost) => noted.push(lost));
  const answer = translate(new ScriptedUpstream({ chunks }).answer, client, cardOf(upstream), tools);
  const call = aCall(client, { ...bodies[client], stream: isStream }, isStream);
  try {
    const { text, error } = await drained(await answer(call, new AbortController().signal));
    return { text, error, noted };
  } catch (error) {
    return { text: '', error, noted };
  }
}

const event = (json: object) => `data: ${JSON.stringify(json)}\n\n`;

/** A chat upstream says this. */
async function chatSays(said: object, isStream: boolean, more: object = {}) {
  const choice = { index: 0, finish_reason: 'stop', ...more };
  const chunks = isStream
    ? [event({ choices: [{ ...choice, delta: said }] }), 'data: [DONE]\n\n']
    : [JSON.stringify({ choices: [{ ...choice, message: said }] })];
  const { text, error, noted } = await played('chat', chunks, isStream);
  expect(error).toBeUndefined();
  if (!isStream) return { noted, response: JSON.parse(text) };
  const events = responsesEvents(text);
  checkResponsesStream(events);
  return { noted, response: Object(events.at(-1)).response };
}

/** A Responses upstream says these items. */
async function responsesSays(output: readonly object[], isStream: boolean, more: object = {}) {
  const response = { object: 'response', status: 'completed', output, ...more };
  const chunks = [isStream ? event({ type: 'response.completed', response }) : JSON.stringify(response)];
  const { text, error, noted } = await played('responses', chunks, isStream);
  if (error !== undefined) return { error, noted, deltas: [] };
  if (!isStream) return { noted, deltas: [JSON.parse(text).choices[0].message] };
  const told = sseEvents(text)
    .slice(0, -1)
    .map(({ data }) => JSON.parse(data));
  return { noted, deltas: told.flatMap(({ choices }) => choices.map((one: { delta: object }) => one.delta)) };
}

describe.each([true, false])('of a chat upstream, stream %s', (isStream) => {
  test('an image inline is an item of its own', async () => {
    const images = [{ type: 'image_url', image_url: { url: 'data:image/jpeg;base64,AAAA' } }];
    const { response, noted } = await chatSays({ content: 'Look', images }, isStream);
    expect(response.output).toMatchObject([
      { type: 'message', content: [{ text: 'Look' }] },
      { type: 'image_generation_call', status: 'completed', result: 'AAAA', output_format: 'jpeg' },
    ]);
    expect(noted).toEqual([]);
  });

  test('an image by its address is noted', async () => {
    const images = [{ type: 'image_url', image_url: 'https://example.org/a.png' }];
    const { response, noted } = await chatSays({ content: 'Look', images }, isStream);
    expect(response.output).toHaveLength(1);
    expect(noted).toEqual(['an image of the answer, which is not inline']);
  });

  test('a voice is its words, and its sound is noted', async () => {
    const audio = { id: 'a', data: 'AAAA', transcript: 'Hello', expires_at: 1 };
    const { response, noted } = await chatSays({ content: null, audio }, isStream);
    expect(response.output).toMatchObject([{ content: [{ type: 'output_text', text: 'Hello' }] }]);
    expect(noted).toHaveLength(1);
  });

  test('the logprobs of a refusal are noted', async () => {
    const token = { token: 'No', logprob: -1, bytes: null, top_logprobs: [] };
    const logprobs = { content: null, refusal: [token] };
    const { response, noted } = await chatSays({ content: null, refusal: 'No' }, isStream, { logprobs });
    expect(response.output).toMatchObject([{ content: [{ type: 'refusal', refusal: 'No' }] }]);
    expect(noted).toEqual(['the logprobs of a refusal']);
  });

  test.each(['eos', 'end_turn', 'stop_sequence', 'tool_use'])('the finish "%s" is a stop', async (reason) => {
    const { response, noted } = await chatSays({ content: 'a' }, isStream, { finish_reason: reason });
    expect(response.status).toBe('completed');
    expect(noted).toEqual([]);
  });

  test('a finish that nobody knows is a stop that is noted', async () => {
    const { response, noted } = await chatSays({ content: 'a' }, isStream, { finish_reason: 'tired' });
    expect(response.status).toBe('completed');
    expect(noted).toEqual(['the finish reason "tired"']);
  });

  test.each([
    [{}, { input_tokens: 0, output_tokens: 0, total_tokens: 0 }],
    [
      {
        prompt_tokens: 5,
        completion_tokens: 1,
        cost: 0.25,
        completion_tokens_details: { reasoning_tokens: 1 },
      },
      { cost: 0.25, output_tokens_details: { reasoning_tokens: 1 } },
    ],
    [
      { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
      { input_tokens: 0, output_tokens: 0, total_tokens: 0 },
    ],
    [
      { prompt_tokens: 5, completion_tokens: 1, prompt_cache_hit_tokens: 3 },
      { input_tokens: 5, input_tokens_details: { cached_tokens: 3 }, output_tokens: 1, total_tokens: 6 },
    ],
    [
      {
        prompt_tokens: 5,
        completion_tokens: 1,
        total_tokens: 6,
        prompt_tokens_details: { cache_write_tokens: 2 },
      },
      { input_tokens_details: { cached_tokens: 0, cache_write_tokens: 2 } },
    ],
  ])('the usage %o of a choice is told as %o', async (usage, expected) => {
    const { response } = await chatSays({ content: 'a' }, isStream, { usage });
    expect(response.usage).toMatchObject(expected);
  });
});

test('a citation behind a second stretch of text stands where it stood in all of it', async () => {
  const delta = (said: object) => event({ choices: [{ index: 0, delta: said, finish_reason: null }] });
  const url_citation = { url: 'https://example.org', title: 't', start_index: 4, end_index: 6 };
  const { text } = await played(
    'chat',
    [
      delta({ content: 'abc' }),
      delta({ reasoning_content: 'hm' }),
      delta({ content: 'defg' }),
      delta({ annotations: [{ type: 'url_citation', url_citation }] }),
      event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
    ],
    true,
  );
  const { output } = Object(responsesEvents(text).at(-1)).response;
  expect(output[2].content[0]).toMatchObject({
    text: 'defg',
    annotations: [{ type: 'url_citation', start_index: 1, end_index: 3 }],
  });
});

describe.each([true, false])('of a Responses upstream, stream %s', (isStream) => {
  const message = { id: 'm', type: 'message', content: [{ type: 'output_text', text: 'Look' }] };

  test('an image is an image of the message', async () => {
    const item = {
      id: 'ig',
      type: 'image_generation_call',
      status: 'completed',
      result: 'AAAA',
      output_format: 'webp',
    };
    const { deltas, noted } = await responsesSays([message, item], isStream);
    expect(deltas.flatMap(({ images = [] }) => images)).toEqual([
      { type: 'image_url', image_url: { url: 'data:image/webp;base64,AAAA' } },
    ]);
    expect(noted).toEqual([]);
  });

  test('what the provider’s own tool did is noted', async () => {
    const item = { id: 'ws', type: 'web_search_call', status: 'completed' };
    const { deltas, noted } = await responsesSays([item, message], isStream);
    expect(deltas.map(({ content = '' }) => content).join('')).toBe('Look');
    expect(noted).toEqual(['an item "web_search_call" of the answer']);
  });

  test.each(['mcp_approval_request', 'computer_call', 'local_shell_call', 'shell_call', 'apply_patch_call'])(
    'a "%s" fails the answer by its name: it waits for something that no chat client does',
    async (type) => {
      const { error } = await responsesSays([message, { id: 'x', type }], isStream);
      expect(error).toMatchObject({ code: 'unsupported_parameter', status: 400, param: 'tools' });
      expect(String(error)).toContain(`"${type}"`);
    },
  );

  test('the tier that served it is told', async () => {
    const response = { object: 'response', status: 'completed', output: [message], service_tier: 'flex' };
    const chunk = isStream ? event({ type: 'response.completed', response }) : JSON.stringify(response);
    expect((await played('responses', [chunk], isStream)).text).toContain('"service_tier":"flex"');
  });

  test('a usage of zeros is left out', async () => {
    const usage = { input_tokens: 0, output_tokens: 0, total_tokens: 0 };
    const response = { object: 'response', status: 'completed', output: [message], usage };
    const chunk = isStream ? event({ type: 'response.completed', response }) : JSON.stringify(response);
    expect((await played('responses', [chunk], isStream)).text).not.toContain('prompt_tokens');
  });
});

test('logprobs that come with the whole text alone are told, once', async () => {
  const logprobs = [{ token: 'Look', logprob: -0.5, bytes: [1], top_logprobs: [] }];
  const item = { id: 'm', type: 'message', content: [{ type: 'output_text', text: 'Look', logprobs }] };
  const { text } = await played(
    'responses',
    [
      event({ type: 'response.output_text.delta', item_id: 'm', output_index: 0, delta: 'Look' }),
      event({ type: 'response.output_item.done', output_index: 0, item }),
      event({ type: 'response.completed', response: { output: [item] } }),
    ],
    true,
  );
  const told = sseEvents(text)
    .slice(0, -1)
    .flatMap(({ data }) => JSON.parse(data).choices[0].logprobs?.content ?? []);
  expect(told).toMatchObject([{ token: 'Look', logprob: -0.5 }]);
});
