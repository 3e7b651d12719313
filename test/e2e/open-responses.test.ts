/**
 * The rules that the compliance suite of Open Responses checks, one test for each of its seventeen, with an upstream that
 * speaks only chat behind two daemons.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/eventually.ts';
import {
  Compaction,
  completed,
  completedBy,
  naiveEvents,
  SocketError,
  textOf,
} from '../support/open-responses.ts';
import { chatEvents } from '../support/openai-bodies.ts';
import { type Message, ResponsesSocket } from '../support/responses-socket.ts';
import { ResponseObject } from '../support/responses-schemas.ts';
import { answers, says } from '../support/scripted-upstream.ts';
import { MODELS, post, startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';

const model = MODELS.chat;

let nodes: TwoNodes;
beforeAll(async () => {
  nodes = await startTwoNodes();
});
afterAll(async () => {
  await nodes?.[Symbol.asyncDispose]();
});

async function create(body: object): Promise<unknown> {
  const reply = await post(`${nodes.url}/responses`, { model, stream: false, ...body });
  expect(reply.status).toBe(200);
  return JSON.parse(await reply.text());
}

function user(content: unknown): object {
  return { type: 'message', role: 'user', content };
}

/** The messages that the upstream got last. */
function lastPrompt(): readonly { role: string; content: unknown }[] {
  const body = JSON.parse(String(nodes.upstream.requests.at(-1)?.body));
  return body.messages;
}

