/** The schemas of a Responses stream, written from the specification and not from our writer. */
import { z } from 'zod';

const OutputText = z.object({
  type: z.literal('output_text'),
  text: z.string(),
  annotations: z.array(z.looseObject({ type: z.string() })),
  logprobs: z.array(z.unknown()).optional(),
});
const Refusal = z.object({ type: z.literal('refusal'), refusal: z.string() });
const ReasoningText = z.object({ type: z.literal('reasoning_text'), text: z.string() });
export const Part = z.discriminatedUnion('type', [OutputText, Refusal, ReasoningText]);
export const SummaryPart = z.object({ type: z.literal('summary_text'), text: z.string() });
const status = z.enum(['in_progress', 'completed', 'incomplete']);

/** What a provider's own tools did: their members are theirs. */
const HostedItem = z.looseObject({
  id: z.string().min(1),
  type: z.enum([
    'web_search_call',
    'file_search_call',
    'code_interpreter_call',
    'image_generation_call',
    'mcp_call',
    'mcp_list_tools',
    'tool_search_call',
  ]),
});

const KnownItem = z.discriminatedUnion('type', [
  z.object({
    id: z.string().min(1),
    type: z.literal('message'),
    status,
    role: z.literal('assistant'),
    content: z.array(Part),
  }),
  z.object({
    id: z.string().min(1),
    type: z.literal('function_call'),
    status,
    call_id: z.string().min(1),
    name: z.string().min(1),
    arguments: z.string(),
  }),
  z.object({
    id: z.string().min(1),
    type: z.literal('custom_tool_call'),
    call_id: z.string().min(1),
    name: z.string().min(1),
    input: z.string(),
  }),
  z.object({
    id: z.string().min(1),
    type: z.literal('reasoning'),
    summary: z.array(SummaryPart),
    content: z.array(ReasoningText).optional(),
  }),
]);
export const OutputItem = z.union([KnownItem, HostedItem]);
export type OutputItem = z.infer<typeof OutputItem>;

const count = z.int().nonnegative();
const Usage = z.object({
  input_tokens: count,
  input_tokens_details: z.object({ cached_tokens: count }),
  output_tokens: count,
  output_tokens_details: z.object({ reasoning_tokens: count }),
  total_tokens: count,
});

/** Every key must be there; what may be null is said so. */
export const ResponseObject = z.object({
  id: z.string().min(1),
  object: z.literal('response'),
  created_at: z.int(),
  completed_at: z.int().nullable(),
  status: z.enum(['completed', 'failed', 'in_progress', 'incomplete']),
  incomplete_details: z.object({ reason: z.string() }).nullable(),
  model: z.string(),
  previous_response_id: z.string().nullable(),
  instructions: z.string().nullable(),
  output: z.array(OutputItem),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  tools: z.array(
    z.object({
      type: z.literal('function'),
      name: z.string(),
      description: z.string().nullable(),
      parameters: z.record(z.string(), z.unknown()).nullable(),
      strict: z.boolean().nullable(),
    }),
  ),
  tool_choice: z.union([z.enum(['none', 'auto', 'required']), z.looseObject({ type: z.string() })]),
  truncation: z.enum(['auto', 'disabled']),
  parallel_tool_calls: z.boolean(),
  text: z.object({ format: z.looseObject({ type: z.string() }) }),
  top_p: z.number(),
  presence_penalty: z.number(),
  frequency_penalty: z.number(),
  top_logprobs: z.int(),
  temperature: z.number(),
  reasoning: z.object({ effort: z.string().nullable(), summary: z.string().nullable() }).nullable(),
  usage: Usage.nullable(),
  max_output_tokens: z.int().nullable(),
  max_tool_calls: z.int().nullable(),
  store: z.boolean(),
  background: z.boolean(),
  service_tier: z.string(),
  metadata: z.record(z.string(), z.string()),
  safety_identifier: z.string().nullable(),
  prompt_cache_key: z.string().nullable(),
});

const sequence_number = count;
const inItem = { sequence_number, item_id: z.string(), output_index: count };
const inPart = { ...inItem, content_index: count };
const inSummary = { ...inItem, summary_index: count };
const withResponse = { sequence_number, response: ResponseObject };
const withItem = { sequence_number, output_index: count, item: OutputItem };
const logprobs = z.array(z.unknown());

export const StreamEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('response.created'), ...withResponse }),
  z.object({ type: z.literal('response.in_progress'), ...withResponse }),
  z.object({ type: z.literal('response.completed'), ...withResponse }),
  z.object({ type: z.literal('response.incomplete'), ...withResponse }),
  z.object({ type: z.literal('response.failed'), ...withResponse }),
  z.object({ type: z.literal('response.output_item.added'), ...withItem }),
  z.object({ type: z.literal('response.output_item.done'), ...withItem }),
  z.object({ type: z.literal('response.content_part.added'), ...inPart, part: Part }),
  z.object({ type: z.literal('response.content_part.done'), ...inPart, part: Part }),
  z.object({ type: z.literal('response.output_text.delta'), ...inPart, delta: z.string(), logprobs }),
  z.object({ type: z.literal('response.output_text.done'), ...inPart, text: z.string(), logprobs }),
  z.object({
    type: z.literal('response.output_text.annotation.added'),
    ...inPart,
    annotation_index: count,
    annotation: z.looseObject({ type: z.string() }),
  }),
  z.object({ type: z.literal('response.refusal.delta'), ...inPart, delta: z.string() }),
  z.object({ type: z.literal('response.refusal.done'), ...inPart, refusal: z.string() }),
  z.object({ type: z.literal('response.function_call_arguments.delta'), ...inItem, delta: z.string() }),
  z.object({ type: z.literal('response.function_call_arguments.done'), ...inItem, arguments: z.string() }),
  z.object({ type: z.literal('response.custom_tool_call_input.delta'), ...inItem, delta: z.string() }),
  z.object({ type: z.literal('response.custom_tool_call_input.done'), ...inItem, input: z.string() }),
  z.object({ type: z.literal('response.reasoning_summary_part.added'), ...inSummary, part: SummaryPart }),
  z.object({ type: z.literal('response.reasoning_summary_part.done'), ...inSummary, part: SummaryPart }),
  z.object({ type: z.literal('response.reasoning_summary_text.delta'), ...inSummary, delta: z.string() }),
  z.object({ type: z.literal('response.reasoning_summary_text.done'), ...inSummary, text: z.string() }),
  z.object({ type: z.literal('response.reasoning_text.delta'), ...inPart, delta: z.string() }),
  z.object({ type: z.literal('response.reasoning_text.done'), ...inPart, text: z.string() }),
  z.object({
    type: z.literal('error'),
    sequence_number,
    code: z.string().nullable(),
    message: z.string(),
    param: z.string().nullable(),
    error: z.object({ code: z.string().nullable(), message: z.string(), param: z.string().nullable() }),
  }),
  // Not in the specification: without a number where the stream is the upstream's.
  z.object({ type: z.literal('keepalive'), sequence_number: count.optional() }),
]);
export type StreamEvent = z.infer<typeof StreamEvent>;

/** What a provider's own tool tells while it works. */
export const HostedEvent = z.looseObject({
  type: z.string().regex(/^response\.(web_search|file_search|code_interpreter|image_generation|mcp)_/),
  ...inItem,
});
