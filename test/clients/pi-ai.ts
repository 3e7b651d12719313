/** `pi-ai`, which coding agents call models with, and its relatives: a custom model on both APIs. */
import type { Context, Message, Model, stream, Tool } from '@mariozechner/pi-ai';
import {
  type Ability,
  type Client,
  cityOf,
  type Heard,
  installed,
  type Place,
  type Question,
  WEATHER,
} from './client.ts';

/** It does not throw: its stream ends with a message that says so. */
class PiFailure extends Error {}

type Stream = typeof stream<'openai-completions' | 'openai-responses'>;

const ABILITIES: readonly Ability[] = ['reasoning', 'reasoning of earlier turns', 'text beside its calls'];

/** `streams` is its function of that name, which has other types in its relatives. */
export function piAi(
  streams: unknown,
  folder: string,
  more: Readonly<Record<Client['api'], readonly Ability[]>>,
): readonly Client[] {
  const known = streams as Stream;
  return [client(known, folder, 'chat', more.chat), client(known, folder, 'responses', more.responses)];
}

function client(streams: Stream, folder: string, api: Client['api'], more: readonly Ability[]): Client {
  return {
    name: installed(folder),
    api,
    abilities: [...ABILITIES, ...more],
    failure,
    async ask(place, question) {
      const messages: Message[] = [];
      const pieces: string[] = [];
      const context: Context = { messages, ...(question.weather && { tools: [weatherTool] }) };
      let heard: Heard | undefined;
      for (const message of [human(question), ...(question.andThen ?? []).map((text) => human({ text }))]) {
        messages.push(message);
        for (heard = undefined; heard === undefined;) {
          const events = streams(modelOf(place, api), context, {
            apiKey: 'any',
            maxRetries: 0,
            reasoningEffort: 'low',
          });
          for await (const event of events) {
            if (event.type === 'text_delta') pieces.push(event.delta);
          }
          const said = await events.result();
          if (said.stopReason === 'error') throw new PiFailure(said.errorMessage);
          messages.push(said);
          const calls = said.content.filter((part) => part.type === 'toolCall');
          for (const { id, name, arguments: args } of calls)
            messages.push(toolResult(id, name, question.weather?.(cityOf(args)) ?? ''));
          if (calls.length === 0) heard = heardOf(said, pieces);
        }
      }
      return heard ?? Promise.reject(new Error('nothing was asked'));
    },
  };
}

type Said = Awaited<ReturnType<ReturnType<Stream>['result']>>;

function heardOf({ content, usage: { input, output }, stopReason }: Said, pieces: readonly string[]): Heard {
  return {
    text: content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
    pieces,
    reasoning: content.map((part) => (part.type === 'thinking' ? part.thinking : '')).join(''),
    refusal: '',
    usage: { input, output },
    ending: stopReason,
  };
}

function failure(error: unknown): ReturnType<Client['failure']> {
  if (!(error instanceof PiFailure)) return undefined;
  const { message } = error;
  const status = /\b([45]\d\d)\b/.exec(message)?.[1];
  return { status: status === undefined ? undefined : Number(status), message, retryAfter: undefined };
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
    reasoning: true,
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

function toolResult(toolCallId: string, toolName: string, text: string): Message {
  const content = [{ type: 'text' as const, text }];
  return { role: 'toolResult', toolCallId, toolName, content, isError: false, timestamp: 0 };
}
