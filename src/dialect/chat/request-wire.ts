/** What a Chat Completions client may send, as leniently as clients are. Unknown fields are let through unread. */
import { z } from 'zod';
import { CallerWire } from '../caller.ts';
import { AnyObject, HostedTool, JsonText, maybe } from '../door.ts';

const ImageUrl = z.object({ url: z.string(), detail: maybe(z.string()) });

export const ContentPart = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('image_url'), image_url: z.union([ImageUrl, z.string()]) }),
  z.object({
    type: z.literal('input_audio'),
    input_audio: z.object({ data: z.string(), format: z.string() }),
  }),
  z.object({
    type: z.literal('file'),
    file: z.object({
      file_data: maybe(z.string()),
      file_id: maybe(z.string()),
      filename: maybe(z.string()),
    }),
  }),
  z.object({ type: z.literal('refusal'), refusal: z.string() }),
]);
export type ContentPart = z.infer<typeof ContentPart>;

/** Some clients send the arguments as the object that they parsed. */
const NamedCall = z.object({ name: z.string(), arguments: maybe(JsonText) });

const ToolCall = z.union([
  z.object({
    type: z.literal('custom'),
    id: z.string(),
    custom: z.object({ name: z.string(), input: z.string() }),
  }),
  z.object({ type: maybe(z.literal('function')), id: z.string(), function: NamedCall }),
]);

export const Message = z.object({
  role: z.enum(['developer', 'system', 'user', 'assistant', 'tool', 'function']),
  content: maybe(z.union([z.string(), z.array(ContentPart)])),
  name: maybe(z.string()),
  refusal: maybe(z.string()),
  reasoning_content: maybe(z.string()),
  reasoning: maybe(z.string().catch('')),
  reasoning_text: maybe(z.string().catch('')),
  tool_calls: maybe(z.array(ToolCall)),
  function_call: maybe(NamedCall),
  tool_call_id: maybe(z.string()),
  audio: maybe(z.unknown()),
});
export type Message = z.infer<typeof Message>;

const FunctionTool = z.object({
  name: z.string(),
  description: maybe(z.string()),
  parameters: maybe(AnyObject),
  strict: maybe(z.boolean()),
});

const CustomTool = z.object({
  name: z.string(),
  description: maybe(z.string()),
  format: maybe(
    z.union([
      z.object({ type: z.literal('text') }),
      z.object({
        type: z.literal('grammar'),
        grammar: z.object({ syntax: z.string(), definition: z.string() }),
      }),
    ]),
  ),
});

/** A tool of any other type is the provider's own. */
export const Tool = z.union([
  z.object({ type: z.literal('function'), function: FunctionTool }),
  z.object({ type: z.literal('custom'), custom: CustomTool }),
  HostedTool.transform((raw) => ({ type: 'hosted' as const, raw })),
]);
export type Tool = z.infer<typeof Tool>;

const Named = z.object({ name: z.string() });
const ToolName = z.discriminatedUnion('type', [
  z.object({ type: z.literal('function'), function: Named }),
  z.object({ type: z.literal('custom'), custom: Named }),
]);
export type ToolName = z.infer<typeof ToolName>;

const ToolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  ToolName,
  z.object({
    type: z.literal('allowed_tools'),
    allowed_tools: z.object({ mode: z.enum(['auto', 'required']), tools: z.array(ToolName) }),
  }),
]);

const ResponseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({
    type: z.literal('json_schema'),
    json_schema: z.object({
      name: maybe(z.string()),
      description: maybe(z.string()),
      schema: maybe(AnyObject),
      strict: maybe(z.boolean()),
    }),
  }),
]);

const Place = z.object({
  city: maybe(z.string()),
  country: maybe(z.string()),
  region: maybe(z.string()),
  timezone: maybe(z.string()),
});
const WebSearch = z.object({
  search_context_size: maybe(z.string()),
  user_location: maybe(z.object({ approximate: Place })),
});

export const ChatRequest = z.object({
  model: z.string(),
  messages: z.array(Message),
  stream: maybe(z.boolean()),
  stream_options: maybe(z.object({ include_usage: maybe(z.boolean()) })),
  tools: maybe(z.array(Tool)),
  tool_choice: maybe(ToolChoice),
  parallel_tool_calls: maybe(z.boolean()),
  functions: maybe(z.array(FunctionTool)),
  function_call: maybe(z.union([z.enum(['none', 'auto']), z.object({ name: z.string() })])),
  response_format: maybe(ResponseFormat),
  verbosity: maybe(z.string()),
  reasoning_effort: maybe(z.string()),
  max_completion_tokens: maybe(z.int().positive()),
  max_tokens: maybe(z.int().positive()),
  temperature: maybe(z.number()),
  top_p: maybe(z.number()),
  presence_penalty: maybe(z.number()),
  frequency_penalty: maybe(z.number()),
  seed: maybe(z.number()),
  stop: maybe(z.union([z.string(), z.array(z.string())])),
  n: maybe(z.int().positive()),
  logprobs: maybe(z.boolean()),
  top_logprobs: maybe(z.int().nonnegative()),
  logit_bias: maybe(AnyObject),
  prediction: maybe(z.unknown()),
  modalities: maybe(z.array(z.string())),
  audio: maybe(AnyObject),
  web_search_options: maybe(WebSearch),
  ...CallerWire,
});
export type ChatRequest = z.infer<typeof ChatRequest>;
