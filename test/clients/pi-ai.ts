/** `@mariozechner/pi-ai`, which OpenClaw calls models with: a custom model on both APIs. */
import { type Context, type Message, type Model, stream, type Tool } from '@mariozechner/pi-ai';
import { type Client, cityOf, installed, type Place, type Question, WEATHER } from './client.ts';

/** It does not throw: its stream ends with a message that says so. */
class PiFailure extends Error {}

function client(api: Client['api']): Client {
  return {
    name: installed('@mariozechner/pi-ai'),
    api,
    tellsHeaders: false,
    async ask(place, question) {
      const messages: Message[] = [human(question)];
      const pieces: string[] = [];
      for (;;) {
        const context: Context = { messages, ...(question.weather && { tools: [weatherTool] }) };
        const events = stream(modelOf(place, api), context, { apiKey: 'any', maxRetries: 0 });
        for await (const event of events) {
          if (event.type === 'text_delta') pieces.push(event.delta);
        }
        const said = await events.result();
        if (said.stopReason === 'error') throw new PiFailure(said.errorMessage);
        const calls = said.content.filter((part) => part.type === 'toolCall');
        if (calls.length === 0) {
          const { input, output } = said.usage;
          const text = said.content.map((part) => (part.type === 'text' ? part.text : '')).join('');
          return { text, pieces, usage: { input, output } };
        }
        messages.push(said);
        for (const { id, name, arguments: args } of calls) {
          const text = question.weather?.(cityOf(args)) ?? '';
          messages.push({
            role: 'toolResult',
            toolCallId: id,
            toolName: name,
            content: [{ type: 'text', text }],
            isError: false,
            timestamp: 0,
          });
        }
      }
    },
    failure(error) {
      if (!(error instanceof PiFailure)) return undefined;
      const status = /^(\d{3}) /.exec(error.message)?.[1];
      const { message } = error;
      return { status: status === undefined ? undefined : Number(status), message, retryAfter: undefined };
    },
  };
}

// Its type asks for a schema made by typebox; what it reads and sends is the JSON of it.
const weatherTool = WEATHER as unknown as Tool;

function modelOf(
  { url, model }: Place,
  api: Client['api'],
): Model<'openai-completions' | 'openai-responses'> {
  return {
    id: model,
    name: model,
    api: api === 'chat' ? 'openai-completions' : 'openai-responses',
    provider: 'clawmatrix',
    baseUrl: url,
    reasoning: false,
    input: ['text', 'image'],
    cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    contextWindow: 128_000,
    maxTokens: 4_096,
  };
}

function human({ text, image }: Question): Message {
  return {
    role: 'user',
    content: [
      { type: 'text', text },
      ...(image === undefined ? [] : [{ type: 'image' as const, data: image, mimeType: 'image/png' }]),
    ],
    timestamp: 0,
  };
}

export const piAi: readonly Client[] = [client('chat'), client('responses')];
