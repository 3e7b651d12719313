/** The input items of a Responses request as turns: what an assistant said in a row is one turn. */
import { ClawError } from '../../core/errors.ts';
import { AnyObject, readClient } from '../door.ts';
import type { HubExtra, HubPart, HubSource, HubTurn } from '../hub.ts';
import type { HubCallKind, HubItem, HubSaid } from '../hub-item.ts';
import { present } from '../present.ts';
import { misplaced } from '../refuse.ts';
import {
  CallOutputItem,
  type Content,
  type ContentPart,
  CustomCallItem,
  FunctionCallItem,
  HOSTED_ITEMS,
  ItemHead,
  MessageItem,
  ReasoningItem,
  ReferenceItem,
  type ResponsesRequest,
} from './request-wire.ts';

export interface ResponsesInput {
  readonly turns: readonly HubTurn[];
  readonly extras: readonly HubExtra[];
}

export function readInput(input: ResponsesRequest['input']): ResponsesInput {
  if (input === undefined) return { turns: [], extras: [] };
  if (typeof input === 'string')
    return { turns: [{ role: 'user', parts: [{ kind: 'text', text: input }] }], extras: [] };

  const turns: HubTurn[] = [];
  const extras: HubExtra[] = [];
  let said: HubItem[] = [];
  const close = () => {
    if (said.length > 0) turns.push({ role: 'assistant', items: said });
    said = [];
  };
  input.forEach((wire, index) => {
    const read = readItem(wire, `input[${index}]`);
    if (read === undefined) return;
    if ('param' in read) {
      extras.push(read);
    } else if ('role' in read) {
      close();
      turns.push(read);
    } else {
      said.push(read);
    }
  });
  close();
  return { turns, extras };
}

function readItem(wire: unknown, at: string): HubTurn | HubItem | HubExtra | undefined {
  const type = readClient(ItemHead, wire, at);
  switch (type) {
    case 'message':
      return readMessage(readClient(MessageItem, wire, at), at);
    case 'function_call': {
      const { call_id: callId, name, namespace, arguments: input } = readClient(FunctionCallItem, wire, at);
      const call = { kind: 'call', call: 'function', callId, name, input: input || '{}' } as const;
      return { ...call, complete: true, ...present({ namespace }) };
    }
    case 'custom_tool_call': {
      const { call_id: callId, name, input } = readClient(CustomCallItem, wire, at);
      return { kind: 'call', call: 'custom', callId, name, input: input ?? '', complete: true };
    }
    case 'function_call_output':
      return readOutput(wire, at, 'function');
    case 'custom_tool_call_output':
      return readOutput(wire, at, 'custom');
    case 'reasoning':
      return readReasoning(wire, at);
    case 'item_reference':
      return readReference(wire, at);
    default:
      return readOther(type, wire, at);
  }
}

function readMessage({ role, content, phase }: MessageItem, at: string): HubTurn | HubItem | undefined {
  if (role !== 'assistant') return { role, parts: readParts(content, `${at}.content`) };
  const parts = readSaid(content, `${at}.content`);
  if (parts.length === 0) return undefined;
  return { kind: 'message', parts, complete: true, ...present({ phase }) };
}

function readOutput(wire: unknown, at: string, kind: HubCallKind): HubTurn {
  const { call_id: callId, output } = readClient(CallOutputItem, wire, at);
  return { role: 'tool', kind, callId, parts: readParts(output, `${at}.output`) };
}

function readReasoning(wire: unknown, at: string): HubItem {
  const { summary, content, encrypted_content: data } = readClient(ReasoningItem, wire, at);
  return {
    kind: 'reasoning',
    summary: (summary ?? []).map((part) => part.text),
    text: (content ?? []).map((part) => part.text).join(''),
    ...present({ blob: data === undefined ? undefined : ({ dialect: 'responses', data } as const) }),
  };
}

/** Reasoning that only the provider holds was never ours to show; any other item is part of the conversation. */
/** A reference means something only to the server that keeps the item. */
const SEND_ITEMS = 'send the item itself: most clients do where they are told "store": false';

function readReference(wire: unknown, at: string): HubExtra | undefined {
  const { id } = readClient(ReferenceItem, wire, at);
  return id.startsWith('rs_')
    ? undefined
    : { dialect: 'responses', param: `${at}.id`, value: id, needed: true, instead: SEND_ITEMS };
}

function readOther(type: string, wire: unknown, at: string): HubItem | HubExtra {
  if (HOSTED_ITEMS.has(type)) return { kind: 'hosted', type, raw: readClient(AnyObject, wire, at) };
  if (type === '')
    throw new ClawError('bad_request', `${at}: expected an item with a type or a role`, { param: at });
  // A compaction, or an item that came after this was written: what it holds of the conversation would be lost.
  return { dialect: 'responses', param: at, value: wire, needed: true };
}

function readSaid(content: Content, at: string): readonly HubSaid[] {
  const text = (value: string): HubSaid => ({ kind: 'text', text: value, annotations: [], logprobs: [] });
  if (content === undefined || content === '') return [];
  if (typeof content === 'string') return [text(content)];
  return content.map((part, index): HubSaid => {
    if ('text' in part) return text(part.text);
    if (part.type === 'refusal') return { kind: 'refusal', text: part.refusal };
    throw misplaced(`${at}[${index}]`, part.type);
  });
}

function readParts(content: Content, at: string): readonly HubPart[] {
  if (content === undefined) return [];
  if (typeof content === 'string') return [{ kind: 'text', text: content }];
  return content.map((part, index) => readPart(part, `${at}[${index}]`));
}

function readPart(part: ContentPart, param: string): HubPart {
  switch (part.type) {
    case 'refusal':
      throw misplaced(param, part.type);
    case 'input_image': {
      const source = readSource(param, { url: part.image_url, id: part.file_id });
      return { kind: 'image', source, param, ...present({ detail: part.detail }) };
    }
    case 'input_file': {
      const source = readSource(param, { data: part.file_data, url: part.file_url, id: part.file_id });
      return { kind: 'file', source, param, ...present({ filename: part.filename }) };
    }
    case 'input_audio':
      return { kind: 'audio', data: part.input_audio.data, format: part.input_audio.format, param };
    default:
      return { kind: 'text', text: part.text };
  }
}

function readSource(
  param: string,
  from: { data?: string | undefined; url: string | undefined; id: string | undefined },
): HubSource {
  if (from.data !== undefined) return { kind: 'data', data: from.data };
  if (from.url !== undefined) return { kind: 'url', url: from.url };
  if (from.id !== undefined) return { kind: 'id', id: from.id };
  throw new ClawError('bad_request', `${param}: expected data, a URL or a file_id`, { param });
}
