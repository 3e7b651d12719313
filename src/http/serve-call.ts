/** One model call at the edge, from its request to its line in the log. */
import type { Answer, Call, Dialect, Outcome } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import type { NodeId } from '../core/ids.ts';
import type { Budget } from '../lib/budget.ts';
import type { Log } from '../lib/log.ts';
import { asClawError, sendError } from './error-reply.ts';
import { callOf, type HeldBody, readBody } from './read-call.ts';
import type { Visit } from './visit.ts';
import { writeReply } from './write-reply.ts';

export interface CallParts {
  readonly answer: Answer;
  readonly origin: NodeId;
  readonly log: Log;
  readonly budget: Budget;
}

/** What is known of a call when it is over. */
interface Settled {
  readonly call?: Call;
  readonly status: number;
  readonly ttfbMs?: number;
  readonly route?: string | undefined;
  readonly outcome?: Outcome;
  readonly error?: ClawError;
}

/** Never rejects. Aborting `cut` ends the call whatever it waits for. */
export async function serveCall(
  visit: Visit,
  dialect: Dialect,
  parts: CallParts,
  cut: AbortController,
): Promise<void> {
  const { response } = visit;
  response.once('close', () => {
    if (!response.writableFinished) cut.abort(new ClawError('cancelled', 'the client left'));
  });
  let held: HeldBody | undefined;
  let known: Partial<Settled> = {};
  try {
    held = await readBody(visit, parts.budget);
    const call = callOf(visit, dialect, parts.origin, held.bytes);
    known = { call };
    const reply = await parts.answer(call, cut.signal);
    known = {
      call,
      status: reply.status,
      ttfbMs: visit.elapsedMs(),
      route: reply.headers['x-clawmatrix-route'],
    };
    await writeReply(visit, call, reply);
    const outcome = await reply.ended;
    logSettled(visit, parts.log, { status: reply.status, ...known, outcome });
  } catch (thrown) {
    const error = asClawError(thrown);
    sendError(visit, error);
    logSettled(visit, parts.log, {
      route: error.headers['x-clawmatrix-route'],
      ...known,
      status: error.status,
      error,
    });
  } finally {
    held?.release();
  }
}

/** No prompt, no header value: what was asked for, what came of it. */
function logSettled(visit: Visit, log: Log, { call, status, ttfbMs, route, outcome, error }: Settled): void {
  const complete = outcome?.kind === 'complete' ? outcome : undefined;
  const failure = error ?? (outcome?.kind === 'failed' ? outcome.error : undefined);
  const fields = {
    callId: visit.id,
    model: call?.model.id,
    dialect: call?.dialect,
    stream: call?.stream,
    status,
    ms: visit.elapsedMs(),
    ttfbMs,
    bytes: outcome?.bytes,
    finish: complete?.finish,
    usage: complete?.usage,
    route,
    code: failure?.code,
    reason: failure?.message,
  };
  // A client that leaves, or asks for what is not there, is no fault of this node.
  if (failure?.code === 'internal') log.error({ ...fields, err: failure.cause ?? failure }, 'call settled');
  else if (status >= 500) log.warn(fields, 'call settled');
  else log.info(fields, 'call settled');
}
