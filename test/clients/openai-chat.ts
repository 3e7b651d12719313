/** The `openai` package on Chat Completions. */
import type OpenAI from 'openai6';
import { CITY, type Client, cityOf, type Heard, type Question, WEATHER } from './client.ts';
import { ABILITIES, connect, failure, models, type Said, type Sdk } from './openai-package.ts';

type ChatParams = Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, 'stream'>;

export function chat(Sdk: Sdk, name: string): Client {
  return {
    name,
    api: 'chat',
    abilities: ABILITIES,
    models: (url) => models(Sdk, url),
    failure: (error) => failure(Sdk, error),
    async ask(place, question) {
      const client = connect(Sdk, place.url);
      const messages: OpenAI.ChatCompletionMessageParam[] = [];
      const body: ChatParams = { model: place.model, messages, ...chatOptions(question) };
      const pieces: string[] = [];
      const turns = [chatContent(question), ...(question.andThen ?? [])];
      let heard: Heard | undefined;
      for (const content of turns) {
        messages.push({ role: 'user', content });
        for (heard = undefined; heard === undefined;) {
          const said = question.isWhole
            ? { pieces: [], answer: await client.chat.completions.create(body) }
            : await chatStream(client, body);
          pieces.push(...said.pieces);
          const choice = said.answer.choices[0];
          if (choice === undefined) throw new Error('an answer without a choice');
          messages.push(choice.message);
          for (const call of choice.message.tool_calls ?? []) {
            if (call.type !== 'function') throw new Error(`a call of type ${call.type}`);
            const result = question.weather?.(cityOf(call.function.arguments)) ?? '';
            messages.push({ role: 'tool', tool_call_id: call.id, content: result });
          }
          if (!choice.message.tool_calls?.length) heard = chatHeard(said.answer, choice, pieces);
        }
      }
      return heard ?? Promise.reject(new Error('nothing was asked'));
    },
  };
}

function chatOptions({ weather, asJson }: Question): Partial<ChatParams> {
  return {
    ...(weather && { tools: [{ type: 'function', function: WEATHER }] }),
    ...(asJson && {
      response_format: { type: 'json_schema', json_schema: { name: 'city', strict: true, schema: CITY } },
    }),
  };
}

async function chatStream(client: OpenAI, body: ChatParams): Promise<Said<OpenAI.ChatCompletion>> {
  const pieces: string[] = [];
  // The fourth major has its helper in another place.
  const { completions } = 'stream' in client.chat.completions ? client.chat : betaChat(client);
  const stream = completions.stream({ ...body, stream_options: { include_usage: true } });
  let reasoning = '';
  stream.on('content', (piece) => pieces.push(piece));
  // The helper puts pieces together for what it knows, and keeps the last piece of anything else.
  stream.on('chunk', ({ choices: [choice] }) => {
    reasoning += reasoningOf(choice?.delta);
  });
  const answer = await stream.finalChatCompletion();
  for (const { message } of answer.choices) Object.assign(message, { reasoning_content: reasoning });
  return { pieces, answer };
}

function reasoningOf(said: unknown): string {
  const { reasoning_content } = Object(said);
  return typeof reasoning_content === 'string' ? reasoning_content : '';
}

function betaChat(client: unknown): OpenAI['chat'] {
  return (client as { readonly beta: { readonly chat: OpenAI['chat'] } }).beta.chat;
}

function chatHeard(
  { usage }: OpenAI.ChatCompletion,
  { message, finish_reason }: OpenAI.ChatCompletion.Choice,
  pieces: readonly string[],
): Heard {
  return {
    text: message.content ?? '',
    pieces,
    reasoning: reasoningOf(message),
    refusal: message.refusal ?? '',
    usage: { input: usage?.prompt_tokens, output: usage?.completion_tokens },
    ending: finish_reason,
  };
}

function chatContent({ text, image }: Question): OpenAI.ChatCompletionContentPart[] {
  if (image === undefined) return [{ type: 'text', text }];
  const url = `data:image/png;base64,${image}`;
  return [
    { type: 'text', text },
    { type: 'image_url', image_url: { url } },
  ];
}
