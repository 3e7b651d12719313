/** An upstream that plays a script, and the call that reaches it: what the dialects' tests share. */
import { SSE_EVENT_BYTES_MAX } from '../../src/core/limits.ts';
import type { Answer, Call, Dialect, Outcome, Reply } from '../../src/core/call.ts';
import type { Card } from '../../src/core/card.ts';
import { ClawError } from '../../src/core/errors.ts';
import { newCallId, nodeIdOf } from '../../src/core/ids.ts';
import type { DialectTools } from '../../src/dialect/shape.ts';
import { checkStream } from '../support/checked-streams.ts';

/** Ids that count up and a time that stands still: golden files stay the same. */
export function countingTools(note: DialectTools['note'] = () => {}): DialectTools {
  let count = 0;
  return {
    eventBytesMax: SSE_EVENT_BYTES_MAX,
    randomId: (prefix) => `${prefix}${String(++count).padStart(4, '0')}`,
    wall: () => 1_760_000_000_000,
    note,
  };
}

/** Of a model that is answered in this dialect. */
export function cardOf(dialect: Dialect, provider = 'scripted'): Pick<Card, 'dialect' | 'provider'> {
  return { dialect, provider };
}

/** What every error of a translation ends with. */
export const AT = ' (provider scripted, model upstream-model)';

export function aCall(dialect: Dialect, body: unknown, stream = true): Call {
  return {
    id: newCallId(),
    origin: nodeIdOf(new Uint8Array(32)),
    dialect,
    model: { id: 'upstream-model' },
    stream,
    headers: {},
    body: bytesOf(body),
    report: () => {},
  };
}

function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

export interface Script {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly chunks: readonly (string | Uint8Array)[];
  /** Thrown behind the last chunk. */
  readonly fault?: ClawError;
}

export class ScriptedUpstream {
  readonly calls: Call[] = [];
  /** How often a body was left before its end. */
  left = 0;
  readonly #script: Script;

  constructor(script: Script) {
    this.#script = script;
  }

  readonly answer: Answer = async (call): Promise<Reply> => {
    this.calls.push(call);
    const { status = 200, headers = {}, chunks, fault } = this.#script;
    let settle: (outcome: Outcome) => void = () => {};
    const ended = new Promise<Outcome>((resolve) => {
      settle = resolve;
    });
    const upstream = this;
    async function* body() {
      let bytes = 0;
      let isOver = false;
      try {
        for (const chunk of chunks) {
          const data = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
          bytes += data.length;
          yield data;
        }
        isOver = true;
        if (fault !== undefined) {
          settle({ kind: 'failed', bytes, error: fault });
          throw fault;
        }
        settle({ kind: 'complete', bytes });
      } finally {
        if (!isOver) upstream.left++;
        settle({ kind: 'cancelled', bytes });
      }
    }
    return { status, headers, body: body(), ended };
  };

  /** The body of the last call. */
  get request(): Record<string, unknown> {
    const call = this.calls.at(-1);
    if (call === undefined) throw new Error('the upstream was not called');
    return JSON.parse(Buffer.from(call.body).toString());
  }
}

/** All of a body as text, and the error that ended it, if one did. A stream must keep the rules of its API. */
export async function drained(reply: Reply): Promise<{ text: string; error: ClawError | undefined }> {
  let text = '';
  let error: ClawError | undefined;
  try {
    for await (const chunk of reply.body) text += Buffer.from(chunk).toString();
  } catch (thrown) {
    if (!(thrown instanceof ClawError)) throw thrown;
    error = thrown;
  }
  if (reply.headers['content-type']?.startsWith('text/event-stream') === true)
    checkStream(text, error === undefined);
  return { text, error };
}
