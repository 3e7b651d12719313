/** A Responses request into the hub. */
import { readCaller } from '../openai/caller.ts';
import { readClient } from '../door.ts';
import type { HubExtra, HubRequest } from '../hub.ts';
import { present } from '../present.ts';
import { readInput } from './read-input.ts';
import { ResponsesRequest } from './request-wire.ts';
import { readFormat, readToolChoice, readTools } from './tools.ts';

const LOGPROBS = 'message.output_text.logprobs';
const REASONING_BLOB = 'reasoning.encrypted_content';

export function readResponsesRequest(body: unknown): HubRequest {
  const wire = readClient(ResponsesRequest, body);
  const input = readInput(wire.input);
  const wantsLogprobs = wire.include?.includes(LOGPROBS) === true || (wire.top_logprobs ?? 0) > 0;
  return {
    model: wire.model,
    turns: input.turns,
    tools: readTools(wire.tools, 'tools'),
    sampling: present({
      temperature: wire.temperature,
      topP: wire.top_p,
      presencePenalty: wire.presence_penalty,
      frequencyPenalty: wire.frequency_penalty,
    }),
    stream: wire.stream ?? false,
    streamUsage: true,
    extras: [...readExtras(wire), ...input.extras],
    ...present({
      addedTools: input.tools.length === 0 ? undefined : input.tools,
      instructions: wire.instructions,
      toolChoice: readToolChoice(wire),
      parallelToolCalls: wire.parallel_tool_calls,
      outputTokensMax: wire.max_output_tokens,
      format: readFormat(wire),
      verbosity: wire.text?.verbosity,
      reasoning: readReasoningWish(wire),
      logprobs: wantsLogprobs ? { top: wire.top_logprobs ?? 0 } : undefined,
      ...readCaller(wire),
    }),
  };
}

/** Who keeps the conversation itself asks for the blob, whatever else is wished. */
function readReasoningWish({ reasoning, include }: ResponsesRequest): HubRequest['reasoning'] {
  const blob = include?.includes(REASONING_BLOB) === true ? true : undefined;
  if (reasoning === undefined && blob === undefined) return undefined;
  const { effort, summary, generate_summary } = reasoning ?? {};
  return present({ effort, summary: summary ?? generate_summary, blob });
}

/** State that a provider keeps is needed; `truncation`, `context_management` and their like only steer. */
function readExtras(wire: ResponsesRequest): readonly HubExtra[] {
  const extras: HubExtra[] = [];
  const add = (param: string, value: unknown, needed: boolean, instead?: string) => {
    if (value !== undefined)
      extras.push({ dialect: 'responses', param, value, needed, ...present({ instead }) });
  };
  add('previous_response_id', wire.previous_response_id, true, 'send the whole conversation as "input"');
  add('conversation', wire.conversation, true);
  add('prompt', wire.prompt, true);
  add('background', wire.background === true ? true : undefined, true);
  add('max_tool_calls', wire.max_tool_calls, false);
  add('truncation', wire.truncation === 'auto' ? 'auto' : undefined, false);
  add('context_management', wire.context_management, false);
  add('moderation', wire.moderation, false);
  add('reasoning.context', wire.reasoning?.context, false);
  add('reasoning.mode', wire.reasoning?.mode, false);
  return extras;
}
