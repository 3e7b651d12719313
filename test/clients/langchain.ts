/** LangChain: `ChatOpenAI` on both APIs. */
import {
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  ToolMessage,
  type UsageMetadata,
} from '@langchain/core/messages';
import { concat } from '@langchain/core/utils/stream';
import { ChatOpenAI } from '@langchain/openai';
import type { APIError } from 'openai6';
import { type Client, cityOf, installed, type Place, type Question, type Usage, WEATHER } from './client.ts';

function client(api: Client['api']): Client {
  return {
    name: installed('@langchain/openai'),
    api,
    tellsHeaders: true,
    async ask(place, question) {
      const model = bound(place, api, question);
      const messages: BaseMessage[] = [human(question)];
      const pieces: string[] = [];
      for (;;) {
        let said: AIMessageChunk | undefined;
        for await (const chunk of await model.stream(messages)) {
          if (chunk.text !== '') pieces.push(chunk.text);
          said = said === undefined ? chunk : concat(said, chunk);
        }
        if (said === undefined) throw new Error('an answer without a message');
        const calls = said.tool_calls ?? [];
        if (calls.length === 0) {
          return { text: said.text, pieces, usage: usageOf(said.usage_metadata) };
        }
        messages.push(said);
        for (const { id = '', args } of calls) {
          messages.push(
            new ToolMessage({ tool_call_id: id, content: question.weather?.(cityOf(args)) ?? '' }),
          );
        }
      }
    },
    failure(error) {
      // It hands on the errors of its own copy of `openai`, so they are known by their form.
      if (!(error instanceof Error) || !('status' in error)) return undefined;
      const { status, headers } = error as Partial<Pick<APIError, 'status' | 'headers'>>;
      const { message } = error;
      return { status, message, retryAfter: headers?.get('retry-after') ?? undefined };
    },
  };
}

function bound({ url, model }: Place, api: Client['api'], { weather }: Question) {
  const chat = new ChatOpenAI({
    model,
    apiKey: 'any',
    configuration: { baseURL: url },
    useResponsesApi: api === 'responses',
    streamUsage: true,
    maxRetries: 0,
  });
  return chat.bindTools(weather === undefined ? [] : [{ type: 'function', function: WEATHER }]);
}

function usageOf(usage: UsageMetadata | undefined): Usage {
  return { input: usage?.input_tokens, output: usage?.output_tokens };
}

function human({ text, image }: Question): HumanMessage {
  return new HumanMessage({
    content: [
      { type: 'text', text },
      ...(image === undefined
        ? []
        : [{ type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } }]),
    ],
  });
}

export const langchain: readonly Client[] = [client('chat'), client('responses')];
