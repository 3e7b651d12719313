/** Who judges: the libraries that are installed, and what each of them is known not to tell. */
import { readFileSync } from 'node:fs';
import OpenAI from 'openai';
import { aiJudges, type AiModules } from './ai-judge.ts';
import type { Case } from './case.ts';
import type { Judge, Limit } from './judge.ts';
import { openAiJudges, type OpenAiModule } from './openai-judge.ts';

const isChat = ({ client }: Case) => client === 'chat';
const hasCustomCall = ({ says }: Case) => says?.calls.some(({ name }) => name === 'apply_patch') === true;
const isCut = ({ says }: Case) => says?.finish === 'length' || says?.finish === 'filter';
const isRefused = ({ says }: Case) => says !== undefined && says.refusal !== '';

const LIMITS: readonly Limit[] = [
  {
    judge: /^openai \d, helper/,
    of: ['reasoning'],
    why: 'the chat helper keeps only the last piece of a member that it does not know',
    when: isChat,
  },
  {
    judge: /^openai \d, helper/,
    of: ['all'],
    why: 'the chat helper throws at a custom call in a stream',
    when: (one) => isChat(one) && hasCustomCall(one),
  },
  {
    judge: /^openai [45], helper/,
    of: ['finish', 'usage'],
    why: 'the Responses helper of older releases does not read response.incomplete',
    when: (one) => !isChat(one) && isCut(one),
  },
  {
    judge: /^ai /,
    of: ['refusal', 'text', 'finish'],
    why: 'the AI SDK shows a refusal as a text that was filtered, or not at all',
    when: isRefused,
  },
  {
    judge: /^ai .*(openai\.chat|compatible)/,
    of: ['all'],
    why: 'its chat readers know no custom calls',
    when: hasCustomCall,
  },
  {
    judge: /^ai 5, openai\.responses/,
    of: ['all'],
    why: 'its schema of a whole reply has neither refusals nor custom calls',
    when: (one) => !one.stream && (isRefused(one) || hasCustomCall(one)),
  },
  {
    judge: /^ai 5, openai\.responses/,
    of: ['finish'],
    why: 'it knows no custom calls in a stream, and takes no end from a last event that tells no usage',
    when: (one) => hasCustomCall(one) || one.says?.usage === undefined,
  },
  {
    judge: /^ai .*openai\.responses/,
    of: ['calls'],
    why: 'it gives the text of a custom call as a text of JSON, and what the provider ran itself as calls',
    when: (one) => hasCustomCall(one) || /\/(hosted-items|images)$/.test(one.name),
  },
  {
    judge: /^ai .*openai\.responses/,
    of: ['reasoning'],
    why: 'it shows summaries alone, and no reasoning_text',
    when: ({ name }) => /(vllm|open-responses)-reasoning/.test(name),
  },
  {
    judge: /^ai .*openai\.responses/,
    of: ['error'],
    why: 'it calls a whole reply with an error in it an invalid one, without its words',
    when: ({ name }) => name.endsWith('/failed-whole'),
  },
  {
    judge: /^ai .*openai\.chat/,
    of: ['reasoning'],
    why: "the OpenAI provider's chat reader knows no reasoning",
  },
];

/** The one of this package's own tests; it is always there. */
export const ownJudges: readonly Judge[] = openAiJudges(OpenAI, 'openai 6');

/** By the name of their folders in `test/clients`. Releases that need a newer Node than this program does are not asked. */
const AI_PACKAGES = [
  { major: '5', openai: 'ai5-openai', compatible: 'ai5-compatible' },
  { major: '6', openai: '@ai-sdk/openai', compatible: '@ai-sdk/openai-compatible' },
] as const;

/** Those of `test/clients` too, where `npm run clients` has installed them. */
export async function allJudges(): Promise<readonly Judge[]> {
  const found: Judge[] = [...ownJudges];
  for (const major of ['4', '5']) {
    const sdk = await installed<{ readonly default: OpenAiModule }>(`openai${major}`);
    if (sdk !== undefined) found.push(...openAiJudges(sdk.default, `openai ${major}`));
  }
  for (const { major, openai, compatible } of AI_PACKAGES) {
    const one = await installed<Pick<AiModules, 'createOpenAI'>>(openai);
    const other = await installed<Pick<AiModules, 'createOpenAICompatible'>>(compatible);
    if (one !== undefined && other !== undefined) found.push(...aiJudges({ ...one, ...other }, major));
  }
  return found;
}

/** What this judge cannot be asked about this case. */
export function deafness(judge: Judge, one: Case): ReadonlySet<Limit['of'][number]> {
  const limits = LIMITS.filter((limit) => limit.judge.test(judge.name) && limit.when?.(one) !== false);
  return new Set(limits.flatMap(({ of }) => of));
}

async function installed<T>(name: string): Promise<T | undefined> {
  const folder = new URL(`../test/clients/node_modules/${name}/`, import.meta.url);
  const main = mainOf(folder);
  return main === undefined ? undefined : import(new URL(main, folder).href);
}

function mainOf(folder: URL): string | undefined {
  try {
    const { main, module }: { main?: string; module?: string } = JSON.parse(
      readFileSync(new URL('package.json', folder), 'utf8'),
    );
    return module ?? main ?? 'index.js';
  } catch {
    return undefined;
  }
}
