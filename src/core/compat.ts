/** What a server cannot do as OpenAI's does, by the names that OpenClaw gives these facts. Read and applied by its owner. */
import { z } from 'zod';

export const Compat = z.object({
  /** What the limit of an answer is called there. */
  maxTokensField: z.enum(['max_tokens', 'max_completion_tokens']).optional(),
  supportsDeveloperRole: z.boolean().optional(),
  supportsStore: z.boolean().optional(),
  /** Whether `stream_options.include_usage` may be asked for. */
  supportsUsageInStreaming: z.boolean().optional(),
  supportsReasoningEffort: z.boolean().optional(),
  /** `strict` in tools. */
  supportsStrictMode: z.boolean().optional(),
  supportsPromptCacheKey: z.boolean().optional(),
  /** Content as a text alone, not as a list of parts. */
  requiresStringContent: z.boolean().optional(),
  /** The name under which an assistant's reasoning is sent back. */
  reasoningField: z.enum(['reasoning_content', 'reasoning', 'none']).optional(),
  /** `<think>` inside the content is taken out of it, as reasoning. */
  thinkTags: z.boolean().optional(),
});

export type Compat = z.infer<typeof Compat>;
