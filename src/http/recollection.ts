/** One call at the edge and the history of responses: what it goes on from, and what of its answer is kept. */
import type { Call, Reply } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import type { ResponseHistory, ResumedCall, Told } from '../core/history.ts';
import { JSON_REPLY_BYTES_MAX } from '../core/limits.ts';
import type { Budget } from '../lib/budget.ts';
import { changed } from '../lib/changed.ts';
import type { ClientStream } from './client-stream.ts';
import type { Journey } from './journey.ts';
import { type HeldBody, heldBytes } from './read-body.ts';
import type { AskedCall } from './read-call.ts';
import type { Visit } from './visit.ts';

export interface RecollectionParts {
  readonly history: ResponseHistory;
  readonly budget: Budget;
}

export class Recollection {
  readonly #resumed: ResumedCall;
  readonly #journey: Journey;
  /** What is written out takes its room beside what the client sent. */
  readonly #held: HeldBody | undefined;
  #body: Uint8Array[] = [];

  /** Throws where the client refers to what is not known, or to more than there is room for. */
  constructor({ history, budget }: RecollectionParts, { call, json }: AskedCall, journey: Journey) {
    this.#resumed = history.open(call, json);
    this.#journey = journey;
    const { body } = this.#resumed.call;
    this.#held = body === call.body ? undefined : heldBytes(body, budget);
  }

  /** The call as its upstream can answer it. */
  get call(): Call {
    return this.#resumed.call;
  }

  runs(stream: ClientStream, { cut }: Visit): void {
    this.#resumed.runs({
      begun: () => stream.firstEvents,
      told: () => toldBy(stream),
      home: () => this.#journey.home,
      cut: () => cut.abort(new ClawError('cancelled', 'the response was cancelled')),
    });
  }

  /** The reply, of which a copy is held by reference where it is a whole one that will be kept. */
  noting(reply: Reply): Reply {
    const { keeps, call } = this.#resumed;
    if (!keeps || call.stream || call.operation !== undefined || reply.status >= 400) return reply;
    return changed(reply, { body: this.#noted(reply.body) });
  }

  /** The reply has ended well. */
  ended({ status }: Reply, stream: ClientStream | undefined): void {
    if (status >= 400)
      return this.failed(new ClawError('upstream_error', `it ended with ${status}`, { status }));
    if (this.#resumed.call.operation !== undefined) return;
    this.#resumed.keep(this.#journey.home, stream === undefined ? { bytes: this.#body } : toldBy(stream));
  }

  failed(error: ClawError): void {
    this.#resumed.failed(error);
  }

  over(): void {
    this.#held?.release();
    this.#resumed.over();
  }

  async *#noted(body: Reply['body']): AsyncGenerator<Uint8Array, void> {
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes <= JSON_REPLY_BYTES_MAX) this.#body.push(chunk);
      else this.#body = [];
      yield chunk;
    }
  }
}

function toldBy(stream: ClientStream): Told {
  const { ids, lastEvents: bytes } = stream;
  return ids?.theirs === undefined ? { bytes } : { bytes, upstreamId: ids.theirs };
}
