/** Bodies that an OpenAI-like server sends: whole replies and the events of streams, in both dialects. */

export interface Said {
  /** The pieces that the text is streamed in; a whole reply has them joined. */
  readonly text?: readonly string[];
  /** What it thinks before it speaks, in the pieces that it is streamed in. */
  readonly reasoning?: readonly string[];
  /** In place of text. */
  readonly refusal?: string;
  /** Why it stopped, where it was cut. */
  readonly cutBy?: 'length' | 'content_filter';
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
  const { text = [], toolCalls = [], reasoning, refusal } = said;
  const calls = toolCalls.map(({ id, name, arguments: args }) => ({
    id,
    type: 'function',
    function: { name, arguments: args },
  }));
  const message = {
    role: 'assistant',
    content: text.length === 0 ? null : text.join(''),
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning.join('') }),
    ...(refusal === undefined ? {} : { refusal }),
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
    ...(said.reasoning ?? []).map((reasoning_content) => chunk({ reasoning_content })),
    ...(said.refusal === undefined ? [] : [chunk({ refusal: said.refusal })]),
    ...(said.text ?? []).map((content) => chunk({ content })),
    ...calls,
    chunk({}, finishOf(said)),
    dataEvent({ ...head, choices: [], usage: chatUsage(said) }),
    DONE,
  ];
}

export function responsesBody(said: Said): unknown {
  return responseObject(said, statusOf(said), outputItems(said));
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
  const status = statusOf(said);
  events.push(make(`response.${status}`, { response: responseObject(said, status, outputItems(said)) }));
  return events.map((event, sequence_number) => namedEvent(Object.assign({ sequence_number }, event)));
}

type Item = ReturnType<typeof outputItems>[number];

function itemEvents(said: Said, item: Item, output_index: number): { type: string }[] {
  const at = { output_index, item_id: item.id };
  if (item.type === 'function_call')
    return [
      make('response.output_item.added', {
        output_index,
        item: { ...item, status: 'in_progress', arguments: '' },
      }),
      make('response.function_call_arguments.delta', { ...at, delta: item.arguments }),
      make('response.function_call_arguments.done', { ...at, arguments: item.arguments }),
      make('response.output_item.done', { output_index, item }),
    ];
  if (item.type === 'reasoning') return reasoningEvents(said, item, output_index);
  const part = { ...at, content_index: 0 };
  const [content] = item.content;
  if (said.refusal !== undefined)
    return [
      make('response.output_item.added', {
        output_index,
        item: { ...item, status: 'in_progress', content: [] },
      }),
      make('response.content_part.added', { ...part, part: { type: 'refusal', refusal: '' } }),
      make('response.refusal.delta', { ...part, delta: said.refusal }),
      make('response.refusal.done', { ...part, refusal: said.refusal }),
      make('response.content_part.done', { ...part, part: content }),
      make('response.output_item.done', { output_index, item }),
    ];
  return [
    make('response.output_item.added', {
      output_index,
      item: { ...item, status: 'in_progress', content: [] },
    }),
    make('response.content_part.added', {
      ...part,
      part: { type: 'output_text', text: '', annotations: [] },
    }),
    ...(said.text ?? []).map((delta) => make('response.output_text.delta', { ...part, delta, logprobs: [] })),
    make('response.output_text.done', { ...part, text: (said.text ?? []).join(''), logprobs: [] }),
    make('response.content_part.done', { ...part, part: content }),
    make('response.output_item.done', { output_index, item }),
  ];
}

function make(type: string, fields: object): { type: string } {
  return { type, ...fields };
}

function reasoningEvents(
  said: Said,
  item: Item & { readonly type: 'reasoning' },
  output_index: number,
): { type: string }[] {
  const part = { output_index, item_id: item.id, summary_index: 0 };
  const [summary] = item.summary;
  return [
    make('response.output_item.added', { output_index, item: { ...item, summary: [] } }),
    make('response.reasoning_summary_part.added', { ...part, part: { type: 'summary_text', text: '' } }),
    ...(said.reasoning ?? []).map((delta) =>
      make('response.reasoning_summary_text.delta', { ...part, delta }),
    ),
    make('response.reasoning_summary_text.done', { ...part, text: summary?.text }),
    make('response.reasoning_summary_part.done', { ...part, part: summary }),
    make('response.output_item.done', { output_index, item }),
  ];
}

function outputItems({ text = [], toolCalls = [], reasoning, refusal, cutBy }: Said) {
  const thought = {
    type: 'reasoning' as const,
    id: 'rs_1',
    summary: [{ type: 'summary_text', text: reasoning?.join('') }],
    encrypted_content: 'sealed-by-the-upstream',
  };
  const message = {
    type: 'message' as const,
    id: 'msg_1',
    status: cutBy === undefined ? 'completed' : 'incomplete',
    role: 'assistant',
    content: [
      refusal === undefined
        ? { type: 'output_text', text: text.join(''), annotations: [] }
        : { type: 'refusal', refusal },
    ],
  };
  const calls = toolCalls.map(({ id, name, arguments: args }, index) => ({
    type: 'function_call' as const,
    id: `fc_${index + 1}`,
    call_id: id,
    name,
    arguments: args,
    status: 'completed',
  }));
  const isSilent = text.length === 0 && refusal === undefined;
  return [...(reasoning === undefined ? [] : [thought]), ...(isSilent ? [] : [message]), ...calls];
}

/** With every key that the schema of Responses demands, as clients of typed languages do. */
function responseObject(said: Said, status: string, output: readonly object[]) {
  const { input, output: out } = said.usage ?? { input: 7, output: 5 };
  const hasEnded = status !== 'in_progress';
  const reason = said.cutBy === 'length' ? 'max_output_tokens' : said.cutBy;
  return {
    id: 'resp_scripted',
    object: 'response',
    created_at: CREATED_AT,
    completed_at: status === 'completed' ? CREATED_AT + 1 : null,
    model: said.model ?? 'scripted',
    status,
    incomplete_details: status === 'incomplete' ? { reason } : null,
    error: null,
    output,
    usage: hasEnded ? responsesUsage(input, out) : null,
    ...ECHO,
  };
}

const CREATED_AT = 1_767_225_600;

/** What a server repeats of a request that says nothing but its input. */
const ECHO = {
  previous_response_id: null,
  instructions: null,
  tools: [],
  tool_choice: 'auto',
  truncation: 'disabled',
  parallel_tool_calls: true,
  text: { format: { type: 'text' } },
  temperature: 1,
  top_p: 1,
  presence_penalty: 0,
  frequency_penalty: 0,
  top_logprobs: 0,
  reasoning: { effort: null, summary: null },
  max_output_tokens: null,
  max_tool_calls: null,
  store: true,
  background: false,
  service_tier: 'default',
  metadata: {},
  safety_identifier: null,
  prompt_cache_key: null,
};

function responsesUsage(input: number, output: number) {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + output,
  };
}

function chatHead({ model = 'scripted' }: Said, object: string) {
  return { id: 'chatcmpl-scripted', object, created: CREATED_AT, model };
}

function chatUsage({ usage = { input: 7, output: 5 } }: Said) {
  const { input, output } = usage;
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}

function statusOf({ cutBy }: Said): 'completed' | 'incomplete' {
  return cutBy === undefined ? 'completed' : 'incomplete';
}

function finishOf({ toolCalls = [], cutBy }: Said): string {
  if (cutBy !== undefined) return cutBy;
  return toolCalls.length > 0 ? 'tool_calls' : 'stop';
}