describe('over HTTP', () => {
  test('basic-response', async () => {
    nodes.upstream.next(says('Hello to you!'));
    const response = completed(await create({ input: [user('Say hello in exactly 3 words.')] }));
    expect(textOf(response)).toBe('Hello to you!');
    expect(response.model).toBe(model);
  });

  test('assistant-phase', async () => {
    const said = (phase: string, content: string) => ({ type: 'message', role: 'assistant', phase, content });
    const before = [said('commentary', 'I look it up.'), said('final_answer', 'It is four.')];
    completed(await create({ input: [...before, user('Repeat only the number.')] }));
    expect(JSON.stringify(lastPrompt())).toContain('It is four.');
  });

  test('response-output-phase-schema: the schema that all are judged by allows what the suite has', () => {
    const message = { id: 'msg_1', type: 'message', status: 'completed', role: 'assistant' };
    const content = [{ type: 'output_text', text: 'four', annotations: [] }];
    const output = ['commentary', 'final_answer'].map((phase) => ({ ...message, phase, content }));
    expect(ResponseObject.shape.output.safeParse(output).success).toBe(true);
  });

  test('streaming-response', async () => {
    nodes.upstream.next(says('1, ', '2, ', '3, ', '4, ', '5'));
    const body = { model, stream: true, input: [user('Count from 1 to 5.')] };
    const reply = await post(`${nodes.url}/responses`, body);
    expect(reply.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(textOf(completedBy(await naiveEvents(reply.body)))).toBe('1, 2, 3, 4, 5');
  });

  test('system-prompt', async () => {
    const system = { type: 'message', role: 'system', content: 'You are a pirate.' };
    completed(await create({ input: [system, user('Say hello.')] }));
    expect(lastPrompt()).toEqual([
      { role: 'system', content: 'You are a pirate.' },
      { role: 'user', content: 'Say hello.' },
    ]);
  });

  test('tool-calling', async () => {
    const call = { id: 'call_1', name: 'get_weather', arguments: '{"location":"San Francisco, CA"}' };
    nodes.upstream.next(answers({ toolCalls: [call] }));
    const parameters = {
      type: 'object',
      properties: { location: { type: 'string', description: 'The city and state' } },
      required: ['location'],
    };
    const tool = { type: 'function', name: 'get_weather', description: 'The weather', parameters };
    const input = [user("What's the weather like in San Francisco?")];
    const response = completed(await create({ input, tools: [tool] }));
    expect(response.output).toMatchObject([
      { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: call.arguments },
    ]);
    expect(response.tools).toMatchObject([{ type: 'function', name: 'get_weather', parameters }]);
  });

  test('image-input', async () => {
    const image_url = `data:image/png;base64,${Buffer.from('a red heart').toString('base64')}`;
    const parts = [
      { type: 'input_text', text: 'What do you see?' },
      { type: 'input_image', image_url },
    ];
    completed(await create({ input: [user(parts)] }));
    expect(JSON.stringify(lastPrompt())).toContain(image_url);
  });

  test('multi-turn', async () => {
    const said = { type: 'message', role: 'assistant', content: 'Hello Alice!' };
    completed(await create({ input: [user('My name is Alice.'), said, user('What is my name?')] }));
    expect(lastPrompt().map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
  });

  test('compact-response', async () => {
    nodes.upstream.next(says('They launch on Tuesday, and tell support first.'));
    const said = { type: 'message', role: 'assistant', content: 'Understood.' };
    const body = {
      model,
      prompt_cache_key: 'compact-test',
      input: [user('We agreed to launch on Tuesday and notify support first.'), said],
    };
    const reply = await post(`${nodes.url}/responses/compact`, body);
    expect(reply.status).toBe(200);
    Compaction.parse(JSON.parse(await reply.text()));
  });

  test('compact-missing-model', async () => {
    const reply = await post(`${nodes.url}/responses/compact`, { input: [user('Compact this.')] });
    expect([400, 422]).toContain(reply.status);
    expect(JSON.parse(await reply.text())).toMatchObject({ error: { param: 'model' } });
  });
});

describe('over a WebSocket', () => {
  const message = (more: object) => ({ type: 'response.create', model, ...more });
  const open = () => ResponsesSocket.open(`${nodes.url}/responses`);

  function failure(messages: readonly Message[]) {
    expect(messages).toHaveLength(1);
    return SocketError.parse(messages[0]);
  }

  test('websocket-response', async () => {
    await using socket = await open();
    nodes.upstream.next(says('1, ', '2, ', '3'));
    const messages = await socket.create(message({ input: [user('Count from 1 to 3.')] }));
    expect(textOf(completedBy(messages))).toBe('1, 2, 3');
    expect(nodes.upstream.requests.at(-1)?.url).toMatch(/\/chat\/completions$/);
  });

  test('websocket-sequential-responses', async () => {
    await using socket = await open();
    const ids: string[] = [];
    for (const word of ['first', 'second']) {
      nodes.upstream.next(says(word));
      const more = { store: false, input: `Reply with exactly: ${word}` };
      const response = completedBy(await socket.create(message(more)));
      expect(textOf(response)).toBe(word);
      expect(response.store).toBe(false);
      ids.push(response.id);
    }
    expect(new Set(ids).size).toBe(2);
  });

  test('websocket-continuation', async () => {
    await using socket = await open();
    nodes.upstream.next(says('OK'));
    const first = completedBy(
      await socket.create(message({ store: false, input: 'Remember the code word: cobalt.' })),
    );
    nodes.upstream.next(says('cobalt'));
    const more = { store: false, previous_response_id: first.id, input: 'What is the code word?' };
    const second = completedBy(await socket.create(message(more)));
    expect(second.previous_response_id).toBe(first.id);
    expect(lastPrompt()).toMatchObject([
      { role: 'user', content: 'Remember the code word: cobalt.' },
      { role: 'assistant', content: 'OK' },
      { role: 'user', content: 'What is the code word?' },
    ]);
    nodes.upstream.next(says('still cobalt'));
    const third = { store: false, previous_response_id: second.id, input: 'And now?' };
    completedBy(await socket.create(message(third)));
    expect(lastPrompt()).toHaveLength(5);
  });

  test('websocket-generate-false: the next message goes on from what was said before it', async () => {
    await using socket = await open();
    const asked = nodes.upstream.requests.length;
    const more = { store: false, generate: false, instructions: 'Be brief.', input: 'The word is amber.' };
    const messages = await socket.create(message(more));
    const last = ResponseObject.parse(messages.at(-1)?.['response']);
    expect(last).toMatchObject({ status: 'completed', output: [] });
    expect(nodes.upstream.requests.length).toBe(asked);
    const next = { store: false, previous_response_id: last.id, input: 'Which word?' };
    completedBy(await socket.create(message(next)));
    expect(lastPrompt().map(({ content }) => content)).toEqual(['The word is amber.', 'Which word?']);
  });

  test('websocket-reconnect-store-false-recovery', async () => {
    const before = await open();
    const first = completedBy(await before.create(message({ store: false, input: 'The word is copper.' })));
    await before.close();
    await using socket = await open();
    const again = { store: false, previous_response_id: first.id, input: 'Go on.' };
    expect(failure(await socket.create(message(again)))).toMatchObject({
      status: 400,
      error: { code: 'previous_response_not_found', param: 'previous_response_id' },
    });
    nodes.upstream.next(says('recovered'));
    const anew = completedBy(await socket.create(message({ store: false, input: [user('Start anew.')] })));
    expect(textOf(anew)).toBe('recovered');
  });

  test('websocket-previous-response-not-found', async () => {
    await using socket = await open();
    const more = { store: false, previous_response_id: 'resp_missing', input: 'This should fail.' };
    const { status, error } = failure(await socket.create(message(more)));
    expect(status).toBe(400);
    expect(error).toMatchObject({
      type: 'invalid_request_error',
      code: 'previous_response_not_found',
      param: 'previous_response_id',
    });
  });

  test('websocket-failed-continuation-evicts-cache', async () => {
    await using socket = await open();
    const first = completedBy(await socket.create(message({ store: false, input: 'The word is ember.' })));
    const asked = nodes.upstream.requests.length;
    const output = { type: 'function_call_output', call_id: 'call_missing', output: 'Nobody asked.' };
    const failing = { store: false, previous_response_id: first.id, input: [output] };
    expect(failure(await socket.create(message(failing)))).toMatchObject({
      status: 400,
      error: { param: 'input' },
    });
    expect(nodes.upstream.requests.length).toBe(asked);
    const retry = { store: false, previous_response_id: first.id, input: 'Go on.' };
    expect(failure(await socket.create(message(retry))).error.code).toBe('previous_response_not_found');
  });

  test('websocket-compact-new-chain', async () => {
    nodes.upstream.next(says('The compaction code word is slate.'));
    const said = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'OK.' }] };
    const asked = user([{ type: 'input_text', text: 'Remember the compaction code word: slate.' }]);
    const reply = await post(`${nodes.url}/responses/compact`, {
      model,
      input: [asked, said, user('Compress this.')],
    });
    expect(reply.status).toBe(200);
    const { output } = Compaction.parse(JSON.parse(await reply.text()));
    await using socket = await open();
    nodes.upstream.next(says('compacted'));
    const more = { store: false, input: [...output, user('Continue from here.')], tools: [] };
    expect(textOf(completedBy(await socket.create(message(more))))).toBe('compacted');
    expect(JSON.stringify(lastPrompt())).toContain('The compaction code word is slate.');
  });
});

