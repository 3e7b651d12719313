/** The `openai` package as a judge, in whatever majors are installed: its plain calls, iterators and stream helpers. */
import type OpenAI from 'openai';
import { type Heard, type Judge, NOTHING, type Recording, replayed } from './judge.ts';

export type OpenAiModule = typeof OpenAI;

type ChatMessage = OpenAI.ChatCompletion['choices'][number]['message'];

const CHAT = { model: 'judged', messages: [] };
const RESPONSES = { model: 'judged', input: 'judged' };

export function openAiJudges(Sdk: OpenAiModule, name: string): readonly Judge[] {
  const client = (recording: Recording) =>
    new Sdk({
      apiKey: 'none',
      baseURL: 'http://127.0.0.1/v1',
      maxRetries: 0,
      fetch: async () => replayed(recording),
    });
  const judge = (
    of: Pick<Judge, 'name' | 'dialect' | 'stream'>,
    hear: (client: OpenAI) => Promise<Heard>,
  ): Judge => ({
    ...of,
    hear: async (recording) => {
      try {
        return await hear(client(recording));
      } catch (error) {
        return { ...NOTHING, error: wordsOf(error) };
      }
    },
  });
  return [
    judge({ name, dialect: 'chat', stream: false }, async (sdk) =>
      heardChat(await sdk.chat.completions.create(CHAT)),
    ),
    judge({ name: `${name}, helper`, dialect: 'chat', stream: true }, async (sdk) =>
      heardChat(await chatOf(sdk).completions.stream(CHAT).finalChatCompletion()),
    ),
    judge({ name: `${name}, iterator`, dialect: 'chat', stream: true }, async (sdk) =>
      heardChunks(await sdk.chat.completions.create({ ...CHAT, stream: true })),
    ),
    judge({ name, dialect: 'responses', stream: false }, async (sdk) =>
      heardResponse(await sdk.responses.create(RESPONSES)),
    ),
    judge({ name: `${name}, helper`, dialect: 'responses', stream: true }, async (sdk) =>
      heardResponse(await sdk.responses.stream(RESPONSES).finalResponse()),
    ),
    judge({ name: `${name}, iterator`, dialect: 'responses', stream: true }, async (sdk) =>
      heardEvents(await sdk.responses.create({ ...RESPONSES, stream: true })),
    ),
  ];
}

/** Release 4 has the helper in another place. */
function chatOf({ chat, beta }: OpenAI): Pick<OpenAI['chat'], 'completions'> {
  return hasChat(beta) ? beta.chat : chat;
}

function hasChat(beta: object): beta is Pick<OpenAI, 'chat'> {
  return 'chat' in beta;
}

/** Some releases throw the error event as it is. */
function wordsOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message);
  return String(error);
}

function heardChat({ choices, usage }: Pick<OpenAI.ChatCompletion, 'choices' | 'usage'>): Heard {
  const [choice] = choices;
  if (choice === undefined) return { ...NOTHING, error: 'an answer without a choice' };
  const { message, finish_reason } = choice;
  return {
    ...NOTHING,
    text: message.content ?? '',
    reasoning: reasoningIn(message),
    refusal: message.refusal ?? '',
    calls: (message.tool_calls ?? []).map((call) =>
      call.type === 'function'
        ? { id: call.id, name: call.function.name, arguments: call.function.arguments }
        : { id: call.id, name: call.custom.name, arguments: call.custom.input },
    ),
    finish: finishOf(finish_reason),
    usage: usage && { input: usage.prompt_tokens, output: usage.completion_tokens },
  };
}

/** No type of the package has it, but its objects keep what they do not know. */
function reasoningIn(said: ChatMessage | OpenAI.ChatCompletionChunk.Choice.Delta): string {
  const value: unknown = Reflect.get(said, 'reasoning_content');
  return typeof value === 'string' ? value : '';
}

/** As people do who write their own loop. */
async function heardChunks(chunks: AsyncIterable<OpenAI.ChatCompletionChunk>): Promise<Heard> {
  const calls: { id: string; name: string; arguments: string }[] = [];
  const heard = { ...NOTHING, calls };
  for await (const { choices, usage } of chunks) {
    if (usage) heard.usage = { input: usage.prompt_tokens, output: usage.completion_tokens };
    const [choice] = choices;
    if (choice === undefined) continue;
    const { delta, finish_reason } = choice;
    heard.text += delta.content ?? '';
    heard.refusal += delta.refusal ?? '';
    heard.reasoning += reasoningIn(delta);
    for (const { index, id, function: fn, ...rest } of delta.tool_calls ?? []) {
      const call = (calls[index] ??= { id: '', name: '', arguments: '' });
      const custom: { name?: string; input?: string } | undefined = Reflect.get(rest, 'custom');
      call.id += id ?? '';
      call.name += fn?.name ?? custom?.name ?? '';
      call.arguments += fn?.arguments ?? custom?.input ?? '';
    }
    if (finish_reason) heard.finish = finishOf(finish_reason);
  }
  return heard;
}

function finishOf(reason: string): string {
  return { length: 'length', content_filter: 'filter', tool_calls: 'calls' }[reason] ?? reason;
}

function heardResponse(response: OpenAI.Responses.Response): Heard {
  const { output, usage, status, error, incomplete_details: details } = response;
  if (status === 'failed') return { ...NOTHING, error: error?.message };
  const said = output.flatMap((item) => (item.type === 'message' ? item.content : []));
  const calls = output.flatMap(callIn);
  const cut = details?.reason === 'content_filter' ? 'filter' : 'length';
  return {
    ...NOTHING,
    text: said.map((part) => (part.type === 'output_text' ? part.text : '')).join(''),
    refusal: said.map((part) => (part.type === 'refusal' ? part.refusal : '')).join(''),
    reasoning: output.map(shownReasoning).filter(Boolean).join('\n\n'),
    calls,
    finish: status === 'incomplete' ? cut : calls.length > 0 ? 'calls' : 'stop',
    usage: usage && { input: usage.input_tokens, output: usage.output_tokens },
  };
}

function callIn(item: OpenAI.Responses.ResponseOutputItem): Heard['calls'] {
  if (item.type === 'function_call')
    return [{ id: item.call_id, name: item.name, arguments: item.arguments }];
  if (item.type === 'custom_tool_call') return [{ id: item.call_id, name: item.name, arguments: item.input }];
  return [];
}

function shownReasoning(item: OpenAI.Responses.ResponseOutputItem): string {
  if (item.type !== 'reasoning') return '';
  const summary = item.summary.map(({ text }) => text).join('\n\n');
  return summary || (item.content ?? []).map(({ text }) => text).join('');
}

/** Releases before 7 hand an error event over in place of throwing it. */
async function heardEvents(events: AsyncIterable<OpenAI.Responses.ResponseStreamEvent>): Promise<Heard> {
  let error: string | undefined;
  let heard: Heard | undefined;
  for await (const event of events) {
    if (event.type === 'error') error ??= event.message;
    if (event.type === 'response.completed' || event.type === 'response.incomplete')
      heard = heardResponse(event.response);
    if (event.type === 'response.failed') error ??= event.response.error?.message;
  }
  if (error !== undefined) return { ...NOTHING, error };
  return heard ?? { ...NOTHING, error: 'a stream without an end' };
}
