/** An upstream's refusal told again in the one form of error that all clients read: what it said, where, and the mend. */
import { z } from 'zod';
import type { Reply } from '../core/call.ts';
import { type ErrorBody, errorType } from '../core/errors.ts';
import { ERROR_WORD_CHARS_MAX } from '../core/limits.ts';
import type { HubFailure } from '../dialect/hub.ts';
import { ByteQueue } from '../lib/byte-queue.ts';
import { bodyInWords, carriedHeaders, foreignCoding, type HttpHead, mediaType } from './head.ts';
import type { Place } from './place.ts';
import { toldFailure } from './told-failure.ts';

const Word = z.union([z.string(), z.number()]).transform(String).nullish().catch(undefined);
const Detail = z.object({ message: z.string(), type: Word, param: Word, code: Word });
/** OpenAI's own form, its variants (`{"error":"text"}`, an old vLLM's flat one) and FastAPI's. */
const Said = z.union([
  z.object({ error: Detail }).transform(({ error }) => error),
  z.object({ error: z.string() }).transform(({ error }) => ({ message: error })),
  Detail,
  z.object({ detail: z.string() }).transform(({ detail }) => ({ message: detail })),
]);
type Said = Partial<z.infer<typeof Detail>>;

/** The reply for a status of 400 and above. `text` may be cut short. */
export function refusalReply(head: HttpHead, text: string, place: Place): Reply {
  const body = Buffer.from(JSON.stringify(refusal(head, text, place)));
  const headers = { ...carriedHeaders(head), 'content-type': 'application/json' };
  return { status: head.status, headers, ...wholeBody(body) };
}

/** The same for what an upstream says with a status of success: the status is the one that its own words come to. */
export function failureReply(head: HttpHead, failure: HubFailure, place: Place): Reply {
  const error = toldFailure(failure, place, `the upstream answered ${head.status} with an error`);
  const body = Buffer.from(JSON.stringify(error.body()));
  return {
    status: error.status,
    headers: { ...carriedHeaders(head), 'content-type': 'application/json' },
    ...wholeBody(body),
  };
}

export function refusal(head: HttpHead, text: string, place: Place): ErrorBody {
  const { status } = head;
  const said = readSaid(head, text);
  const word = (value: string | null | undefined) =>
    value === null || value === undefined ? null : place.quote(value, ERROR_WORD_CHARS_MAX);
  const message = said.message === undefined ? inWords(head, text) : place.quote(said.message);
  const advice = place.advice(status, message);
  return {
    error: {
      message: place.say(
        `the upstream answered ${status}: ${message}${advice === undefined ? '' : `; ${advice}`}`,
      ),
      type: word(said.type) ?? errorType(status),
      param: word(said.param),
      code: word(said.code),
    },
  };
}

function readSaid(head: HttpHead, text: string): Said {
  if (foreignCoding(head) !== undefined) return {};
  try {
    const said = Said.safeParse(JSON.parse(text));
    if (said.success) return said.data;
  } catch {
    // Not JSON: a plain sentence is as good.
  }
  const plain = mediaType(head) === 'text/plain' && text.trim() !== '';
  return plain ? { message: text } : {};
}

function inWords(head: HttpHead, text: string): string {
  const coding = foreignCoding(head);
  if (coding !== undefined) return `HTTP ${head.status} with a body coded as ${coding.slice(0, 32)}`;
  if (text.trim() === '') return `HTTP ${head.status} with an empty body`;
  return `HTTP ${head.status} with ${bodyInWords(head)}`;
}

/** A small body that is there already, with the promise of how it ended. */
function wholeBody(body: Uint8Array): Pick<Reply, 'body' | 'ended'> {
  let settle: (how: 'complete' | 'cancelled') => void = () => {};
  const ended = new Promise<'complete' | 'cancelled'>((resolve) => {
    settle = resolve;
  }).then((kind) => ({ kind, bytes: kind === 'complete' ? body.length : 0 }));
  const queue = new ByteQueue({ onTaken: () => settle('complete'), onLeft: () => settle('cancelled') });
  queue.push(body);
  queue.end();
  return { body: queue, ended };
}
