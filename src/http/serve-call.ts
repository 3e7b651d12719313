/** One model call at the edge, from its request to its line in the log. */
import type { Answer, Call, Dialect, Outcome } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import type { NodeId } from '../core/ids.ts';
import type { Budget } from '../lib/budget.ts';
import type { Log } from '../lib/log.ts';
import { ClientStream } from './client-stream.ts';
import { asClawError, sendError } from './error-reply.ts';
import { Journey } from './journey.ts';
import { callOf, type HeldBody, readBody } from './read-call.ts';
import type { Sweep } from './sweep.ts';
import type { Visit } from './visit.ts';
import { writeReply } from './write-reply.ts';

export interface CallParts {
  readonly answer: Answer;
  readonly origin: NodeId;
  readonly log: Log;
  readonly budget: Budget;
  /** A stream call without a reply is answered after this long, and kept alive from then on. */
  readonly holdMs: number;
}

/** What is known of a call when it is over. */
interface Settled {
  readonly call?: Call;
  readonly status: number;
  readonly ttfbMs?: number;
  readonly outcome?: Outcome;
  readonly error?: ClawError;
}

/** Never rejects. Aborting the visit's `cut` ends the call whatever it waits for. */
export async function serveCall(
  visit: Visit,
  dialect: Dialect,
  parts: CallParts,
  sweep: Sweep,
): Promise<void> {
  const { response, cut } = visit;
  const { answer, origin, log, budget, holdMs } = parts;
  response.once('close', () => {
    if (!response.writableFinished) cut.abort(new ClawError('cancelled', 'the client left'));
  });
  const journey = new Journey(visit);
  let held: HeldBody | undefined;
  let stream: ClientStream | undefined;
  let known: Partial<Settled> = {};
  try {
    held = await readBody(visit, budget);
    const call = callOf(visit, { dialect, origin, report: journey.report }, held.bytes);
    known = { call };
    if (call.stream) stream = new ClientStream({ visit, call, journey, sweep, holdMs });
    const reply = await answer(call, cut);
    stream?.answered();
    journey.arrived(reply.headers);
    known = { call, status: reply.status, ttfbMs: visit.elapsedMs() };
    if (stream?.takes(reply) === true) await stream.write(reply);
    else await writeReply(visit, reply, journey, sweep);
    const outcome = await reply.ended;
    logSettled({ visit, log, journey, stream }, { status: reply.status, ...known, outcome });
  } catch (thrown) {
    const error = journey.routed(asClawError(thrown));
    if (stream?.fail(error) !== true) sendError(visit, error);
    logSettled({ visit, log, journey, stream }, { ...known, status: error.status, error });
  } finally {
    stream?.close();
    held?.release();
  }
}

interface Served {
  readonly visit: Visit;
  readonly log: Log;
  readonly journey: Journey;
  readonly stream: ClientStream | undefined;
}

/** No prompt, no header value: what was asked for, what came of it, where it ran and what it waited for. */
function logSettled({ visit, log, journey, stream }: Served, settled: Settled): void {
  const { call, status, ttfbMs, outcome, error } = settled;
  const complete = outcome?.kind === 'complete' ? outcome : undefined;
  const failure = error ?? (outcome?.kind === 'failed' ? outcome.error : undefined);
  const fields = {
    callId: visit.id,
    model: call?.model.id,
    dialect: call?.dialect,
    stream: call?.stream,
    status,
    ms: visit.elapsedMs(),
    ackMs: journey.ackMs,
    heldMs: stream?.heldMs,
    ttfbMs,
    firstEventMs: stream?.firstEventMs,
    bytes: outcome?.bytes,
    finish: complete?.finish,
    usage: complete?.usage,
    route: journey.route,
    attempts: journey.attempts,
    code: failure?.code,
    reason: failure?.message,
  };
  // A client that leaves, or asks for what is not there, is no fault of this node.
  if (failure?.code === 'internal') log.error({ ...fields, err: failure.cause ?? failure }, 'call settled');
  else if (status >= 500) log.warn(fields, 'call settled');
  else log.info(fields, 'call settled');
}
