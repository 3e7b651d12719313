/** The requests and replies of the toy dialect: into the hub and out of it. */
import { z } from 'zod';
import type { Dialect } from '../../src/core/call.ts';
import { AnyObject, maybe, readClient, readProvider } from '../../src/dialect/door.ts';
import { readFailure } from '../../src/dialect/failure.ts';
import type { HubAnswer, HubReply, HubRequest, HubTurn, HubUsage } from '../../src/dialect/hub.ts';
import type { HubItem } from '../../src/dialect/hub-item.ts';
import { refuseForeign } from '../../src/dialect/refuse.ts';
import type { DialectTools } from '../../src/dialect/shape.ts';

/** In the sources this name is a word in `core/dialect.ts`; a test cannot add one. */
export const TOY = 'toy' as Dialect;

const Call = z.object({ function: z.object({ name: z.string(), arguments: AnyObject }) });
const Said = z.object({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string(),
  thinking: maybe(z.string()),
  tool_calls: maybe(z.array(Call)),
});
type Said = z.infer<typeof Said>;
const Request = z.object({
  model: z.string(),
  messages: z.array(Said),
  stream: maybe(z.boolean()),
  tools: maybe(z.array(z.object({ function: z.object({ name: z.string() }) }))),
  options: maybe(z.object({ temperature: maybe(z.number()), stop: maybe(z.array(z.string())) })),
});
export const Line = z.object({
  message: maybe(Said),
  done: maybe(z.boolean()),
  done_reason: maybe(z.string()),
  prompt_eval_count: maybe(z.int()),
  eval_count: maybe(z.int()),
  error: z.unknown().optional(),
});
export type Line = z.infer<typeof Line>;

export function readRequest(body: unknown): HubRequest {
  const { model, messages, stream, tools, options } = readClient(Request, body);
  let calls = 0;
  let results = 0;
  return {
    model,
    turns: messages.map((said): HubTurn => {
      const parts = [{ kind: 'text', text: said.content }] as const;
      if (said.role === 'tool') return { role: 'tool', kind: 'function', callId: `toy_${results++}`, parts };
      if (said.role !== 'assistant') return { role: said.role, parts };
      return { role: 'assistant', items: itemsOf(said, () => `toy_${calls++}`) };
    }),
    tools: (tools ?? []).map((tool) => ({ kind: 'function', name: tool.function.name })),
    sampling: {
      ...(options?.temperature === undefined ? {} : { temperature: options.temperature }),
      ...(options?.stop === undefined ? {} : { stop: options.stop }),
    },
    stream: stream ?? true,
    streamUsage: true,
    extras: [],
  };
}

export function writeRequest(request: HubRequest, model: string): unknown {
  refuseForeign(request, TOY, 'Toy');
  const { turns, tools, stream, sampling, instructions } = request;
  const first = instructions === undefined ? [] : [{ role: 'system', content: instructions }];
  return {
    model,
    messages: [...first, ...turns.map(writeTurn)],
    stream,
    ...(tools.length === 0 ? {} : { tools: tools.map((tool) => ({ function: tool })) }),
    ...(sampling.temperature === undefined ? {} : { options: { temperature: sampling.temperature } }),
  };
}

function writeTurn(turn: HubTurn): unknown {
  if (turn.role === 'assistant') return messageOf(turn.items);
  const content = turn.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
  return { role: turn.role === 'developer' ? 'system' : turn.role, content };
}

export function itemsOf(said: Said, newId: () => string): HubItem[] {
  const items: HubItem[] = [];
  if (said.thinking) items.push({ kind: 'reasoning', summary: [], text: said.thinking });
  const text = { kind: 'text', text: said.content, annotations: [], logprobs: [] } as const;
  if (said.content !== '') items.push({ kind: 'message', parts: [text], complete: true });
  for (const { function: called } of said.tool_calls ?? []) {
    const input = JSON.stringify(called.arguments);
    items.push({ kind: 'call', call: 'function', callId: newId(), name: called.name, input, complete: true });
  }
  return items;
}

export function messageOf(items: readonly HubItem[]): Said {
  const said: Said = { role: 'assistant', content: '', thinking: undefined, tool_calls: undefined };
  for (const item of items) {
    if (item.kind === 'reasoning') said.thinking = item.text || item.summary.join('\n\n');
    else if (item.kind === 'message') said.content += item.parts.map(({ text }) => text).join('');
    else if (item.kind === 'call') (said.tool_calls ??= []).push(callOf(item.name, item.input));
  }
  return said;
}

export function callOf(name: string, input: string) {
  return { function: { name, arguments: AnyObject.parse(JSON.parse(input)) } };
}

function usageOf(line: Line): HubUsage | undefined {
  const { prompt_eval_count: inputTokens, eval_count: outputTokens = 0 } = line;
  if (inputTokens === undefined) return undefined;
  const totalTokens = inputTokens + outputTokens;
  return { inputTokens, outputTokens, totalTokens, cachedTokens: 0, reasoningTokens: 0 };
}

export function endOf(line: Line, hasCalls: boolean): Omit<HubAnswer, 'kind' | 'items'> {
  const usage = usageOf(line);
  const ending = line.done_reason === 'length' ? 'length' : hasCalls ? 'calls' : 'stop';
  return { ending, ...(usage === undefined ? {} : { usage }) };
}

export function lastLine({ ending, usage }: Omit<HubAnswer, 'kind' | 'items'>): object {
  const counts =
    usage === undefined ? {} : { prompt_eval_count: usage.inputTokens, eval_count: usage.outputTokens };
  return { done: true, done_reason: ending === 'length' ? 'length' : 'stop', ...counts };
}

export function readReply(reply: unknown, tools: DialectTools): HubReply {
  const line = readProvider(Line, reply, 'reply');
  if (line.error !== undefined) return { kind: 'failed', failure: readFailure(line.error) };
  const items = line.message === undefined ? [] : itemsOf(line.message, () => tools.randomId('call_'));
  return {
    kind: 'answer',
    items,
    ...endOf(
      line,
      items.some(({ kind }) => kind === 'call'),
    ),
  };
}
