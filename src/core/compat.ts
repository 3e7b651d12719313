/**
 * What a server cannot do as OpenAI's does, or does in another way: by the names that OpenClaw gives these facts, where
 * it has one. Applied by the owner to what it sends; what is left out changes nothing.
 */
import { z } from 'zod';

/** A word for how much a model thinks, as `reasoning_effort` has it. */
const effort = z.string().min(1).max(32);

export const Compat = z.object({
  maxTokensField: z
    .enum(['max_tokens', 'max_completion_tokens'])
    .optional()
    .describe('What the limit of an answer is called there; the other name is changed to it.'),
  supportsDeveloperRole: z
    .boolean()
    .optional()
    .describe('false: messages of the role "developer" are sent as "system".'),
  supportsStore: z
    .boolean()
    .optional()
    .describe(
      'false: what is a matter of OpenAI\'s own accounts is left out: "store", "metadata", "service_tier", "safety_identifier".',
    ),
  supportsPromptCacheKey: z
    .boolean()
    .optional()
    .describe('false: "prompt_cache_key" and "prompt_cache_retention" are left out.'),
  supportsUsageInStreaming: z
    .boolean()
    .optional()
    .describe(
      'true: the usage of every stream is asked for, and kept from clients that did not. false: "stream_options" are left out.',
    ),
  supportsTemperature: z.boolean().optional().describe('false: "temperature" is left out.'),
  supportsStrictMode: z.boolean().optional().describe('false: "strict" is left out of tools.'),
  supportsReasoningEffort: z
    .boolean()
    .optional()
    .describe(
      'false: how much the model is to think is left out, unless "thinkingFormat" says it in another way.',
    ),
  reasoningEffortMap: z
    .record(effort, effort)
    .optional()
    .describe('What is sent in place of an effort, as { "minimal": "low" }.'),
  thinkingFormat: z
    .enum(['openai', 'openrouter', 'deepseek', 'qwen', 'qwen-chat-template'])
    .optional()
    .describe(
      'How the effort is written: "reasoning_effort", "reasoning": { "effort" }, "thinking": { "type" } beside it, "enable_thinking", or that in "chat_template_kwargs".',
    ),
  requiresStringContent: z
    .boolean()
    .optional()
    .describe('true: the text parts of a message are sent as one text. Other parts are refused.'),
  strictMessageKeys: z
    .boolean()
    .optional()
    .describe('true: messages are sent with their role, content and tool calls and nothing else.'),
  requiresReasoningContentOnAssistantMessages: z
    .boolean()
    .optional()
    .describe('true: an assistant message without its reasoning is sent with an empty one.'),
  /** OpenClaw has no word for these. */
  reasoningField: z
    .enum(['reasoning_content', 'reasoning', 'none'])
    .optional()
    .describe('The name under which the reasoning of earlier answers is sent back. "none": it is left out.'),
  returnsProgress: z
    .boolean()
    .optional()
    .describe(
      'true: streams are asked to say how far the server has read the prompt, with "return_progress"; those who wait are shown it.',
    ),
  thinkTags: z
    .boolean()
    .optional()
    .describe('true: `<think>…</think>` at the beginning of an answer is taken out of it, as reasoning.'),
});

export type Compat = z.infer<typeof Compat>;
