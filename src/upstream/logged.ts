/** The owner's line in the log for each call of another node: under the id that the entry logs, too. Never a prompt. */
import type { Answer, Call, Outcome } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';

export interface LoggedParts {
  readonly clock: Clock;
  readonly log: Log;
}

export function logged(answer: Answer, { clock, log }: LoggedParts): Answer {
  return async (call, signal) => {
    const startedAt = clock.now();
    const settled = (fields: object) =>
      log.info(
        Object.assign(whatOf(call), { ms: Math.round(clock.now() - startedAt) }, fields),
        'call served',
      );
    try {
      const reply = await answer(call, signal);
      void reply.ended.then((outcome) => settled({ status: reply.status, ...howOf(outcome) }));
      return reply;
    } catch (error) {
      const { status, code, message } = ClawError.from(error, 'internal', 'the call could not be answered');
      settled({ status, code, reason: message });
      throw error;
    }
  };
}

function whatOf({ id, origin, model, dialect, stream }: Call) {
  return { callId: id, from: origin, model: model.id, provider: model.provider, dialect, stream };
}

function howOf(outcome: Outcome) {
  const { bytes } = outcome;
  switch (outcome.kind) {
    case 'complete':
      return { bytes, finish: outcome.finish, usage: outcome.usage };
    case 'failed':
      return { bytes, code: outcome.error.code, reason: outcome.error.message };
    case 'cancelled':
      return { bytes, code: 'cancelled' };
  }
}
