/** The `openai` package, in any of its majors: its stream helpers on both APIs. */
import type OpenAI from 'openai6';
import {
  type Ability,
  CITY,
  type Client,
  cityOf,
  type Heard,
  installed,
  type Place,
  type Question,
  WEATHER,
} from './client.ts';

type Sdk = typeof OpenAI;
type ChatParams = Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, 'stream'>;
type ResponseParams = Omit<OpenAI.Responses.ResponseCreateParamsNonStreaming, 'stream'>;

/** What is read of one answer, by either API. */
interface Said<Piece> {
  readonly pieces: readonly string[];
  readonly answer: Piece;
}

const ABILITIES: readonly Ability[] = [
  'headers of a refusal',
  'whole answers',
  'JSON of a schema',
  'reasoning',
  'refusals',
  'length as an ending',
  'a filter as an ending',
];

/** `sdk` is the default export of the package installed as `folder`. Only private members tell the types of the majors apart. */
export function openai(sdk: unknown, folder: string): readonly Client[] {
  const Sdk = sdk as Sdk;
  return [chat(Sdk, installed(folder)), responses(Sdk, installed(folder))];
}

function chat(Sdk: Sdk, name: string): Client {
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

function responses(Sdk: Sdk, name: string): Client {
  return {
    name,
    api: 'responses',
    abilities: [...ABILITIES, 'reasoning of earlier turns', 'references'],
    models: (url) => models(Sdk, url),
    failure: (error) => failure(Sdk, error),
    async ask(place, question) {
      const client = connect(Sdk, place.url);
      const pieces: string[] = [];
      let input: OpenAI.Responses.ResponseInput = [];
      let before: string | undefined;
      let heard: Heard | undefined;
      for (const content of [responsesContent(question), ...(question.andThen ?? [])]) {
        input.push({ role: 'user', content });
        for (heard = undefined; heard === undefined;) {
          const body = { model: place.model, input, ...responseOptions(question, before) };
          const said = question.isWhole
            ? { pieces: [], answer: await client.responses.create(body) }
            : await responsesStream(client, body);
          pieces.push(...said.pieces);
          const { output, status, error, id } = said.answer;
          // The helper leaves it to its user to look.
          if (status !== 'completed' && status !== 'incomplete')
            throw new Sdk.OpenAIError(error?.message ?? `an answer that is ${status}`);
          before = id;
          input = question.byReference ? [] : [...input, ...output.map(asInput)];
          const calls = output.filter((item) => item.type === 'function_call');
          for (const call of calls) {
            const result = question.weather?.(cityOf(call.arguments)) ?? '';
            input.push({ type: 'function_call_output', call_id: call.call_id, output: result });
          }
          if (calls.length === 0) heard = responseHeard(said.answer, pieces);
        }
      }
      return heard ?? Promise.reject(new Error('nothing was asked'));
    },
  };
}

function responseOptions(
  { weather, asJson, byReference }: Question,
  before: string | undefined,
): Omit<ResponseParams, 'model' | 'input'> {
  return {
    ...(byReference
      ? { previous_response_id: before ?? null }
      : { store: false, include: ['reasoning.encrypted_content'] }),
    ...(weather && { tools: [{ type: 'function', strict: true, ...WEATHER }] }),
    ...(asJson && {
      text: { format: { type: 'json_schema', name: 'city', strict: true, schema: CITY } },
    }),
  };
}

async function responsesStream(
  client: OpenAI,
  body: ResponseParams,
): Promise<Said<OpenAI.Responses.Response>> {
  const pieces: string[] = [];
  const stream = client.responses.stream(body);
  let ended: OpenAI.Responses.Response | undefined;
  stream.on('response.output_text.delta', ({ delta }) => pieces.push(delta));
  // The older majors do not look at it.
  stream.on('response.incomplete', ({ response }) => {
    ended = response;
  });
  const answer = await stream.finalResponse();
  return { pieces, answer: ended ?? answer };
}

function responseHeard(answer: OpenAI.Responses.Response, pieces: readonly string[]): Heard {
  const { output, usage, status, incomplete_details: cut } = answer;
  const parts = output.flatMap((item) => (item.type === 'message' ? item.content : []));
  const thoughts = output.flatMap((item) => (item.type === 'reasoning' ? item.summary : []));
  return {
    // `output_text` is there in some releases only.
    text: parts.map((part) => (part.type === 'output_text' ? part.text : '')).join(''),
    pieces,
    reasoning: thoughts.map(({ text }) => text).join(''),
    refusal: parts.map((part) => (part.type === 'refusal' ? part.refusal : '')).join(''),
    usage: { input: usage?.input_tokens, output: usage?.output_tokens },
    ending: status === 'completed' ? 'stop' : cut?.reason === 'max_output_tokens' ? 'length' : cut?.reason,
  };
}

/** What was said goes back as it came, without what the helper itself put to it. */
function asInput(item: OpenAI.Responses.ResponseOutputItem): OpenAI.Responses.ResponseInputItem {
  if (item.type === 'message') {
    const content = item.content.map((part) =>
      part.type === 'refusal' ? part : { type: part.type, text: part.text, annotations: [] },
    );
    return { ...item, content };
  }
  if (item.type === 'reasoning') return item;
  if (item.type !== 'function_call') throw new Error(`an item of type ${item.type}`);
  const { type, call_id, name, arguments: args } = item;
  return { type, call_id, name, arguments: args };
}

async function models(Sdk: Sdk, url: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { id } of connect(Sdk, url).models.list()) ids.push(id);
  return ids;
}

function connect(Sdk: Sdk, url: Place['url']): OpenAI {
  return new Sdk({ baseURL: url, apiKey: 'any', maxRetries: 0 });
}

function chatContent({ text, image }: Question): OpenAI.ChatCompletionContentPart[] {
  if (image === undefined) return [{ type: 'text', text }];
  const url = `data:image/png;base64,${image}`;
  return [
    { type: 'text', text },
    { type: 'image_url', image_url: { url } },
  ];
}

function responsesContent({ text, image }: Question): OpenAI.Responses.ResponseInputContent[] {
  if (image === undefined) return [{ type: 'input_text', text }];
  const image_url = `data:image/png;base64,${image}`;
  return [
    { type: 'input_text', text },
    { type: 'input_image', detail: 'auto', image_url },
  ];
}

function failure(Sdk: Sdk, error: unknown): ReturnType<Client['failure']> {
  if (isErrorEvent(error)) return { status: undefined, message: error.message, retryAfter: undefined };
  // What breaks a stream after its head is the parent class.
  if (!(error instanceof Sdk.OpenAIError)) return undefined;
  if (!(error instanceof Sdk.APIError))
    return { status: undefined, message: error.message, retryAfter: undefined };
  const retryAfter = retryAfterOf(error.headers);
  return { status: error.status, message: error.message, retryAfter };
}

/** The fourth major has a plain object of headers. */
function retryAfterOf(headers: unknown): string | undefined {
  if (headers instanceof Headers) return headers.get('retry-after') ?? undefined;
  const value: unknown = Object(headers)['retry-after'];
  return typeof value === 'string' ? value : undefined;
}

/** The helper for Responses hands an error event on as it came. */
function isErrorEvent(error: unknown): error is OpenAI.Responses.ResponseErrorEvent {
  return typeof error === 'object' && error !== null && 'type' in error && error.type === 'error';
}
