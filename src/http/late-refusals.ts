/** Refusals that are told late. How many wait at once is bounded, and none outlives its client. */
import { ClawError } from '../core/errors.ts';
import { KEY_REFUSAL_MS, KEY_REFUSALS_WAITING_MAX } from '../core/limits.ts';
import { sendError } from './error-reply.ts';
import type { Visit } from './visit.ts';

export class LateRefusals {
  #waiting = 0;

  send(visit: Visit, error: ClawError): void {
    if (this.#waiting >= KEY_REFUSALS_WAITING_MAX) return sendError(visit, tooManyAtOnce());
    this.#waiting++;
    const cancel = visit.clock.after(KEY_REFUSAL_MS, () => sendError(visit, error));
    visit.response.once('close', () => {
      this.#waiting--;
      cancel();
    });
  }
}

/** It says nothing of the key that came, but that it was a wrong one: a right one is never kept waiting. */
function tooManyAtOnce(): ClawError {
  const text = `${KEY_REFUSALS_WAITING_MAX} wrong keys are being refused already: come back with a right one`;
  return new ClawError('too_many_wrong_keys', text, {
    retryAfterSeconds: 1,
    headers: { 'x-should-retry': 'false' },
  });
}
