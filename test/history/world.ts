/** A history with models that live or do not, and the calls of its clients. */
import type { Call, Dialect, TargetKey } from '../../src/core/call.ts';
import type { Home, ResponseHistory, ResumedCall } from '../../src/core/history.ts';
import { type NodeId, newCallId } from '../../src/core/ids.ts';
import { History } from '../../src/history/history.ts';
import type { StoreLimits } from '../../src/history/response-store.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { first, second } from '../support/identities.ts';

export type Json = Readonly<Record<string, unknown>>;

export const MINUTE = 60_000;
export const LIMITS: StoreLimits = { keepMs: 10 * MINUTE, bytesMax: 1 << 20 };

export interface Place {
  readonly provider: string;
  readonly dialect: Dialect;
  readonly node?: NodeId;
}

export const CHAT: Place = { provider: 'chatty', dialect: 'chat' };
export const OPENAI: Place = { provider: 'openai', dialect: 'responses' };
export const OTHER: Place = { provider: 'other', dialect: 'responses', node: second.id };

export function homeOf({ provider, dialect, node = first.id }: Place, model = 'm'): Home {
  return { target: { node, provider, id: model }, dialect };
}

export class World {
  readonly clock = new FakeClock();
  readonly history: History;
  /** Who has a model now. */
  models: Record<string, readonly Place[]> = { m: [CHAT] };

  constructor(limits: StoreLimits | null = LIMITS) {
    this.history = new History({
      clock: this.clock,
      limits,
      targets: (model) =>
        (this.models[model] ?? []).map(({ provider, dialect, node = first.id }) => ({
          node,
          card: { id: model, provider, dialect },
        })),
    });
  }

  open(body: Json, on: ResponseHistory = this.history): ResumedCall {
    const whole = { model: 'm', ...body };
    return on.open(callOf(whole), whole);
  }

  /** A turn that ends well: its response is kept where it is to be. */
  turn(body: Json, answer: Json, at: Place = CHAT, on: ResponseHistory = this.history): Json {
    const opened = this.open(body, on);
    opened.keep(homeOf(at), { bytes: [json(response(answer))] });
    opened.over();
    return sent(opened.call);
  }
}

export function callOf(body: Json): Call {
  return {
    id: newCallId(),
    origin: first.id,
    dialect: 'responses',
    model: { id: typeof body.model === 'string' ? body.model : 'm' },
    stream: body.stream === true,
    headers: {},
    body: json(body),
    report: () => {},
  };
}

export function response(more: Json): Json {
  return { id: 'resp_1', object: 'response', status: 'completed', store: true, output: [], ...more };
}

/** An item of an answer. */
export function said(text: string, id = `msg_${text}`): Json {
  const content = [{ type: 'output_text', text, annotations: [] }];
  return { type: 'message', id, status: 'completed', role: 'assistant', content };
}

export function asked(text: string): Json {
  return { type: 'message', role: 'user', content: text };
}

export const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
export const sent = ({ body }: Call): Json => JSON.parse(Buffer.from(body).toString());
export const keyOf = (place: Place, model?: string): TargetKey => homeOf(place, model).target;
