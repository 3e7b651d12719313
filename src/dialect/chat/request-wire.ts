/** What a Chat Completions client may send, as leniently as clients are. Unknown fields are let through unread. */
import { z } from 'zod';
import { INPUT_ITEMS_MAX } from '../../core/limits.ts';
import { CallerWire, TokenLimit } from '../openai/caller.ts';
import { AnyObject, HostedTool, JsonText, maybe } from '../door.ts';
import { REASONING_WIRE } from './reasoning.ts';

/** Some clients send the arguments as the object that they parsed. */
const NamedCall = z.object({ name: z.string(), arguments: maybe(JsonText) });

/** Without an id its result is found by its place. */
const ToolCall = z.union([
  z.object({
    type: z.literal('custom'),
    id: maybe(z.string()),
    custom: z.object({ name: z.string(), input: maybe(z.string()) }),
  }),
  z.object({ type: maybe(z.literal('function')), id: maybe(z.string()), function: NamedCall }),
]);

const ROLES = ['developer', 'system', 'user', 'assistant', 'tool', 'function'] as const;

export const Message = z.object({
  role: maybe(z.enum(ROLES)).transform((role) => role ?? 'user'),
  /** What it may be depends on the role. */
  content: z.unknown().optional(),
  name: maybe(z.string()).catch(undefined),
  refusal: maybe(z.string()),
  ...REASONING_WIRE,
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
  strict: maybe(z.boolean()).catch(undefined),
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
  /** With a schema, at llama.cpp's server and those that take after it. */
  z.object({ type: z.literal('json_object'), schema: maybe(AnyObject) }),
  z.object({
    type: z.literal('json_schema'),
    /** The same server takes it without the object around it. */
    schema: maybe(AnyObject),
    json_schema: maybe(
      z.object({
        name: maybe(z.string()),
        description: maybe(z.string()),
        schema: maybe(AnyObject),
        strict: maybe(z.boolean()),
      }),
    ),
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
  messages: z.array(Message).max(INPUT_ITEMS_MAX, `more than ${INPUT_ITEMS_MAX} messages`),
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
  max_completion_tokens: TokenLimit,
  max_tokens: TokenLimit,
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
