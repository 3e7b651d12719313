/** A request of the hub as a Chat Completions request. */
import { CHAT_CALL_ID_CHARS_MAX } from '../../core/limits.ts';
import { shortCallId } from '../openai/call-id.ts';
import { writeCaller } from '../openai/caller.ts';
import type { HubPart, HubRequest, HubTurn } from '../hub.ts';
import type { HubCall, HubItem, HubReasoning } from '../hub-item.ts';
import { present } from '../present.ts';
import { foreignExtras, refuseForeign, unsupported } from '../refuse.ts';
import { writeReasoning } from './reasoning.ts';
import { writeFormat, writeToolChoice, writeTools } from './tools.ts';

/**
 * The token limit goes out as `max_tokens`: servers other than OpenAI's often know no other name for it, and would
 * generate without a limit. `metadata` and `store` stay here, as OpenAI takes one only with the other.
 */
export function writeChatRequest(request: HubRequest, model: string): unknown {
  refuseForeign(request, 'chat', 'Chat Completions');
  const tools = writeTools(request.tools);
  const { sampling } = request;
  return present({
    model,
    messages: writeMessages(request),
    stream: request.stream,
    // Other dialects tell the usage at the end of every stream.
    stream_options: request.stream ? { include_usage: true } : undefined,
    tools: tools.length === 0 ? undefined : tools,
    tool_choice:
      tools.length === 0 || request.toolChoice === undefined
        ? undefined
        : writeToolChoice(request.toolChoice),
    parallel_tool_calls: tools.length === 0 ? undefined : request.parallelToolCalls,
    response_format: request.format === undefined ? undefined : writeFormat(request.format),
    verbosity: request.verbosity,
    reasoning_effort: request.reasoning?.effort,
    max_tokens: request.outputTokensMax,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    presence_penalty: sampling.presencePenalty,
    frequency_penalty: sampling.frequencyPenalty,
    seed: sampling.seed,
    stop: sampling.stop,
    logprobs: request.logprobs === undefined ? undefined : true,
    top_logprobs: request.logprobs?.top,
    ...writeCaller(request),
  });
}

/** Not `store`: what a client of another dialect wants stored is kept where it was asked for. */
export function leftOutOfChat(request: HubRequest): readonly string[] {
  return [...(request.metadata === undefined ? [] : ['metadata']), ...foreignExtras(request, 'chat')];
}

function writeMessages(request: HubRequest): readonly unknown[] {
  const messages: unknown[] = [];
  // What tools returned beside text: a chat server takes it from a user alone, and only behind the last result.
  let returned: unknown[] = [];
  const handOver = () => {
    if (returned.length > 0) messages.push({ role: 'user', content: returned });
    returned = [];
  };
  const { text, turns } = opened(request);
  if (text !== '') messages.push({ role: 'system', content: text });
  for (const turn of turns) {
    if (turn.role !== 'tool') handOver();
    const written = writeTurn(turn, returned);
    if (written !== undefined) messages.push(written);
  }
  handOver();
  return messages;
}

/**
 * What systems and developers say before anything else, as one text: many chat templates take one system message, and
 * that at the beginning.
 */
function opened({ instructions, turns }: HubRequest): {
  readonly text: string;
  readonly turns: readonly HubTurn[];
} {
  const texts = instructions === undefined ? [] : [instructions];
  let next = 0;
  for (let turn = turns[0]; turn?.role === 'system' || turn?.role === 'developer'; turn = turns[++next]) {
    const parts = turn.parts.map((part) => (part.kind === 'text' ? part.text : undefined));
    if (parts.includes(undefined)) break;
    texts.push(parts.join('\n'));
  }
  return { text: texts.join('\n\n'), turns: turns.slice(next) };
}

function writeTurn(turn: HubTurn, returned: unknown[]): unknown {
  switch (turn.role) {
    case 'assistant':
      return writeAssistant(turn.items);
    case 'tool':
      return {
        role: 'tool',
        tool_call_id: chatCallId(turn.callId),
        content: writeResult(turn.parts, returned),
      };
    case 'developer':
      // Many chat templates know no developer.
      return { role: 'system', content: writeContent(turn.parts) };
    default:
      return { role: turn.role, content: writeContent(turn.parts) };
  }
}

/** All that lies between two turns of others is one message: parallel calls must stay together. */
function writeAssistant(items: readonly HubItem[]): unknown {
  let content = '';
  let refusal = '';
  const reasoning: HubReasoning[] = [];
  let phase: string | undefined;
  const calls: unknown[] = [];
  for (const item of items) {
    if (item.kind === 'reasoning') reasoning.push(item);
    else if (item.kind === 'call') calls.push(writeOldCall(item));
    else if (item.kind === 'message') {
      if (content !== '' && item.phase !== phase) content += '\n\n';
      phase = item.phase;
      for (const part of item.parts) {
        if (part.kind === 'text') content += part.text;
        else refusal += part.text;
      }
    }
  }
  // Reasoning alone, from a turn that was cut, is no message that a server would take.
  if (content === '' && refusal === '' && calls.length === 0) return undefined;
  const { members, parts } = writeReasoning(reasoning);
  const text = content === '' ? null : content;
  return present({
    role: 'assistant',
    content: parts.length === 0 ? text : [...parts, ...(text === null ? [] : [{ type: 'text', text }])],
    refusal: refusal === '' ? undefined : refusal,
    ...members,
    tool_calls: calls.length === 0 ? undefined : calls,
  });
}

function chatCallId(id: string): string {
  return shortCallId(id, CHAT_CALL_ID_CHARS_MAX);
}

/** As part of a message that is sent back. */
function writeOldCall(item: HubCall) {
  return { ...writeCall(item), id: chatCallId(item.callId) };
}

export function writeCall(item: HubCall) {
  const { callId: id, name, input } = item;
  if (item.call === 'custom') return { id, type: 'custom', custom: { name, input } };
  return { id, type: 'function', function: { name, arguments: input } };
}

/** A lone text as a plain string, which every chat template takes. */
function writeContent(parts: readonly HubPart[]): unknown {
  const [first] = parts;
  if (first === undefined) return '';
  if (parts.length === 1 && first.kind === 'text') return first.text;
  return parts.map(writePart);
}

function writeResult(parts: readonly HubPart[], returned: unknown[]): string {
  return parts
    .map((part) => {
      if (part.kind === 'text') return part.text;
      returned.push(writePart(part));
      return `[${part.kind}: in the next user message]`;
    })
    .join('\n');
}

function writePart(part: HubPart): unknown {
  switch (part.kind) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image': {
      if (part.source.kind === 'id')
        throw unsupported(`${part.param}.file_id`, 'this model takes images by URL alone');
      const url = part.source.kind === 'url' ? part.source.url : part.source.data;
      return { type: 'image_url', image_url: present({ url, detail: part.detail }) };
    }
    case 'file': {
      if (part.source.kind === 'url')
        throw unsupported(`${part.param}.file_url`, 'this model takes files as file_data alone');
      const source =
        part.source.kind === 'id' ? { file_id: part.source.id } : { file_data: part.source.data };
      return { type: 'file', file: present({ ...source, filename: part.filename }) };
    }
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
  }
}
