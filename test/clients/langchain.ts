/** LangChain: `ChatOpenAI` on both APIs. */
import type * as Messages from '@langchain/core/messages';
import type { ChatOpenAI } from '@langchain/openai';
import type { APIError } from 'openai6';
import {
  type Ability,
  CITY,
  type Client,
  cityOf,
  type Heard,
  type Place,
  type Question,
  type Usage,
  WEATHER,
} from './client.ts';

interface Modules {
  readonly messages: typeof Messages;
  readonly ChatOpenAI: typeof ChatOpenAI;
}

const ABILITIES: readonly Ability[] = ['headers of a refusal', 'whole answers', 'JSON of a schema'];

/** The lines before and after 1.0 have different types for the same calls, so they come in untyped. */
export function langchain(
  modules: Readonly<Record<keyof Modules, unknown>>,
  name: string,
  more: Readonly<Record<Client['api'], readonly Ability[]>>,
): readonly Client[] {
  const known = modules as Modules;
  return [client(known, name, 'chat', more.chat), client(known, name, 'responses', more.responses)];
}

function client(modules: Modules, name: string, api: Client['api'], more: readonly Ability[]): Client {
  const { HumanMessage, ToolMessage } = modules.messages;
  return {
    name,
    api,
    abilities: [...ABILITIES, ...more],
    failure,
    async ask(place, question) {
      const model = bound(modules, place, api, question);
      const messages: Messages.BaseMessage[] = [];
      const pieces: string[] = [];
      let heard: Heard | undefined;
      for (const content of [contentOf(question), ...(question.andThen ?? [])]) {
        messages.push(new HumanMessage({ content }));
        for (heard = undefined; heard === undefined;) {
          const said = question.isWhole
            ? await model.invoke(messages)
            : await streamed(model, messages, pieces);
          messages.push(said);
          const calls = said.tool_calls ?? [];
          for (const { id = '', args } of calls) {
            const result = question.weather?.(cityOf(args)) ?? '';
            messages.push(new ToolMessage({ tool_call_id: id, content: result }));
          }
          if (calls.length === 0) heard = heardOf(said, pieces);
        }
      }
      return heard ?? Promise.reject(new Error('nothing was asked'));
    },
  };
}

async function streamed(
  model: ReturnType<typeof bound>,
  messages: Messages.BaseMessage[],
  pieces: string[],
): Promise<Messages.AIMessageChunk> {
  let said: Messages.AIMessageChunk | undefined;
  for await (const chunk of await model.stream(messages)) {
    if (chunk.text !== '') pieces.push(chunk.text);
    said = said === undefined ? chunk : said.concat(chunk);
  }
  return said ?? Promise.reject(new Error('an answer without a message'));
}

function bound({ ChatOpenAI }: Modules, { url, model }: Place, api: Client['api'], question: Question) {
  const chat = new ChatOpenAI({
    model,
    apiKey: 'any',
    configuration: { baseURL: url },
    useResponsesApi: api === 'responses',
    streamUsage: true,
    maxRetries: 0,
  });
  const tools = question.weather === undefined ? [] : [{ type: 'function', function: WEATHER }];
  const response_format = {
    type: 'json_schema' as const,
    json_schema: { name: 'city', strict: true, schema: CITY },
  };
  return chat.bindTools(tools, question.asJson ? { response_format } : {});
}

function heardOf(said: Messages.AIMessageChunk, pieces: readonly string[]): Heard {
  const { finish_reason, status, incomplete_details: cut } = said.response_metadata;
  const reason: unknown = Object(cut).reason;
  const cutBy = reason === 'max_output_tokens' ? 'length' : reason;
  const ending: unknown = status === 'incomplete' ? cutBy : (finish_reason ?? 'stop');
  return {
    text: said.text,
    pieces,
    reasoning: reasoningOf(said),
    refusal: '',
    usage: usageOf(said.usage_metadata),
    ending: typeof ending === 'string' ? ending : undefined,
  };
}

function reasoningOf({ additional_kwargs: { reasoning_content, reasoning } }: Messages.AIMessage): string {
  if (typeof reasoning_content === 'string') return reasoning_content;
  const summary: unknown = Object(reasoning).summary;
  if (!Array.isArray(summary)) return '';
  return summary.map((part: unknown) => String(Object(part).text)).join('');
}

function usageOf(usage: Messages.UsageMetadata | undefined): Usage {
  return { input: usage?.input_tokens, output: usage?.output_tokens };
}

function contentOf({ text, image }: Question) {
  if (image === undefined) return [{ type: 'text' as const, text }];
  const url = `data:image/png;base64,${image}`;
  return [
    { type: 'text' as const, text },
    { type: 'image_url' as const, image_url: { url } },
  ];
}

/** It hands on the errors of its own copy of `openai`, so they are known by their form. */
function failure(error: unknown): ReturnType<Client['failure']> {
  if (!(error instanceof Error) || !('status' in error)) return undefined;
  const { status, headers } = error as Partial<Pick<APIError, 'status' | 'headers'>>;
  return { status, message: error.message, retryAfter: headers?.get('retry-after') ?? undefined };
}
