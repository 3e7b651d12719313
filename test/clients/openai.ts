/** The `openai` package, in two majors: its stream helpers on both APIs. */
import OpenAI5 from 'openai5';
import OpenAI6 from 'openai6';
import { type Client, cityOf, installed, type Place, type Question, WEATHER } from './client.ts';

type Sdk = typeof OpenAI6;

function chat(Sdk: Sdk, name: string): Client {
  return {
    name,
    api: 'chat',
    tellsHeaders: true,
    async ask(place, question) {
      const client = connect(Sdk, place);
      const messages: OpenAI6.ChatCompletionMessageParam[] = [
        { role: 'user', content: chatContent(question) },
      ];
      const pieces: string[] = [];
      for (;;) {
        const stream = client.chat.completions.stream({
          model: place.model,
          messages,
          stream_options: { include_usage: true },
          ...(question.weather && { tools: [{ type: 'function', function: WEATHER }] }),
        });
        stream.on('content', (piece) => pieces.push(piece));
        const { choices, usage } = await stream.finalChatCompletion();
        const said = choices[0]?.message;
        if (said === undefined) throw new Error('an answer without a choice');
        if (!said.tool_calls?.length)
          return {
            text: said.content ?? '',
            pieces,
            usage: { input: usage?.prompt_tokens, output: usage?.completion_tokens },
          };
        messages.push(said);
        for (const call of said.tool_calls) {
          if (call.type !== 'function') throw new Error(`a call of type ${call.type}`);
          const content = question.weather?.(cityOf(call.function.arguments)) ?? '';
          messages.push({ role: 'tool', tool_call_id: call.id, content });
        }
      }
    },
    failure: (error) => failure(Sdk, error),
  };
}

function responses(Sdk: Sdk, name: string): Client {
  return {
    name,
    api: 'responses',
    tellsHeaders: true,
    async ask(place, question) {
      const client = connect(Sdk, place);
      const input: OpenAI6.Responses.ResponseInput = [{ role: 'user', content: responsesContent(question) }];
      const pieces: string[] = [];
      for (;;) {
        const stream = client.responses.stream({
          model: place.model,
          input,
          ...(question.weather && { tools: [{ type: 'function', strict: true, ...WEATHER }] }),
        });
        stream.on('response.output_text.delta', ({ delta }) => pieces.push(delta));
        const { output, usage, status, error } = await stream.finalResponse();
        // The helper leaves it to its user to look.
        if (status !== 'completed')
          throw new Sdk.OpenAIError(error?.message ?? `an answer that is ${status}`);
        const calls = output.filter((item) => item.type === 'function_call');
        if (calls.length === 0)
          return {
            text: textOf(output),
            pieces,
            usage: { input: usage?.input_tokens, output: usage?.output_tokens },
          };
        input.push(...output.map(asInput));
        for (const call of calls) {
          const result = question.weather?.(cityOf(call.arguments)) ?? '';
          input.push({ type: 'function_call_output', call_id: call.call_id, output: result });
        }
      }
    },
    failure: (error) => failure(Sdk, error),
  };
}

function connect(Sdk: Sdk, { url }: Place): OpenAI6 {
  return new Sdk({ baseURL: url, apiKey: 'any', maxRetries: 0 });
}

function chatContent({ text, image }: Question): OpenAI6.ChatCompletionContentPart[] {
  return [
    { type: 'text', text },
    ...(image === undefined
      ? []
      : [{ type: 'image_url' as const, image_url: { url: `data:image/png;base64,${image}` } }]),
  ];
}

function responsesContent({ text, image }: Question): OpenAI6.Responses.ResponseInputContent[] {
  return [
    { type: 'input_text', text },
    ...(image === undefined
      ? []
      : [
          {
            type: 'input_image' as const,
            detail: 'auto' as const,
            image_url: `data:image/png;base64,${image}`,
          },
        ]),
  ];
}

// `output_text` is there in some releases only.
function textOf(output: readonly OpenAI6.Responses.ResponseOutputItem[]): string {
  const parts = output.flatMap((item) => (item.type === 'message' ? item.content : []));
  return parts.map((part) => (part.type === 'output_text' ? part.text : '')).join('');
}

/** What was said goes back as it came, without what the helper itself put to it. */
function asInput(item: OpenAI6.Responses.ResponseOutputItem): OpenAI6.Responses.ResponseInputItem {
  if (item.type === 'message') {
    const text = textOf([item]);
    return { ...item, content: [{ type: 'output_text', text, annotations: [] }] };
  }
  if (item.type !== 'function_call') throw new Error(`an item of type ${item.type}`);
  const { type, call_id, name, arguments: args } = item;
  return { type, call_id, name, arguments: args };
}

function failure(Sdk: Sdk, error: unknown): ReturnType<Client['failure']> {
  if (isErrorEvent(error)) return { status: undefined, message: error.message, retryAfter: undefined };
  // What breaks a stream after its head is the parent class.
  if (!(error instanceof Sdk.OpenAIError)) return undefined;
  if (!(error instanceof Sdk.APIError))
    return { status: undefined, message: error.message, retryAfter: undefined };
  return {
    status: error.status,
    message: error.message,
    retryAfter: error.headers?.get('retry-after') ?? undefined,
  };
}

/** The helper for Responses hands an error event on as it came. */
function isErrorEvent(error: unknown): error is OpenAI6.Responses.ResponseErrorEvent {
  return typeof error === 'object' && error !== null && 'type' in error && error.type === 'error';
}

// The same calls in both; only the private members of the classes tell the types apart.
const majors: readonly [unknown, string][] = [
  [OpenAI5, 'openai5'],
  [OpenAI6, 'openai6'],
];

export const openai: readonly Client[] = majors.flatMap(([sdk, folder]) => [
  chat(sdk as Sdk, installed(folder)),
  responses(sdk as Sdk, installed(folder)),
]);
