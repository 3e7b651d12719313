/** What a Responses client may send, as leniently as clients are. Unknown fields are let through unread. */
import { z } from 'zod';
import { CallerWire } from '../caller.ts';
import { AnyObject, HostedTool, JsonText, maybe } from '../door.ts';

/** Some clients write `text` for `input_text`. */
export const ContentPart = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['input_text', 'output_text', 'text']), text: z.string() }),
  z.object({ type: z.literal('refusal'), refusal: z.string() }),
  z.object({
    type: z.literal('input_image'),
    image_url: maybe(z.string()),
    file_id: maybe(z.string()),
    detail: maybe(z.string()),
  }),
  z.object({
    type: z.literal('input_file'),
    file_data: maybe(z.string()),
    file_url: maybe(z.string()),
    file_id: maybe(z.string()),
    filename: maybe(z.string()),
  }),
  z.object({
    type: z.literal('input_audio'),
    input_audio: z.object({ data: z.string(), format: z.string() }),
  }),
]);
export type ContentPart = z.infer<typeof ContentPart>;

export const Content = maybe(z.union([z.string(), z.array(ContentPart)]));
export type Content = z.infer<typeof Content>;

/** An item without a type but with a role is a message. */
export const ItemHead = z
  .object({ type: maybe(z.string()), role: maybe(z.string()) })
  .transform(({ type, role }) => type ?? (role === undefined ? '' : 'message'));

export const MessageItem = z.object({
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content: Content,
  phase: maybe(z.string()),
});

export type MessageItem = z.infer<typeof MessageItem>;

export const FunctionCallItem = z.object({
  call_id: z.string(),
  name: z.string(),
  namespace: maybe(z.string()),
  arguments: maybe(JsonText),
});

export const CustomCallItem = z.object({
  call_id: z.string(),
  name: z.string(),
  input: maybe(z.string()),
});

export const CallOutputItem = z.object({ call_id: z.string(), output: Content });

const ReasoningText = maybe(z.array(z.object({ text: z.string() })));
export const ReasoningItem = z.object({
  summary: ReasoningText,
  content: ReasoningText,
  encrypted_content: maybe(z.string()),
});

export const ReferenceItem = z.object({ id: z.string() });

/** What the provider's own tools did, and what steers them: they are not here, so it means nothing here. */
export const HOSTED_ITEMS: ReadonlySet<string> = new Set([
  'web_search_call',
  'file_search_call',
  'computer_call',
  'computer_call_output',
  'image_generation_call',
  'code_interpreter_call',
  'local_shell_call',
  'local_shell_call_output',
  'shell_call',
  'shell_call_output',
  'apply_patch_call',
  'apply_patch_call_output',
  'mcp_call',
  'mcp_list_tools',
  'mcp_approval_request',
  'mcp_approval_response',
  'tool_search_call',
  'tool_search_output',
  'additional_tools',
  'configuration_update',
  'program',
  'program_output',
]);

export const Tool = z.union([
  z.object({
    type: z.literal('function'),
    name: z.string(),
    description: maybe(z.string()),
    parameters: maybe(AnyObject),
    strict: maybe(z.boolean()),
  }),
  z.object({
    type: z.literal('custom'),
    name: z.string(),
    description: maybe(z.string()),
    format: maybe(
      z.union([
        z.object({ type: z.literal('text') }),
        z.object({ type: z.literal('grammar'), syntax: z.string(), definition: z.string() }),
      ]),
    ),
  }),
  HostedTool.transform((raw) => ({ type: 'hosted' as const, raw })),
]);
export type Tool = z.infer<typeof Tool>;

const NamedTool = z.object({ type: z.enum(['function', 'custom']), name: z.string() });
const ToolName = z.union([NamedTool, HostedTool.transform((raw) => ({ type: 'hosted' as const, raw }))]);
export type ToolName = z.infer<typeof ToolName>;

const ToolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  NamedTool,
  z.object({
    type: z.literal('allowed_tools'),
    mode: z.enum(['auto', 'required']),
    tools: z.array(ToolName),
  }),
  HostedTool.transform((raw) => ({ type: 'hosted' as const, raw })),
]);

const TextFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({
    type: z.literal('json_schema'),
    name: maybe(z.string()),
    description: maybe(z.string()),
    schema: maybe(AnyObject),
    strict: maybe(z.boolean()),
  }),
]);

export const ResponsesRequest = z.object({
  model: z.string(),
  input: maybe(z.union([z.string(), z.array(z.unknown())])),
  instructions: maybe(z.string()),
  stream: maybe(z.boolean()),
  tools: maybe(z.array(Tool)),
  tool_choice: maybe(ToolChoice),
  parallel_tool_calls: maybe(z.boolean()),
  text: maybe(z.object({ format: maybe(TextFormat), verbosity: maybe(z.string()) })),
  reasoning: maybe(
    z.object({
      effort: maybe(z.string()),
      summary: maybe(z.string()),
      generate_summary: maybe(z.string()),
    }),
  ),
  include: maybe(z.array(z.string())),
  max_output_tokens: maybe(z.int().positive()),
  max_tool_calls: maybe(z.int()),
  temperature: maybe(z.number()),
  top_p: maybe(z.number()),
  top_logprobs: maybe(z.int().nonnegative()),
  presence_penalty: maybe(z.number()),
  frequency_penalty: maybe(z.number()),
  ...CallerWire,
  previous_response_id: maybe(z.string()),
  conversation: maybe(z.unknown()),
  prompt: maybe(z.unknown()),
  background: maybe(z.boolean()),
});
export type ResponsesRequest = z.infer<typeof ResponsesRequest>;
