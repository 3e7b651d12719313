/** The Response object with every key that its schema demands, whatever is known of the answer. */
import { changed } from '../../lib/changed.ts';
import type { HubEnding, HubRequest, HubUsage } from '../hub.ts';
import type { DialectTools, WriteContext } from '../shape.ts';
import { echoOf } from './echo.ts';
import { writeUsage } from './ending.ts';

export type ResponseStatus = 'in_progress' | 'completed' | 'incomplete' | 'failed';

export interface ResponseFacts {
  readonly id: string;
  readonly model: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly request?: HubRequest;
}

/** Of a response that begins here and now. */
export function newResponse({ model, request, tools }: WriteContext): ResponseFacts {
  const told = tools.storesNothing === true ? changed(request, { store: false }) : request;
  return { id: tools.randomId('resp_'), model, createdAt: secondsNow(tools), request: told };
}

/** Since 1970. */
export function secondsNow({ wall }: Pick<DialectTools, 'wall'>): number {
  return Math.floor(wall() / 1000);
}

export interface ResponseState {
  readonly status: ResponseStatus;
  readonly output: readonly unknown[];
  readonly completedAt?: number;
  readonly usage?: HubUsage;
  readonly serviceTier?: string;
  /** Why it is incomplete. */
  readonly reason?: 'max_output_tokens' | 'content_filter';
  readonly error?: { readonly code: string; readonly message: string };
}

export function responseObject(facts: ResponseFacts, state: ResponseState) {
  const echo = echoOf(facts.request);
  return {
    id: facts.id,
    object: 'response',
    created_at: facts.createdAt,
    completed_at: state.completedAt ?? null,
    status: state.status,
    incomplete_details: state.reason === undefined ? null : { reason: state.reason },
    error: state.error ?? null,
    model: facts.model,
    output: state.output,
    usage: usageOf(state),
    ...echo,
    service_tier: state.serviceTier ?? echo.service_tier,
  };
}

/** Zero is what nobody counted: a response that ended without a usage is none for the AI SDK 5, which then runs no tool. */
function usageOf({ status, usage }: ResponseState) {
  if (usage !== undefined) return writeUsage(usage);
  return status === 'completed' || status === 'incomplete' ? writeUsage(UNCOUNTED) : null;
}

const UNCOUNTED: HubUsage = {
  inputTokens: 0,
  outputTokens: 0,
  totalTokens: 0,
  cachedTokens: 0,
  reasoningTokens: 0,
};

/** What the ending says of the whole response. */
export function endState(ending: HubEnding, now: number): Omit<ResponseState, 'output'> {
  if (ending === 'length') return { status: 'incomplete', reason: 'max_output_tokens' };
  if (ending === 'filter') return { status: 'incomplete', reason: 'content_filter' };
  return { status: 'completed', completedAt: now };
}
