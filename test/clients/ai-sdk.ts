/** The Vercel AI SDK: `ai` with the provider for OpenAI on both APIs, and with the one for what is compatible with it. */
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import {
  AISDKError,
  APICallError,
  jsonSchema,
  type LanguageModel,
  type ModelMessage,
  stepCountIs,
  streamText,
  tool,
} from 'ai';
import {
  type Client,
  cityOf,
  type Failure,
  installed,
  type Place,
  type Question,
  WEATHER,
} from './client.ts';

function client(name: string, api: Client['api'], modelOf: (place: Place) => LanguageModel): Client {
  return {
    name: `${installed('ai')}, ${name}`,
    api,
    tellsHeaders: true,
    async ask(place, question) {
      const pieces: string[] = [];
      const result = streamText({
        model: modelOf(place),
        messages: [message(question)],
        maxRetries: 0,
        stopWhen: stepCountIs(3),
        // With `store` left on, the SDK sends what was said before by reference to the provider's store.
        providerOptions: { openai: { store: false } },
        tools: toolsOf(question),
        // It would write to the console.
        onError: () => {},
      });
      for await (const part of result.fullStream) {
        if (part.type === 'error') throw part.error;
        if (part.type === 'text-delta') pieces.push(part.text);
      }
      const { inputTokens: input, outputTokens: output } = await result.usage;
      return { text: await result.text, pieces, usage: { input, output } };
    },
    failure,
  };
}

function message({ text, image }: Question): ModelMessage {
  return {
    role: 'user',
    content: [
      { type: 'text', text },
      ...(image === undefined ? [] : [{ type: 'image' as const, image, mediaType: 'image/png' }]),
    ],
  };
}

function toolsOf({ weather }: Question) {
  if (weather === undefined) return {};
  const { name, description, parameters } = WEATHER;
  return {
    [name]: tool({
      description,
      inputSchema: jsonSchema<{ city: string }>(parameters),
      execute: (args) => Promise.resolve(weather(cityOf(args))),
    }),
  };
}

function failure(error: unknown): Failure | undefined {
  if (APICallError.isInstance(error)) {
    const { statusCode: status, message, responseHeaders } = error;
    return { status, message, retryAfter: responseHeaders?.['retry-after'] };
  }
  if (AISDKError.isInstance(error))
    return { status: undefined, message: error.message, retryAfter: undefined };
  if (error instanceof Error) return undefined;
  // An error event of a stream is handed on as it came.
  return { status: undefined, message: JSON.stringify(error), retryAfter: undefined };
}

const openai = ({ url }: Place) => createOpenAI({ baseURL: url, apiKey: 'any' });

export const aiSdk: readonly Client[] = [
  client(installed('@ai-sdk/openai'), 'chat', (place) => openai(place).chat(place.model)),
  client(installed('@ai-sdk/openai'), 'responses', (place) => openai(place).responses(place.model)),
  client(installed('@ai-sdk/openai-compatible'), 'chat', ({ url, model }) =>
    createOpenAICompatible({ name: 'clawmatrix', baseURL: url, includeUsage: true }).chatModel(model),
  ),
];
