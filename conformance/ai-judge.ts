/** The Vercel AI SDK as a judge: its provider packages, which read what comes over the wire. */
import { type Heard, type Judge, NOTHING, type Recording, replayed } from './judge.ts';

type Fetch = (url: string, init?: object) => Promise<Response>;
interface Options {
  readonly name?: string;
  readonly baseURL: string;
  readonly apiKey: string;
  readonly fetch: Fetch;
  readonly includeUsage?: boolean;
}

interface Count {
  readonly total?: number;
}
interface Usage {
  /** A number in older releases. */
  readonly inputTokens?: number | Count;
  readonly outputTokens?: number | Count;
}
type Finish = string | { readonly unified: string };

interface Part {
  readonly type: string;
  readonly delta?: string;
  readonly text?: string;
  readonly toolCallId?: string;
  readonly toolName?: string;
  readonly input?: string;
  readonly finishReason?: Finish;
  readonly usage?: Usage;
  readonly error?: unknown;
}

interface Model {
  doStream(options: object): Promise<{ readonly stream: ReadableStream<Part> }>;
  doGenerate(options: object): Promise<{
    readonly content: readonly Part[];
    readonly finishReason: Finish;
    readonly usage: Usage;
  }>;
}

/** What is used of `@ai-sdk/openai` and `@ai-sdk/openai-compatible`. */
export interface AiModules {
  readonly createOpenAI: (options: Options) => {
    chat(model: string): Model;
    responses(model: string): Model;
  };
  readonly createOpenAICompatible: (options: Options) => { chatModel(model: string): Model };
}

const PROMPT = { prompt: [{ role: 'user', content: [{ type: 'text', text: 'judged' }] }] };

export function aiJudges(
  { createOpenAI, createOpenAICompatible }: AiModules,
  major: string,
): readonly Judge[] {
  const at = (recording: Recording): Options => ({
    baseURL: 'http://127.0.0.1/v1',
    apiKey: 'none',
    fetch: async () => replayed(recording),
  });
  const both = (name: string, dialect: Judge['dialect'], model: (recording: Recording) => Model): Judge[] => [
    { name, dialect, stream: false, hear: (recording) => hearing(() => heardWhole(model(recording))) },
    { name, dialect, stream: true, hear: (recording) => hearing(() => heardStream(model(recording))) },
  ];
  return [
    ...both(`ai ${major}, openai.chat`, 'chat', (recording) => createOpenAI(at(recording)).chat('judged')),
    ...both(`ai ${major}, compatible`, 'chat', (recording) =>
      createOpenAICompatible({ ...at(recording), name: 'judged', includeUsage: true }).chatModel('judged'),
    ),
    ...both(`ai ${major}, openai.responses`, 'responses', (recording) =>
      createOpenAI(at(recording)).responses('judged'),
    ),
  ];
}

async function hearing(hear: () => Promise<Heard>): Promise<Heard> {
  try {
    return await hear();
  } catch (error) {
    return { ...NOTHING, error: wordsOf(error) };
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(JSON.stringify(error));
}

async function heardWhole(model: Model): Promise<Heard> {
  const { content, finishReason, usage } = await model.doGenerate(PROMPT);
  const of = (type: string) => content.filter((part) => part.type === type).map(({ text }) => text ?? '');
  return {
    ...NOTHING,
    text: of('text').join(''),
    reasoning: of('reasoning').filter(Boolean).join('\n\n'),
    calls: content.filter(({ type }) => type === 'tool-call').map(callOf),
    ...end(finishReason, usage),
  };
}

async function heardStream(model: Model): Promise<Heard> {
  const { stream } = await model.doStream(PROMPT);
  let heard = NOTHING;
  for await (const part of stream) {
    if (part.type === 'error') return { ...NOTHING, error: wordsOf(part.error) };
    heard = withPart(heard, part);
  }
  return heard;
}

function withPart(heard: Heard, part: Part): Heard {
  switch (part.type) {
    case 'text-delta':
      return { ...heard, text: heard.text + (part.delta ?? '') };
    case 'reasoning-start':
      return heard.reasoning === '' ? heard : { ...heard, reasoning: `${heard.reasoning}\n\n` };
    case 'reasoning-delta':
      return { ...heard, reasoning: heard.reasoning + (part.delta ?? '') };
    case 'tool-call':
      return { ...heard, calls: [...heard.calls, callOf(part)] };
    case 'finish':
      return { ...heard, ...end(part.finishReason ?? 'other', part.usage ?? {}) };
    default:
      return heard;
  }
}

function callOf({ toolCallId: id = '', toolName: name = '', input = '' }: Part): Heard['calls'][number] {
  return { id, name, arguments: input };
}

function end(reason: Finish, usage: Usage): Pick<Heard, 'finish' | 'usage'> {
  const name = typeof reason === 'string' ? reason : reason.unified;
  const known: Readonly<Record<string, string>> = { 'tool-calls': 'calls', 'content-filter': 'filter' };
  const [input, output] = [count(usage.inputTokens), count(usage.outputTokens)];
  return {
    finish: known[name] ?? name,
    usage: input === undefined || output === undefined ? undefined : { input, output },
  };
}

function count(tokens: number | Count | undefined): number | undefined {
  return typeof tokens === 'object' ? tokens.total : tokens;
}