describe('beyond the suite, over a WebSocket', () => {
  const open = () => ResponsesSocket.open(`${nodes.url}/responses`);

  test('a model whose server speaks Responses goes on from an answer that was not to be stored', async () => {
    await using socket = await open();
    const message = (more: object) => ({
      type: 'response.create',
      model: MODELS.responses,
      store: false,
      ...more,
    });
    nodes.upstream.next(says('OK'));
    const first = (await socket.create(message({ input: 'The word is cobalt.' }))).at(-1);
    expect(first).toMatchObject({ type: 'response.completed', response: { id: expect.any(String) } });
    const { id } = z.object({ response: z.object({ id: z.string() }) }).parse(first).response;
    nodes.upstream.next(says('cobalt'));
    const second = await socket.create(message({ previous_response_id: id, input: 'Which word?' }));
    expect(second.at(-1)?.type).toBe('response.completed');
    const request = nodes.upstream.requests.at(-1);
    expect(request?.url).toMatch(/\/responses$/);
    const sent = JSON.parse(String(request?.body));
    expect(sent).not.toHaveProperty('type');
    expect(sent).toMatchObject({ stream: true, store: false });
    expect(JSON.stringify(sent.input)).toMatch(/The word is cobalt\..*OK.*Which word\?/);
  });

  test('a client that leaves is known to the upstream within a second', async () => {
    const socket = await open();
    const before = nodes.upstream.requests.length;
    const stream = nodes.upstream.nextStream(chatEvents({ text: ['a', 'b'] }));
    socket.send({ type: 'response.create', model: MODELS.chat, input: 'Say it.' });
    await stream.send(2);
    await eventually('it has begun', () => socket.messages.length > 2);
    const request = await nodes.upstream.request(before);
    const leftAt = performance.now();
    socket.socket.terminate();
    await eventually('the upstream knows', () => request.leftAt !== undefined);
    expect((request.leftAt ?? Number.POSITIVE_INFINITY) - leftAt).toBeLessThan(1_000);
  });
});
