/** A Chat Completions request into the hub. */
import { readCaller } from '../caller.ts';
import { Content, readParts, readSaid, ToolOutput } from '../content-part.ts';
import { readClient } from '../door.ts';
import type { HubExtra, HubRequest, HubTurn } from '../hub.ts';
import type { HubCallKind, HubItem } from '../hub-item.ts';
import { present } from '../present.ts';
import { readForeignBlobs, reasoningOf } from './reasoning.ts';
import { ChatRequest, type Message } from './request-wire.ts';
import { readFormat, readToolChoice, readTools } from './tools.ts';

export function readChatRequest(body: unknown): HubRequest {
  const wire = readClient(ChatRequest, body);
  const singleCall = wire.functions !== undefined && wire.tools === undefined;
  return {
    model: wire.model,
    turns: readMessages(wire.messages),
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

function readMessages(messages: readonly Message[]): readonly HubTurn[] {
  // A result does not say which kind of call it answers; the call before it does.
  const kinds = new Map<string, HubCallKind>();
  // The older form of a call has no id, and some clients leave it out: results then come in the order of the calls.
  let unanswered: string[] = [];
  return messages.map((message, index): HubTurn => {
    const at = `messages[${index}]`;
    switch (message.role) {
      case 'assistant': {
        const items = readAssistant(message, at, `call_${index}`);
        const calls = items.filter((item) => item.kind === 'call');
        for (const { callId, call } of calls) kinds.set(callId, call);
        unanswered = calls.map(({ callId }) => callId);
        return { role: 'assistant', items };
      }
      case 'tool':
      case 'function': {
        const callId = message.tool_call_id ?? unanswered[0] ?? 'call_0';
        unanswered = unanswered.filter((id) => id !== callId);
        const output = readClient(ToolOutput, message.content, `${at}.content`);
        const parts = readParts(output, `${at}.content`);
        return { role: 'tool', kind: kinds.get(callId) ?? 'function', callId, parts };
      }
      default: {
        const content = readClient(Content, message.content, `${at}.content`);
        return { role: message.role, parts: readParts(content, `${at}.content`) };
      }
    }
  });
}

function readAssistant(message: Message, at: string, callId: string): readonly HubItem[] {
  const items: HubItem[] = [];
  const { thinking, rest } = parted(readClient(Content, message.content, `${at}.content`));
  const text = reasoningOf({ ...message, thinking });
  const [blob, ...more] = readForeignBlobs(message.reasoning_details ?? []);
  if (text !== '' || blob !== undefined)
    items.push({ kind: 'reasoning', summary: [], text, ...present({ blob }) });
  for (const other of more) items.push({ kind: 'reasoning', summary: [], text: '', blob: other });

  const said = readSaid(rest, `${at}.content`);
  if (message.refusal) said.push({ kind: 'refusal', text: message.refusal });
  if (said.length > 0) items.push({ kind: 'message', parts: said, complete: true });

  message.tool_calls?.forEach((call, index) => {
    const common = { kind: 'call' as const, callId: call.id || `${callId}_${index}`, complete: true };
    if (call.type === 'custom')
      items.push({ ...common, call: 'custom', name: call.custom.name, input: call.custom.input ?? '' });
    else
      items.push({
        ...common,
        call: 'function',
        name: call.function.name,
        input: call.function.arguments || '{}',
      });
  });
  if (message.function_call !== undefined) {
    const { name, arguments: input } = message.function_call;
    items.push({ kind: 'call', call: 'function', callId, name, input: input || '{}', complete: true });
  }
  return items;
}

/** What of the content is reasoning, and what is said. */
function parted(content: Content): { readonly thinking: string; readonly rest: Content } {
  if (!Array.isArray(content)) return { thinking: '', rest: content };
  const thinking = content.map((part) => (part.type === 'thinking' ? part.thinking : '')).join('');
  return { thinking, rest: content.filter((part) => part.type !== 'thinking') };
}
