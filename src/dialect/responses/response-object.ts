/** The Response object with every key that its schema demands, whatever is known of the answer. */
import type { HubEnding, HubRequest, HubUsage } from '../hub.ts';
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
    usage: state.usage === undefined ? null : writeUsage(state.usage),
    ...echo,
    service_tier: state.serviceTier ?? echo.service_tier,
  };
}

/** What the ending says of the whole response. */
export function endState(ending: HubEnding, now: number): Omit<ResponseState, 'output'> {
  if (ending === 'length') return { status: 'incomplete', reason: 'max_output_tokens' };
  if (ending === 'filter') return { status: 'incomplete', reason: 'content_filter' };
  return { status: 'completed', completedAt: now };
}
