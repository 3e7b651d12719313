/** A Chat Completions request into the hub. */
import { readCaller } from '../openai/caller.ts';
import { readClient } from '../door.ts';
import type { HubExtra, HubRequest } from '../hub.ts';
import { present } from '../present.ts';
import { ChatMessages } from './messages.ts';
import { ChatRequest } from './request-wire.ts';
import { readFormat, readToolChoice, readTools } from './tools.ts';

export function readChatRequest(body: unknown): HubRequest {
  const wire = readClient(ChatRequest, body);
  const singleCall = wire.functions !== undefined && wire.tools === undefined;
  const messages = new ChatMessages();
  return {
    model: wire.model,
    turns: wire.messages.map((message, index) => messages.read(message, `messages[${index}]`)),
    tools: readTools(wire),
    sampling: present({
      temperature: wire.temperature,
      topP: wire.top_p,
      presencePenalty: wire.presence_penalty,
      frequencyPenalty: wire.frequency_penalty,
      seed: wire.seed,
      stop: typeof wire.stop === 'string' ? [wire.stop] : wire.stop,
    }),
    stream: wire.stream ?? false,
    streamUsage: wire.stream_options?.include_usage ?? false,
    extras: readExtras(wire),
    ...present({
      toolChoice: readToolChoice(wire),
      parallelToolCalls: singleCall ? false : wire.parallel_tool_calls,
      singleCall: singleCall ? true : undefined,
      outputTokensMax: wire.max_completion_tokens ?? wire.max_tokens,
      format: readFormat(wire),
      verbosity: wire.verbosity,
      reasoning: readReasoningWish(wire.reasoning_effort),
      logprobs: wire.logprobs === true ? { top: wire.top_logprobs ?? 0 } : undefined,
      ...readCaller(wire),
    }),
  };
}

/** Who asks for reasoning may give its blob back with the next turn. */
function readReasoningWish(effort: string | undefined): HubRequest['reasoning'] {
  return effort === undefined ? undefined : { effort, blob: effort !== 'none' };
}

/** `logit_bias`, `prediction` and the names of speakers only steer; the others change what is answered. */
function readExtras(wire: ChatRequest): readonly HubExtra[] {
  const extras: HubExtra[] = [];
  const add = (param: string, value: unknown, needed: boolean) => {
    if (value !== undefined) extras.push({ dialect: 'chat', param, value, needed });
  };
  add('n', wire.n === 1 ? undefined : wire.n, true);
  add('modalities', wire.modalities?.some((one) => one !== 'text') ? wire.modalities : undefined, true);
  add('audio', wire.audio, true);
  add('logit_bias', wire.logit_bias, false);
  add('prediction', wire.prediction, false);
  wire.messages.forEach(({ role, name, audio }, index) => {
    add(`messages[${index}].audio`, audio, true);
    // A tool's name is that of its call.
    if (role !== 'tool' && role !== 'function') add(`messages[${index}].name`, name, false);
  });
  return extras;
}
