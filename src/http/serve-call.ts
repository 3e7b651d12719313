/** One model call at the edge, from its request to its line in the log. */
import type { Answer, Call, Outcome } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import type { ResponseHistory } from '../core/history.ts';
import type { NodeId } from '../core/ids.ts';
import type { Budget } from '../lib/budget.ts';
import type { Log } from '../lib/log.ts';
import { ClientStream } from './client-stream.ts';
import { refusalIn } from './error-body.ts';
import { asClawError, sendError } from './error-reply.ts';
import { Journey } from './journey.ts';
import type { HeldBody } from './read-body.ts';
import { type AskedFor, callOf } from './read-call.ts';
import { Recollection } from './recollection.ts';
import type { Sweep } from './sweep.ts';
import type { Visit } from './visit.ts';
import { WholeReply } from './whole-reply.ts';

export interface CallParts {
  readonly answer: Answer;
  readonly origin: NodeId;
  readonly log: Log;
  readonly budget: Budget;
  /** A stream call without a reply is answered after this long, and kept alive from then on. */
  readonly holdMs: number;
  /** The same for a call without a stream, by white space; undefined: it is answered when its reply is there. */
  readonly wholeKeepaliveMs?: number | undefined;
  /** Of those who can refer to what this one keeps. */
  readonly history: ResponseHistory;
}

/** What is asked for, and how its body is read. */
export interface Asking extends AskedFor {
  readonly read: () => Promise<HeldBody>;
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
export async function serveCall(visit: Visit, asking: Asking, parts: CallParts, sweep: Sweep): Promise<void> {
  const { response, cut } = visit;
  const { answer, log, holdMs } = parts;
  response.once('close', () => {
    if (!response.writableFinished) cut.abort(new ClawError('cancelled', 'the client left'));
  });
  const journey = new Journey(visit);
  let held: HeldBody | undefined;
  let stream: ClientStream | undefined;
  let whole: WholeReply | undefined;
  let recollection: Recollection | undefined;
  let known: Partial<Settled> = {};
  try {
    held = await asking.read();
    const by = { origin: parts.origin, report: journey.report };
    const asked = callOf(visit, asking, by, held.bytes);
    const { call } = asked;
    known = { call };
    if (call.dialect === 'responses') recollection = new Recollection(parts, asked, journey);
    if (call.stream) stream = new ClientStream({ visit, call, journey, sweep, holdMs });
    const keepaliveMs = call.stream ? undefined : parts.wholeKeepaliveMs;
    whole = new WholeReply({ visit, journey, sweep, keepaliveMs });
    if (stream !== undefined) recollection?.runs(stream, visit);
    const answered = await answer(recollection?.call ?? call, cut);
    const reply = recollection?.noting(answered) ?? answered;
    stream?.answered();
    journey.arrived(reply.headers);
    known = { call, status: reply.status, ttfbMs: visit.elapsedMs() };
    if (stream?.takes(reply) === true) await stream.write(reply);
    else await whole.write(reply.status < 400 ? reply : await refusalIn(call.dialect, reply));
    const outcome = await reply.ended;
    recollection?.ended(reply, stream);
    logSettled({ visit, log, journey, stream, whole }, { status: reply.status, ...known, outcome });
  } catch (thrown) {
    const error = journey.routed(asClawError(thrown));
    recollection?.failed(error);
    if (stream?.fail(error) !== true && whole?.fail() !== true) sendError(visit, error);
    logSettled({ visit, log, journey, stream, whole }, { ...known, status: error.status, error });
  } finally {
    stream?.close();
    whole?.close();
    recollection?.over();
    held?.release();
  }
}

interface Served {
  readonly visit: Visit;
  readonly log: Log;
  readonly journey: Journey;
  readonly stream: ClientStream | undefined;
  readonly whole: WholeReply | undefined;
}

/** No prompt, no header value: what was asked for, what came of it, where it ran and what it waited for. */
function logSettled({ visit, log, journey, stream, whole }: Served, settled: Settled): void {
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
    heldMs: stream?.heldMs ?? whole?.heldMs,
    ttfbMs,
    firstEventMs: stream?.firstEventMs,
    bytes: outcome?.bytes,
    finish: complete?.finish,
    usage: complete?.usage,
    route: journey.route,
    attempts: journey.attempts,
    leftOut: journey.leftOut,
    code: failure?.code,
    reason: failure?.message,
  };
  // A client that leaves, or asks for what is not there, is no fault of this node.
  if (failure?.code === 'internal') log.error({ ...fields, err: failure.cause ?? failure }, 'call settled');
  else if (status >= 500) log.warn(fields, 'call settled');
  else log.info(fields, 'call settled');
}
