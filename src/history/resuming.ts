/** A call that its upstream was to go on with, and that upstream knows nothing of it: it goes out once more, written out. */
import type { Answer, Call, Reply } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import type { CallId } from '../core/ids.ts';
import { errorOfRefusal } from '../core/refusal.ts';
import { changed } from '../lib/changed.ts';
import type { StopSignal } from '../lib/signals.ts';

/** `newId`: an owner runs no call of an id that it has had. */
export function resuming(answer: Answer, newId: () => CallId): Answer {
  return (call, signal) => {
    const { writtenOut, operation } = call;
    return writtenOut === undefined || operation !== undefined
      ? answer(call, signal)
      : resumedAnswer(answer, { call, writtenOut, newId }, signal);
  };
}

interface Resuming {
  readonly call: Call;
  readonly writtenOut: () => Call;
  readonly newId: () => CallId;
}

async function resumedAnswer(
  answer: Answer,
  { call, writtenOut, newId }: Resuming,
  signal: StopSignal,
): Promise<Reply> {
  let reply: Reply;
  try {
    reply = await answer(call, signal);
  } catch (thrown) {
    // It went away between the look at it and the call.
    if (thrown instanceof ClawError && thrown.code === 'no_owner')
      return answer(anew(writtenOut, newId(), thrown), signal);
    throw thrown;
  }
  if (reply.status !== 400 && reply.status !== 404) return reply;
  const refusal = await errorOfRefusal(reply);
  if (!isOfReference(refusal)) throw refusal;
  return answer(anew(writtenOut, newId(), refusal), signal);
}

/** Throws the refusal where too little is kept here to do better. */
function anew(writtenOut: () => Call, id: CallId, refusal: ClawError): Call {
  try {
    return changed(writtenOut(), { id });
  } catch {
    throw refusal;
  }
}

/** Each server has its own words for it; OpenAI's and vLLM's are among these. */
function isOfReference({ status, param, upstream, message }: ClawError): boolean {
  if (param === 'previous_response_id' || upstream.code === 'previous_response_not_found') return true;
  return /previous.?response|(response|item)\b.{0,160}\bnot (be )?found|unsupported.{0,40}item_reference/is.test(
    message,
  )
    ? true
    : status === 404 && /\b(resp|msg|rs|fc)_/.test(message);
}
