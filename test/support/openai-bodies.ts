/** Bodies that an OpenAI-like server sends: whole replies and the events of streams, in both dialects. */

export interface Said {
  /** The pieces that the text is streamed in; a whole reply has them joined. */
  readonly text?: readonly string[];
  readonly toolCalls?: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly usage?: { readonly input: number; readonly output: number };
  readonly model?: string;
}

/** One event of a Responses stream, with its name. */
export function namedEvent(event: { readonly type: string }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

export function dataEvent(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

export const DONE = 'data: [DONE]\n\n';

export function chatBody(said: Said): unknown {
  const { text = [], toolCalls = [] } = said;
  const calls = toolCalls.map(({ id, name, arguments: args }) => ({
    id,
    type: 'function',
    function: { name, arguments: args },
  }));
  const message = {
    role: 'assistant',
    content: text.length === 0 ? null : text.join(''),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  return {
    ...chatHead(said, 'chat.completion'),
    choices: [{ index: 0, message, finish_reason: finishOf(said) }],
    usage: chatUsage(said),
  };
}

/** The events one by one; the last two are the usage chunk and `[DONE]`. */
export function chatEvents(said: Said): readonly string[] {
  const head = chatHead(said, 'chat.completion.chunk');
  const chunk = (delta: unknown, finish: string | null = null) =>
    dataEvent({ ...head, choices: [{ index: 0, delta, finish_reason: finish }] });
  const calls = (said.toolCalls ?? []).flatMap(({ id, name, arguments: args }, index) => [
    chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }),
    chunk({ tool_calls: [{ index, function: { arguments: args } }] }),
  ]);
  return [
    chunk({ role: 'assistant', content: '' }),
    ...(said.text ?? []).map((content) => chunk({ content })),
    ...calls,
    chunk({}, finishOf(said)),
    dataEvent({ ...head, choices: [], usage: chatUsage(said) }),
    DONE,
  ];
}

export function responsesBody(said: Said): unknown {
  return responseObject(said, 'completed', outputItems(said));
}

/** The events one by one; the last is `response.completed`. */
export function responsesEvents(said: Said): readonly string[] {
  const events: { type: string }[] = [
    { type: 'response.created', response: responseObject(said, 'in_progress', []) },
    { type: 'response.in_progress', response: responseObject(said, 'in_progress', []) },
  ].map((event) => event);
  outputItems(said).forEach((item, output_index) => {
    events.push(...itemEvents(said, item, output_index));
  });
  events.push(
    Object.assign(
      { type: 'response.completed' },
      { response: responseObject(said, 'completed', outputItems(said)) },
    ),
  );
  return events.map((event, sequence_number) => namedEvent(Object.assign({ sequence_number }, event)));
}

type Item = ReturnType<typeof outputItems>[number];

function itemEvents(said: Said, item: Item, output_index: number): { type: string }[] {
  const at = { output_index, item_id: item.id };
  if (item.type === 'function_call')
    return [
      make('response.output_item.added', { output_index, item: { ...item, arguments: '' } }),
      make('response.function_call_arguments.delta', { ...at, delta: item.arguments }),
      make('response.function_call_arguments.done', { ...at, arguments: item.arguments }),
      make('response.output_item.done', { output_index, item }),
    ];
  const part = { ...at, content_index: 0 };
  const [content] = item.content;
  return [
    make('response.output_item.added', {
      output_index,
      item: { ...item, status: 'in_progress', content: [] },
    }),
    make('response.content_part.added', {
      ...part,
      part: { type: 'output_text', text: '', annotations: [] },
    }),
    ...(said.text ?? []).map((delta) => make('response.output_text.delta', { ...part, delta })),
    make('response.output_text.done', { ...part, text: content?.text ?? '' }),
    make('response.content_part.done', { ...part, part: content }),
    make('response.output_item.done', { output_index, item }),
  ];
}

function make(type: string, fields: object): { type: string } {
  return { type, ...fields };
}

function outputItems({ text = [], toolCalls = [] }: Said) {
  const message = {
    type: 'message' as const,
    id: 'msg_1',
    status: 'completed',
    role: 'assistant',
    content: [{ type: 'output_text', text: text.join(''), annotations: [] }],
  };
  const calls = toolCalls.map(({ id, name, arguments: args }, index) => ({
    type: 'function_call' as const,
    id: `fc_${index + 1}`,
    call_id: id,
    name,
    arguments: args,
    status: 'completed',
  }));
  return text.length === 0 ? calls : [message, ...calls];
}

function responseObject(said: Said, status: string, output: readonly object[]) {
  const { input, output: out } = said.usage ?? { input: 7, output: 5 };
  return {
    id: 'resp_scripted',
    object: 'response',
    created_at: 1_767_225_600,
    model: said.model ?? 'scripted',
    status,
    output,
    usage:
      status === 'completed' ? { input_tokens: input, output_tokens: out, total_tokens: input + out } : null,
  };
}

function chatHead({ model = 'scripted' }: Said, object: string) {
  return { id: 'chatcmpl-scripted', object, created: 1_767_225_600, model };
}

function chatUsage({ usage = { input: 7, output: 5 } }: Said) {
  const { input, output } = usage;
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}

function finishOf({ toolCalls = [] }: Said): string {
  return toolCalls.length > 0 ? 'tool_calls' : 'stop';
}
