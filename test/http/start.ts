/** An edge for tests, in front of one local upstream or of an answer of the test's own. */
import pino from 'pino';
import type { Answer } from '../../src/core/call.ts';
import { nodeIdOf } from '../../src/core/ids.ts';
import { HOLD_MS } from '../../src/core/limits.ts';
import { History } from '../../src/history/history.ts';
import type { UpstreamSpec } from '../../src/core/upstream-spec.ts';
import type { ModelView } from '../../src/core/views.ts';
import { type Edge, type EdgeOptions, type EdgeParts, startEdge } from '../../src/http/server.ts';
import { Budget } from '../../src/lib/budget.ts';
import { Upstreams } from '../../src/upstream/upstream.ts';
import { realClock } from '../support/real-clock.ts';

export const NODE = nodeIdOf(new Uint8Array(32));
export const PROVIDER_KEY = 'sk-canary-0123456789abcdef';

const LIMITS = { keepMs: 60_000, bytesMax: 1 << 20 };

export interface Started extends AsyncDisposable {
  readonly edge: Edge;
  readonly url: string;
  readonly budget: Budget;
  /** The lines of the log, parsed. */
  readonly lines: Record<string, unknown>[];
}

export interface StartOptions {
  readonly parts?: Partial<EdgeParts>;
  readonly options?: Partial<EdgeOptions>;
}

export async function startWith(answer: Answer, { parts, options }: StartOptions = {}): Promise<Started> {
  const lines: Record<string, unknown>[] = [];
  const budget = new Budget(256 << 20);
  const history = new History({ clock: parts?.clock ?? realClock, limits: LIMITS, targets: () => [] });
  const edge = await startEdge(
    {
      answer,
      origin: NODE,
      nodeName: 'studio',
      holdMs: HOLD_MS,
      clock: realClock,
      log: pino({ level: 'debug', base: null }, { write: (line) => void lines.push(JSON.parse(line)) }),
      budget,
      history,
      models: () => [],
      status: () => {
        throw new Error('no status in this test');
      },
      ...parts,
    },
    {
      host: '127.0.0.1',
      port: 0,
      apiKeys: [],
      allowedHosts: [],
      allowedOrigins: [],
      trustedProxies: [],
      ...options,
    },
  );
  const dispose = async () => {
    await edge.close(0);
    history.store.close();
  };
  return { edge, url: edge.url, budget, lines, [Symbol.asyncDispose]: dispose };
}

/** With the models `chatty` and `answering`, in the two dialects, both at that upstream. */
export async function startBefore(baseUrl: string, options: StartOptions = {}): Promise<Started> {
  const common = { baseUrl, apiKey: PROVIDER_KEY, headers: {}, silenceMs: 120_000, eventBytesMax: 1 << 20 };
  const specs: UpstreamSpec[] = [
    { ...common, card: { id: 'chatty', provider: 'ollama', dialect: 'chat' } },
    { ...common, card: { id: 'answering', provider: 'ollama', dialect: 'responses' } },
  ];
  const upstreams = new Upstreams(specs, { nodeName: 'studio', clock: options.parts?.clock ?? realClock });
  const started = await startWith(upstreams.answer, options);
  const closeEdge = started[Symbol.asyncDispose];
  const dispose = async () => {
    await closeEdge();
    await upstreams.close();
  };
  return Object.assign(started, { [Symbol.asyncDispose]: dispose });
}

export function modelView(id: string, overrides: Partial<ModelView> = {}): ModelView {
  const provider = overrides.provider ?? 'ollama';
  return {
    id,
    node: 'studio',
    nodeId: NODE,
    provider,
    api: 'openai-completions',
    reachable: true,
    contextWindow: null,
    local: true,
    card: { id, provider, dialect: 'chat' },
    ...overrides,
  };
}
