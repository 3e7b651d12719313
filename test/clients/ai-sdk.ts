/** The Vercel AI SDK: `ai` with the provider for OpenAI on both APIs, and with the one for what is compatible with it. */
import type { createOpenAI } from '@ai-sdk/openai';
import type { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type * as Sdk from 'ai';
import {
  type Ability,
  CITY,
  type Client,
  cityOf,
  type Failure,
  type Heard,
  installed,
  type Place,
  type Question,
  WEATHER,
} from './client.ts';

interface Modules {
  readonly sdk: typeof Sdk;
  readonly createOpenAI: typeof createOpenAI;
  readonly createOpenAICompatible: typeof createOpenAICompatible;
}

/** Folders in which the packages of one major are installed. */
interface Folders {
  readonly sdk: string;
  readonly openai: string;
  readonly compatible: string;
}

const EVERY: readonly Ability[] = [
  'headers of a refusal',
  'whole answers',
  'JSON of a schema',
  'text beside its calls',
  'length as an ending',
  'a filter as an ending',
];

/** The majors have different types for the same calls, so they come in untyped. */
export function aiSdk(
  modules: Readonly<Record<keyof Modules, unknown>>,
  folders: Folders,
): readonly Client[] {
  const { sdk, createOpenAI, createOpenAICompatible } = modules as Modules;
  const openai = ({ url }: Place) => createOpenAI({ baseURL: url, apiKey: 'any' });
  const compatible = ({ url }: Place) =>
    createOpenAICompatible({
      name: 'clawmatrix',
      baseURL: url,
      includeUsage: true,
      supportsStructuredOutputs: true,
    });
  const called = (folder: string) => `${installed(folders.sdk)}, ${installed(folder)}`;
  const thinking: readonly Ability[] = [...EVERY, 'reasoning', 'reasoning of earlier turns'];
  return [
    client(sdk, called(folders.openai), 'chat', EVERY, (place) => openai(place).chat(place.model)),
    // What this provider gives when nobody says which API, so it is what most of its users have.
    client(sdk, called(folders.openai), 'responses', [...thinking, 'references'], (place) =>
      openai(place)(place.model),
    ),
    client(sdk, called(folders.compatible), 'chat', thinking, (place) =>
      compatible(place).chatModel(place.model),
    ),
  ];
}

function client(
  sdk: typeof Sdk,
  name: string,
  api: Client['api'],
  abilities: readonly Ability[],
  modelOf: (place: Place) => Sdk.LanguageModel,
): Client {
  return {
    name,
    api,
    abilities,
    failure: (error) => failure(sdk, error),
    async ask(place, question) {
      const messages: Sdk.ModelMessage[] = [];
      const pieces: string[] = [];
      let heard: Heard | undefined;
      for (const message of [human(question), ...(question.andThen ?? []).map((text) => human({ text }))]) {
        messages.push(message);
        const asked = { ...options(sdk, question), model: modelOf(place), messages };
        const said = question.isWhole ? await sdk.generateText(asked) : await streamed(sdk, asked, pieces);
        messages.push(...saidIn(said));
        const { inputTokens: input, outputTokens: output } = said.usage;
        heard = {
          text: said.text,
          pieces,
          reasoning: said.reasoningText ?? '',
          refusal: '',
          usage: { input, output },
          ending: said.finishReason.replace('-', '_'),
        };
      }
      return heard ?? Promise.reject(new Error('nothing was asked'));
    },
  };
}

function options(sdk: typeof Sdk, question: Question) {
  const output = question.asJson && sdk.Output.object({ schema: sdk.jsonSchema<{ city: string }>(CITY) });
  return {
    maxRetries: 0,
    stopWhen: sdk.stepCountIs(3),
    // With `store` left on, the SDK sends what was said before by reference to the provider's store.
    providerOptions: question.byReference
      ? {}
      : { openai: { store: false, include: ['reasoning.encrypted_content'] } },
    tools: toolsOf(sdk, question),
    // The fifth major knows the second name only.
    ...(output && { output, experimental_output: output }),
  };
}

async function streamed(
  sdk: typeof Sdk,
  asked: ReturnType<typeof options> & { model: Sdk.LanguageModel; messages: Sdk.ModelMessage[] },
  pieces: string[],
) {
  // It would write to the console.
  const result = sdk.streamText({ ...asked, onError: () => {} });
  for await (const part of result.fullStream) {
    if (part.type === 'error') throw part.error;
    if (part.type === 'text-delta') pieces.push(part.text);
  }
  return {
    responseMessages: await Promise.resolve(Object(result).responseMessages),
    text: await result.text,
    reasoningText: await result.reasoningText,
    usage: await result.usage,
    finishReason: await result.finishReason,
    response: await result.response,
  };
}

/** Of all steps. The seventh major has them in a place of their own: its response is that of the last step. */
function saidIn(said: { readonly response: { readonly messages: readonly Sdk.ModelMessage[] } }) {
  const { responseMessages } = said as { readonly responseMessages?: readonly Sdk.ModelMessage[] };
  return responseMessages ?? said.response.messages;
}

function human({ text, image }: Question): Sdk.ModelMessage {
  return {
    role: 'user',
    content: [
      { type: 'text', text },
      ...(image === undefined ? [] : [{ type: 'image' as const, image, mediaType: 'image/png' }]),
    ],
  };
}

function toolsOf(sdk: typeof Sdk, { weather }: Question): Sdk.ToolSet {
  if (weather === undefined) return {};
  const { name, description, parameters } = WEATHER;
  return {
    [name]: sdk.tool({
      description,
      inputSchema: sdk.jsonSchema<{ city: string }>(parameters),
      execute: (args) => Promise.resolve(weather(cityOf(args))),
    }),
  };
}

function failure({ APICallError, AISDKError }: typeof Sdk, error: unknown): Failure | undefined {
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
