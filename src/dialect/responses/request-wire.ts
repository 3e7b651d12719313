/** What a Responses client may send, as leniently as clients are. Unknown fields are let through unread. */
import { z } from 'zod';
import { INPUT_ITEMS_MAX } from '../../core/limits.ts';
import { CallerWire, TokenLimit } from '../openai/caller.ts';
import { Content, ToolOutput } from '../openai/content-part.ts';
import { AnyObject, HostedTool, JsonText, maybe } from '../door.ts';

const anything = z.unknown().optional();

/** An item without a type but with a role, a content or a text is a message, and so is a bare text. */
export const ItemHead = z
  .union([
    z.string().transform(() => ({ type: undefined, isMessage: true })),
    z
      .object({ type: maybe(z.string()), role: anything, content: anything, text: anything })
      .transform(({ type, role, content, text }) => ({ type, isMessage: Boolean(role ?? content ?? text) })),
  ])
  .transform(({ type, isMessage }) => type ?? (isMessage ? 'message' : ''));

const ROLES = ['user', 'assistant', 'system', 'developer'] as const;

export const MessageItem = z.union([
  z.object({
    role: maybe(z.enum(ROLES)).transform((role) => role ?? 'user'),
    content: Content,
    text: maybe(z.string()).catch(undefined),
    phase: maybe(z.string()),
  }),
  z.string().transform((text) => ({ role: 'user' as const, content: undefined, text, phase: undefined })),
]);
export type MessageItem = z.infer<typeof MessageItem>;

/** What a message of chat holds in itself, and Responses has as items of their own. */
const CHAT_MEMBERS = ['tool_calls', 'function_call', 'refusal', 'reasoning_content', 'reasoning_details'];

/** A message of chat among the items: it has a role that items do not know, or one of those members. */
export const ChatItem = z.union([
  z.object({ role: z.enum(['tool', 'function']) }),
  z
    .looseObject({ role: z.literal('assistant') })
    .refine((item) => CHAT_MEMBERS.some((name) => Boolean(item[name]))),
]);

export const FunctionCallItem = z.object({
  call_id: z.string(),
  name: z.string(),
  namespace: maybe(z.string()),
  arguments: maybe(JsonText),
});

export const CustomCallItem = z.object({
  call_id: z.string(),
  name: z.string(),
  namespace: maybe(z.string()),
  input: maybe(z.string()),
});

export const CallOutputItem = z.object({ call_id: z.string(), output: ToolOutput });

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

const flag = maybe(z.boolean()).catch(undefined);

const FunctionTool = z.object({
  type: z.literal('function'),
  name: z.string(),
  description: maybe(z.string()),
  parameters: maybe(AnyObject),
  strict: flag,
  defer_loading: flag,
});

const CustomTool = z.object({
  type: z.literal('custom'),
  name: z.string(),
  description: maybe(z.string()),
  format: maybe(
    z.union([
      z.object({ type: z.literal('text') }),
      z.object({ type: z.literal('grammar'), syntax: z.string(), definition: z.string() }),
    ]),
  ),
  defer_loading: flag,
});

const Hosted = HostedTool.transform((raw) => ({ type: 'hosted' as const, raw }));
const ToolInside = z.union([FunctionTool, CustomTool, Hosted]);
export type ToolInside = z.infer<typeof ToolInside>;

const Namespace = z.object({
  type: z.literal('namespace'),
  name: z.string(),
  description: maybe(z.string()),
  tools: z.array(ToolInside),
});

export const Tool = z.union([FunctionTool, CustomTool, Namespace, Hosted]);
export type Tool = z.infer<typeof Tool>;

/** Items that hand tools in on the way: those that a search found, and those of a developer. */
export const TOOL_ITEMS: ReadonlySet<string> = new Set(['additional_tools', 'tool_search_output']);
export const ToolItem = z.object({ tools: maybe(z.array(Tool)) });

const NamedTool = z.object({
  type: z.enum(['function', 'custom']),
  name: z.string(),
  namespace: maybe(z.string()),
});
const ToolName = z.union([NamedTool, Hosted]);
export type ToolName = z.infer<typeof ToolName>;

const ToolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  NamedTool,
  z.object({
    type: z.literal('allowed_tools'),
    mode: z.enum(['auto', 'required']),
    tools: z.array(ToolName),
  }),
  Hosted,
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

const Items = z.array(z.unknown()).max(INPUT_ITEMS_MAX, `more than ${INPUT_ITEMS_MAX} items`);

export const ResponsesRequest = z.object({
  model: z.string(),
  input: maybe(z.union([z.string(), Items, AnyObject.transform((item) => [item])])),
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
      context: maybe(z.unknown()),
      mode: maybe(z.unknown()),
    }),
  ),
  include: maybe(z.array(z.string())),
  max_output_tokens: TokenLimit,
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
  truncation: maybe(z.string()),
  context_management: maybe(z.unknown()),
  moderation: maybe(z.unknown()),
});
export type ResponsesRequest = z.infer<typeof ResponsesRequest>;
