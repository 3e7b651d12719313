/** The schemas of a Chat Completions stream, written from the specification and not from our writer. */
import { z } from 'zod';

const count = z.int().nonnegative();

const Call = z.strictObject({
  index: count,
  id: z.string().optional(),
  type: z.enum(['function', 'custom']).optional(),
  function: z.strictObject({ name: z.string().optional(), arguments: z.string().optional() }).optional(),
  custom: z.strictObject({ name: z.string().optional(), input: z.string().optional() }).optional(),
});

const Citation = z.object({
  type: z.literal('url_citation'),
  url_citation: z.object({ url: z.string(), title: z.string(), start_index: count, end_index: count }),
});

/** Members that only one provider knows are let through. */
const Delta = z.looseObject({
  role: z.literal('assistant').optional(),
  content: z.string().nullable().optional(),
  refusal: z.string().nullable().optional(),
  reasoning_content: z.string().optional(),
  tool_calls: z.array(Call).optional(),
  annotations: z.array(Citation).optional(),
});

const Token = { token: z.string(), logprob: z.number(), bytes: z.array(z.int()).nullable() };
const Tokens = z.array(z.object({ ...Token, top_logprobs: z.array(z.object(Token)) })).nullable();

export const ChatUsage = z.looseObject({
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
});

export const ChatChunk = z.object({
  id: z.string().min(1),
  object: z.literal('chat.completion.chunk'),
  created: z.int(),
  model: z.string(),
  choices: z
    .array(
      z.object({
        index: z.literal(0),
        delta: Delta,
        logprobs: z.object({ content: Tokens, refusal: Tokens.optional() }).nullable().optional(),
        // The last one belongs to the older form of a call.
        finish_reason: z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'function_call']).nullable(),
      }),
    )
    .max(1),
  usage: ChatUsage.nullable().optional(),
});

/** Without `choices`: some clients look at nothing else where those are there. */
export const ErrorFrame = z.strictObject({
  error: z.object({
    message: z.string().min(1),
    type: z.string().nullable(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});
