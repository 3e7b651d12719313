/** A Chat Completions request into the hub. */
import { readCaller } from '../caller.ts';
import { ClawError } from '../../core/errors.ts';
import { readClient } from '../door.ts';
import type { HubExtra, HubPart, HubRequest, HubSource, HubTurn } from '../hub.ts';
import type { HubCallKind, HubItem, HubSaid } from '../hub-item.ts';
import { present } from '../present.ts';
import { misplaced } from '../refuse.ts';
import { ChatRequest, type ContentPart, type Message } from './request-wire.ts';
import { readFormat, readToolChoice, readTools } from './tools.ts';

export function readChatRequest(body: unknown): HubRequest {
  const wire = readClient(ChatRequest, body);
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
      parallelToolCalls: wire.parallel_tool_calls,
      outputTokensMax: wire.max_completion_tokens ?? wire.max_tokens,
      format: readFormat(wire),
      verbosity: wire.verbosity,
      reasoning: wire.reasoning_effort === undefined ? undefined : { effort: wire.reasoning_effort },
      logprobs: wire.logprobs === true ? { top: wire.top_logprobs ?? 0 } : undefined,
      ...readCaller(wire),
    }),
  };
}

/** `logit_bias` and `prediction` only steer; the others change what is answered. */
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
  wire.messages.forEach((message, index) => {
    add(`messages[${index}].audio`, message.audio, true);
  });
  return extras;
}

function readMessages(messages: readonly Message[]): readonly HubTurn[] {
  // The older form of a call has no id: its result is the next message of the role `function`.
  let legacyCallId = 'call_0';
  // A result does not say which kind of call it answers; the call before it does.
  const kinds = new Map<string, HubCallKind>();
  return messages.map((message, index): HubTurn => {
    const at = `messages[${index}]`;
    if (message.function_call !== undefined) legacyCallId = `call_${index}`;
    for (const call of message.tool_calls ?? []) kinds.set(call.id, call.type ?? 'function');
    switch (message.role) {
      case 'assistant':
        return { role: 'assistant', items: readAssistant(message, at, legacyCallId) };
      case 'tool':
      case 'function': {
        const callId = message.tool_call_id ?? legacyCallId;
        return {
          role: 'tool',
          kind: kinds.get(callId) ?? 'function',
          callId,
          parts: readParts(message.content, `${at}.content`),
        };
      }
      default:
        return { role: message.role, parts: readParts(message.content, `${at}.content`) };
    }
  });
}

function readAssistant(message: Message, at: string, legacyCallId: string): readonly HubItem[] {
  const items: HubItem[] = [];
  const reasoning = message.reasoning_content || message.reasoning || message.reasoning_text;
  if (reasoning !== undefined && reasoning !== '')
    items.push({ kind: 'reasoning', summary: [], text: reasoning });

  const said = readSaid(message.content, at);
  if (message.refusal !== undefined) said.push({ kind: 'refusal', text: message.refusal });
  if (said.length > 0) items.push({ kind: 'message', parts: said, complete: true });

  for (const call of message.tool_calls ?? []) {
    const common = { kind: 'call' as const, callId: call.id, complete: true };
    if (call.type === 'custom')
      items.push({ ...common, call: 'custom', name: call.custom.name, input: call.custom.input });
    else
      items.push({
        ...common,
        call: 'function',
        name: call.function.name,
        input: call.function.arguments || '{}',
      });
  }
  if (message.function_call !== undefined) {
    const { name, arguments: input } = message.function_call;
    const callId = legacyCallId;
    items.push({ kind: 'call', call: 'function', callId, name, input: input || '{}', complete: true });
  }
  return items;
}

function readSaid(content: Message['content'], at: string): HubSaid[] {
  const text = (value: string): HubSaid => ({ kind: 'text', text: value, annotations: [], logprobs: [] });
  if (content === undefined || content === '') return [];
  if (typeof content === 'string') return [text(content)];
  return content.map((part, index): HubSaid => {
    if (part.type === 'text') return text(part.text);
    if (part.type === 'refusal') return { kind: 'refusal', text: part.refusal };
    throw misplaced(`${at}.content[${index}]`, part.type);
  });
}

function readParts(content: Message['content'], at: string): readonly HubPart[] {
  if (content === undefined) return [];
  if (typeof content === 'string') return [{ kind: 'text', text: content }];
  return content.map((part, index) => readPart(part, `${at}[${index}]`));
}

function readPart(part: ContentPart, param: string): HubPart {
  switch (part.type) {
    case 'text':
      return { kind: 'text', text: part.text };
    case 'image_url': {
      const { url, detail } = typeof part.image_url === 'string' ? { url: part.image_url } : part.image_url;
      return { kind: 'image', source: { kind: 'url', url }, param, ...present({ detail }) };
    }
    case 'input_audio':
      return { kind: 'audio', data: part.input_audio.data, format: part.input_audio.format, param };
    case 'file': {
      const { file_data: data, file_id: id, filename } = part.file;
      const source: HubSource | undefined =
        data !== undefined ? { kind: 'data', data } : id !== undefined ? { kind: 'id', id } : undefined;
      if (source === undefined)
        throw new ClawError('bad_request', `${param}.file: expected file_data or file_id`, { param });
      return { kind: 'file', source, param, ...present({ filename }) };
    }
    case 'refusal':
      throw misplaced(param, part.type);
  }
}
