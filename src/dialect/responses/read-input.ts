/** The input items of a Responses request as turns: what an assistant said in a row is one turn. */
import { ClawError } from '../../core/errors.ts';
import { ChatMessages } from '../chat/messages.ts';
import { Message } from '../chat/request-wire.ts';
import { ContentPart, PART_TYPES, readPart, readParts, readSaid } from '../openai/content-part.ts';
import { AnyObject, readClient } from '../door.ts';
import type { HubExtra, HubTool, HubTurn } from '../hub.ts';
import type { HubCallKind, HubItem } from '../hub-item.ts';
import { present } from '../present.ts';
import { openReasoning } from '../reasoning-blob.ts';
import {
  CallOutputItem,
  ChatItem,
  CustomCallItem,
  FunctionCallItem,
  HOSTED_ITEMS,
  ItemHead,
  MessageItem,
  ReasoningItem,
  ReferenceItem,
  type ResponsesRequest,
  TOOL_ITEMS,
  ToolItem,
} from './request-wire.ts';
import { readTools } from './tools.ts';

export interface ResponsesInput {
  readonly turns: readonly HubTurn[];
  readonly extras: readonly HubExtra[];
  /** That items handed in. */
  readonly tools: readonly HubTool[];
}

export function readInput(input: ResponsesRequest['input']): ResponsesInput {
  if (input === undefined) return { turns: [], extras: [], tools: [] };
  if (typeof input === 'string')
    return { turns: [{ role: 'user', parts: [{ kind: 'text', text: input }] }], extras: [], tools: [] };

  const turns: HubTurn[] = [];
  const extras: HubExtra[] = [];
  const tools: HubTool[] = [];
  const chat = new ChatMessages();
  let said: HubItem[] = [];
  const close = () => {
    if (said.length > 0) turns.push({ role: 'assistant', items: said });
    said = [];
  };
  input.forEach((wire, index) => {
    const read = readItem(wire, `input[${index}]`, chat);
    if (read === undefined) return;
    if ('param' in read) {
      extras.push(read);
    } else if ('items' in read) {
      for (const item of read.items) said.push(item);
    } else if ('role' in read) {
      close();
      turns.push(read);
    } else {
      said.push(read);
      if (read.kind === 'call') chat.knows(read);
      for (const tool of readHandedIn(read, `input[${index}]`)) tools.push(tool);
    }
  });
  close();
  return { turns, extras, tools };
}

function readHandedIn(item: HubItem, at: string): readonly HubTool[] {
  if (item.kind !== 'hosted' || !TOOL_ITEMS.has(item.type)) return [];
  return readTools(readClient(ToolItem, item.raw, at).tools, `${at}.tools`);
}

function readItem(wire: unknown, at: string, chat: ChatMessages): HubTurn | HubItem | HubExtra | undefined {
  const type = readClient(ItemHead, wire, at);
  if (PART_TYPES.has(type)) return { role: 'user', parts: [readPart(readClient(ContentPart, wire, at), at)] };
  switch (type) {
    case 'message':
      if (ChatItem.safeParse(wire).success) return chat.read(readClient(Message, wire, at), at);
      return readMessage(readClient(MessageItem, wire, at), at);
    case 'function_call': {
      const { call_id: callId, name, namespace, arguments: input } = readClient(FunctionCallItem, wire, at);
      const call = { kind: 'call', call: 'function', callId, name, input: input || '{}' } as const;
      return { ...call, complete: true, ...present({ namespace }) };
    }
    case 'custom_tool_call': {
      const { call_id: callId, name, namespace, input } = readClient(CustomCallItem, wire, at);
      const call = { kind: 'call', call: 'custom', callId, name, input: input ?? '' } as const;
      return { ...call, complete: true, ...present({ namespace }) };
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

/** An item that is nothing but a text is a message of the user. */
function readMessage({ role, content, text, phase }: MessageItem, at: string): HubTurn | HubItem | undefined {
  const said = content ?? text;
  if (role !== 'assistant') return { role, parts: readParts(said, `${at}.content`) };
  const parts = readSaid(said, `${at}.content`);
  if (parts.length === 0) return undefined;
  return { kind: 'message', parts, complete: true, ...present({ phase }) };
}

function readOutput(wire: unknown, at: string, kind: HubCallKind): HubTurn {
  const { call_id: callId, output } = readClient(CallOutputItem, wire, at);
  return { role: 'tool', kind, callId, parts: readParts(output, `${at}.output`) };
}

/** Text that travelled as our own blob is the whole of it; any other blob is the provider's, whoever that was. */
function readReasoning(wire: unknown, at: string): HubItem {
  const { summary, content, encrypted_content: data } = readClient(ReasoningItem, wire, at);
  const opened = data === undefined ? undefined : openReasoning(data);
  const foreign =
    data === undefined || opened !== undefined ? undefined : { dialect: 'responses' as const, data };
  return {
    kind: 'reasoning',
    summary: (summary ?? []).map((part) => part.text),
    text: opened?.text ?? (content ?? []).map((part) => part.text).join(''),
    ...present({ blob: opened?.blob ?? foreign }),
  };
}

/** A reference means something only to the server that keeps the item. */
const SEND_ITEMS = 'send the item itself: most clients do where they are told "store": false';

/** Reasoning that only the provider holds was never ours to show; any other item is part of the conversation. */
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
  const instead = COMPACTIONS.has(type) ? SEND_CONVERSATION : undefined;
  return { dialect: 'responses', param: at, value: wire, needed: true, ...present({ instead }) };
}

const COMPACTIONS: ReadonlySet<string> = new Set(['compaction', 'compaction_summary']);
const SEND_CONVERSATION =
  'only the provider that made a compaction can read it: send the conversation itself';
