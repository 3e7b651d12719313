/** The messages of a conversation in chat's form as turns, one after the other: what each result answers is known from before. */
import { Content, readParts, readSaid, ToolOutput } from '../openai/content-part.ts';
import { readClient } from '../door.ts';
import type { HubTurn } from '../hub.ts';
import type { HubCall, HubCallKind, HubItem } from '../hub-item.ts';
import { present } from '../present.ts';
import { readForeignBlobs, reasoningOf } from './reasoning.ts';
import type { Message } from './request-wire.ts';

/** One for each conversation. */
export class ChatMessages {
  /** A result does not say which kind of call it answers; the call before it does. */
  readonly #kinds = new Map<string, HubCallKind>();
  /** The older form of a call has no id, and some clients leave it out: results then come in the order of the calls. */
  #unanswered: readonly string[] = [];
  #count = 0;

  read(message: Message, at: string): HubTurn {
    const number = this.#count++;
    switch (message.role) {
      case 'assistant': {
        const items = readAssistant(message, at, `call_${number}`);
        const calls = items.filter((item) => item.kind === 'call');
        for (const call of calls) this.knows(call);
        this.#unanswered = calls.map(({ callId }) => callId);
        return { role: 'assistant', items };
      }
      case 'tool':
      case 'function': {
        const callId = message.tool_call_id ?? this.#unanswered[0] ?? 'call_0';
        this.#unanswered = this.#unanswered.filter((id) => id !== callId);
        const output = readClient(ToolOutput, message.content, `${at}.content`);
        const parts = readParts(output, `${at}.content`);
        return { role: 'tool', kind: this.#kinds.get(callId) ?? 'function', callId, parts };
      }
      default: {
        const content = readClient(Content, message.content, `${at}.content`);
        return { role: message.role, parts: readParts(content, `${at}.content`) };
      }
    }
  }

  /** A call of the same conversation, whoever read it. */
  knows({ callId, call }: HubCall): void {
    this.#kinds.set(callId, call);
  }
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
