/** The servers whose ways are known: what each cannot do as OpenAI's does, and how it is recognised. Pure. */
import type { Dialect } from '../../core/call.ts';
import type { Compat } from '../../core/compat.ts';

const NAMES = [
  'openai',
  'openrouter',
  'deepseek',
  'ollama',
  'llamacpp',
  'vllm',
  'lmstudio',
  'sglang',
] as const;
export type ServerName = (typeof NAMES)[number];

interface Server {
  /** Hosts that nobody else has. */
  readonly hosts?: readonly string[];
  /** A port that nobody else is known by. */
  readonly port?: number;
  /** `owned_by` in its list of models. */
  readonly ownedBy?: string;
  /** What is true of its API of each dialect. */
  readonly facts: Partial<Record<Dialect, Compat>>;
}

/** True of every server that runs models itself, behind Chat Completions. */
const LOCAL = {
  // Most chat templates know no developer: their author's message is dropped (Ollama) or the call fails (vLLM, LM Studio).
  supportsDeveloperRole: false,
  // None of them keeps anything, or has accounts, tiers or a cache that a client could name.
  supportsStore: false,
  supportsPromptCacheKey: false,
  // Each of them takes `stream_options`; those that once did not ignored it.
  supportsUsageInStreaming: true,
  // Ollama knows no other name, llama.cpp none before 2026; vLLM before 0.6.4 refused the other. All take this one.
  maxTokensField: 'max_tokens',
} as const satisfies Compat;

/** Of their Responses API no more is known than that: LM Studio keeps answers there, vLLM may. */
const LOCAL_RESPONSES = { supportsDeveloperRole: false } as const satisfies Compat;

export const KNOWN_SERVERS: Readonly<Record<ServerName, Server>> = {
  openai: {
    hosts: ['api.openai.com'],
    facts: {
      chat: {
        // Its models that think refuse `max_tokens`; all take this one (its API reference).
        maxTokensField: 'max_completion_tokens',
        supportsUsageInStreaming: true,
        // It shows no reasoning in Chat Completions, and its messages have no field for any.
        reasoningField: 'none',
      },
    },
  },
  openrouter: {
    hosts: ['openrouter.ai'],
    facts: {
      chat: {
        // Which of the providers behind it takes "developer" differs; "system" they all take.
        supportsDeveloperRole: false,
        // Its documentation of reasoning tokens. Usage comes with every stream, asked for or not.
        thinkingFormat: 'openrouter',
      },
    },
  },
  deepseek: {
    hosts: ['api.deepseek.com'],
    facts: {
      chat: {
        // "unknown variant `developer`, expected one of `system`, `user`, `assistant`, `tool`", with 400.
        supportsDeveloperRole: false,
        supportsStore: false,
        supportsPromptCacheKey: false,
        supportsUsageInStreaming: true,
        // The only name in its API reference.
        maxTokensField: 'max_tokens',
        // Its guide to thinking: `thinking.type` switches, `reasoning_effort` says how much.
        thinkingFormat: 'deepseek',
        reasoningField: 'reasoning_content',
        // Turns with tools whose answers lost their reasoning are refused with 400.
        requiresReasoningContentOnAssistantMessages: true,
      },
      responses: LOCAL_RESPONSES,
    },
  },
  ollama: {
    hosts: ['ollama.com'],
    port: 11_434,
    // The namespace of its own library.
    ownedBy: 'library',
    facts: {
      chat: {
        ...LOCAL,
        // Reads no other field of a message.
        reasoningField: 'reasoning',
        // 400 for all but high, medium, low, none and, in newer ones, max.
        reasoningEffortMap: { minimal: 'low', xhigh: 'high' },
      },
      responses: { ...LOCAL_RESPONSES, reasoningEffortMap: { minimal: 'low', xhigh: 'high' } },
    },
  },
  llamacpp: {
    ownedBy: 'llamacpp',
    facts: {
      // Its progress since September 2025 (pull request 15827); older ones ignore the key.
      chat: { ...LOCAL, reasoningField: 'reasoning_content', returnsProgress: true },
      responses: LOCAL_RESPONSES,
    },
  },
  vllm: {
    ownedBy: 'vllm',
    facts: {
      // Since 0.20 it drops the older `reasoning_content` before the template sees it.
      chat: { ...LOCAL, reasoningField: 'reasoning' },
      responses: LOCAL_RESPONSES,
    },
  },
  lmstudio: {
    ownedBy: 'organization_owner',
    facts: {
      chat: {
        ...LOCAL,
        reasoningField: 'reasoning_content',
        // It knows none, low, medium and high.
        reasoningEffortMap: { minimal: 'low', xhigh: 'high', max: 'high' },
      },
      responses: LOCAL_RESPONSES,
    },
  },
  sglang: {
    ownedBy: 'sglang',
    // Its messages have this field alone.
    facts: { chat: { ...LOCAL, reasoningField: 'reasoning_content' }, responses: LOCAL_RESPONSES },
  },
};

/** Whose service it is: its host alone says that, whatever answers there. */
export function serverOfHost(baseUrl: string): ServerName | undefined {
  const { hostname } = new URL(baseUrl);
  return NAMES.find((name) => KNOWN_SERVERS[name].hosts?.includes(hostname) === true);
}

/** A guess by what people call it. A service of that name may be reached through another, so only its host names one. */
export function serverOfName(baseUrl: string, provider: string): ServerName | undefined {
  const port = Number(new URL(baseUrl).port);
  return (
    NAMES.find((name) => KNOWN_SERVERS[name].port === port) ??
    NAMES.find((name) => name === provider && KNOWN_SERVERS[name].ownedBy !== undefined)
  );
}

/** What a server says of itself, where it is asked for its models. */
export function serverOfReply(
  headers: Readonly<Record<string, string>>,
  owners: ReadonlySet<string>,
): ServerName | undefined {
  if (headers.server?.toLowerCase() === 'llama.cpp') return 'llamacpp';
  return NAMES.find((name) => {
    const { ownedBy } = KNOWN_SERVERS[name];
    return ownedBy !== undefined && owners.has(ownedBy);
  });
}

/** What is known of a server, under what is configured of it; undefined where that is nothing. */
export function compatOf(
  server: ServerName | undefined,
  dialect: Dialect,
  configured: Compat | undefined,
): Compat | undefined {
  const known = server === undefined ? undefined : KNOWN_SERVERS[server].facts[dialect];
  return known === undefined ? configured : { ...known, ...configured };
}
