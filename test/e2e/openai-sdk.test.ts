import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chatEvents, responsesEvents } from '../support/openai-bodies.ts';
import { answers, cutsAfter, raw, refuses } from '../support/scripted-upstream.ts';
import { MODELS, startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';

let nodes: TwoNodes;
let client: OpenAI;
beforeAll(async () => {
  nodes = await startTwoNodes();
  client = new OpenAI({ baseURL: nodes.url, apiKey: 'any', maxRetries: 0 });
});
afterAll(async () => {
  await nodes?.[Symbol.asyncDispose]();
});

const WEATHER = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const CALL = { id: 'call_1', name: 'get_weather', arguments: '{"city":"Oslo"}' };
const CALL2 = { id: 'call_2', name: 'get_weather', arguments: '{"city":"Bergen"}' };

const lastBody = (): Record<string, unknown> =>
  nodes.upstream.requests.at(-1)?.json() as Record<string, unknown>;

/** The start of a stream in the upstream's own dialect, after which it stops. */
function begun(dialect: 'chat' | 'responses'): string {
  const said = { text: ['Half of', ' it'] };
  return (dialect === 'chat' ? chatEvents(said).slice(0, 2) : responsesEvents(said).slice(0, 5)).join('');
}

const ERROR_EVENT = {
  chat: 'data: {"error":{"message":"out of memory","type":"server_error","param":null,"code":"oom"}}\n\n',
  responses:
    'event: error\ndata: {"type":"error","sequence_number":9,"code":"oom","message":"out of memory","param":null}\n\n',
};

describe.each(['chat', 'responses'] as const)('an upstream that speaks only %s', (upstream) => {
  const model = MODELS[upstream];

  test('chat: the stream helper gathers text, parallel tool calls and usage', async () => {
    nodes.upstream.next(
      answers({ text: ['Let me', ' look.'], toolCalls: [CALL, CALL2], usage: { input: 11, output: 3 } }),
    );
    const stream = client.chat.completions.stream({
      model,
      messages: [{ role: 'user', content: 'Weather?' }],
      tools: [{ type: 'function', function: { name: 'get_weather', parameters: WEATHER } }],
      stream_options: { include_usage: true },
    });
    const completion = await stream.finalChatCompletion();
    const [choice] = completion.choices;
    expect(choice?.finish_reason).toBe('tool_calls');
    expect(choice?.message.content).toBe('Let me look.');
    expect(choice?.message.tool_calls).toMatchObject(
      [CALL, CALL2].map(({ id, name, arguments: args }) => ({ id, function: { name, arguments: args } })),
    );
    expect(completion.usage).toMatchObject({ prompt_tokens: 11, completion_tokens: 3 });
  });

  test('chat: a tool round trip reaches the upstream with calls and results in their order', async () => {
    nodes.upstream.next(answers({ text: ['Rain and sun.'] }));
    const completion = await client.chat.completions.create({
      model,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Weather?' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [CALL, CALL2].map(({ id, name, arguments: args }) => ({
            id,
            type: 'function' as const,
            function: { name, arguments: args },
          })),
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
        { role: 'tool', tool_call_id: 'call_2', content: 'sun' },
      ],
    });
    expect(completion.choices[0]?.message.content).toBe('Rain and sun.');
    const sent = lastBody();
    if (upstream === 'chat') {
      expect(sent.messages).toHaveLength(5);
    } else {
      const items = sent.input as { type?: string; call_id?: string; output?: unknown }[];
      const kinds = items.flatMap(({ type, call_id }) =>
        call_id === undefined ? [] : [`${type} ${call_id}`],
      );
      expect(kinds).toEqual([
        'function_call call_1',
        'function_call call_2',
        'function_call_output call_1',
        'function_call_output call_2',
      ]);
    }
  });

  test('chat: json_schema is asked for in the words of the upstream', async () => {
    nodes.upstream.next(answers({ text: ['{"city":"Oslo"}'] }));
    const completion = await client.chat.completions.parse({
      model,
      messages: [{ role: 'user', content: 'Which city?' }],
      response_format: { type: 'json_schema', json_schema: { name: 'city', schema: WEATHER, strict: true } },
    });
    expect(completion.choices[0]?.message.parsed).toEqual({ city: 'Oslo' });
    const sent = lastBody();
    const format = upstream === 'chat' ? sent.response_format : (sent.text as { format: unknown }).format;
    expect(JSON.stringify(format)).toContain('"additionalProperties":false');
  });

  test('responses: the stream helper gathers text, tool calls and usage', async () => {
    nodes.upstream.next(
      answers({ text: ['Let me', ' look.'], toolCalls: [CALL], usage: { input: 11, output: 3 } }),
    );
    const stream = client.responses.stream({
      model,
      input: 'Weather?',
      tools: [{ type: 'function', name: 'get_weather', parameters: WEATHER, strict: false }],
    });
    const response = await stream.finalResponse();
    expect(response.output_text).toBe('Let me look.');
    expect(response.output.at(-1)).toMatchObject({
      type: 'function_call',
      call_id: CALL.id,
      name: CALL.name,
      arguments: CALL.arguments,
    });
    expect(response.usage).toMatchObject({ input_tokens: 11, output_tokens: 3, total_tokens: 14 });
  });

  test('responses: a tool round trip reaches the upstream with calls and results', async () => {
    nodes.upstream.next(answers({ text: ['Rain.'] }));
    const response = await client.responses.create({
      model,
      instructions: 'Be brief.',
      input: [
        { role: 'user', content: 'Weather?' },
        { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: CALL.arguments },
        { type: 'function_call_output', call_id: 'call_1', output: 'rain' },
      ],
    });
    expect(response.output_text).toBe('Rain.');
    const sent = JSON.stringify(lastBody());
    for (const word of ['Be brief.', 'Weather?', 'call_1', 'rain']) expect(sent).toContain(word);
  });

  test('responses: json_schema is asked for in the words of the upstream', async () => {
    nodes.upstream.next(answers({ text: ['{"city":"Oslo"}'] }));
    const response = await client.responses.parse({
      model,
      input: 'Which city?',
      text: { format: { type: 'json_schema', name: 'city', schema: WEATHER, strict: true } },
    });
    expect(response.output_parsed).toEqual({ city: 'Oslo' });
    expect(JSON.stringify(lastBody())).toContain('"additionalProperties":false');
  });

  describe.each([
    ['chat', (stream: boolean) => drainChat(model, stream)],
    ['responses', (stream: boolean) => drainResponses(model, stream)],
  ] as const)('%s client', (_client, call) => {
    test.each([
      [429, 'rate_limit_exceeded', OpenAI.RateLimitError],
      [500, 'server_error', OpenAI.InternalServerError],
    ] as const)('a %i of the upstream is the same error in the client', async (status, code, kind) => {
      nodes.upstream.next(refuses(status, { message: 'not now', code }, { 'retry-after': '7' }));
      const failure = await call(true).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(kind);
      expect(failure).toMatchObject({ status, code });
      expect(String(failure)).toMatch(/not now.*bravo/);
      if (failure instanceof OpenAI.APIError) expect(failure.headers?.get('retry-after')).toBe('7');
    });

    test('an error in mid-stream is an error in the client, never a short answer', async () => {
      const text = begun(upstream) + ERROR_EVENT[upstream];
      nodes.upstream.next(raw({ headers: { 'content-type': 'text/event-stream' } }, text));
      await expect(call(true)).rejects.toThrow(/out of memory/);
    });

    test('a cut in mid-stream is an error in the client, never a short answer', async () => {
      nodes.upstream.next(cutsAfter(begun(upstream)));
      await expect(call(true)).rejects.toThrow();
    });

    test('an upstream that just ends in mid-stream is an error in the client', async () => {
      nodes.upstream.next(raw({ headers: { 'content-type': 'text/event-stream' } }, begun(upstream)));
      await expect(call(true)).rejects.toThrow(/complete|ended|truncated|whole|cut/);
    });

    test('an answer without a stream that is cut is an error in the client', async () => {
      nodes.upstream.next(
        cutsAfter('{"id":"x","obj', {
          headers: { 'content-type': 'application/json', 'content-length': '900' },
        }),
      );
      await expect(call(false)).rejects.toThrow();
    });
  });
});

async function drainChat(model: string, stream: boolean): Promise<string> {
  const body = { model, messages: [{ role: 'user' as const, content: 'Hi' }] };
  if (!stream) return JSON.stringify(await client.chat.completions.create(body));
  return JSON.stringify(
    await client.chat.completions.stream({ ...body, stream: true }).finalChatCompletion(),
  );
}

async function drainResponses(model: string, stream: boolean): Promise<string> {
  if (!stream) return JSON.stringify(await client.responses.create({ model, input: 'Hi' }));
  // The raw iterator: of all readers the one that takes the end of the bytes for the end of the answer.
  const events = await client.responses.create({ model, input: 'Hi', stream: true });
  let last = '';
  for await (const event of events) {
    // Releases before 7 hand an error event over instead of throwing it.
    if (event.type === 'error') throw new Error(event.message);
    last = event.type;
  }
  return last;
}
