/** One call that the other node opened here, from `model_req` until its upstream has stopped. The owner's half. */
import type { Answer, Call, Reply } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import {
  BUSY_RETRY_SECONDS,
  HTTP_REQUEST_MS,
  PIECE_BYTES,
  PROGRESS_MS,
  WINDOW_BYTES_MAX,
} from '../core/limits.ts';
import type { Budget } from '../lib/budget.ts';
import { Stop } from '../lib/signals.ts';
import type { CallFrame, RequestHead, ResetHead, ResponseHead } from '../protocol/frame.ts';
import { carriedCall, endHeadOf, responseHeadOf } from './carried.ts';
import type { Channel } from './channel.ts';
import { Allowance } from './credit.ts';
import { errorOfReset, resetHeadOf } from './reset.ts';
import { OwnStanding } from './standing.ts';

/** How often the exchange lets each of its calls look at itself. Two looks make `PROGRESS_MS`. */
export const LOOK_MS = PROGRESS_MS / 2;
const LOOKS_WITHOUT_BODY_MAX = HTTP_REQUEST_MS / LOOK_MS;

export interface IncomingParts {
  readonly number: number;
  readonly head: RequestHead;
  readonly channel: Channel;
  /** This node's own upstreams and nothing else: a call is never sent on. */
  readonly answer: Answer;
  /** The window that this node's own `ready` promised. */
  readonly window: number;
  readonly buffers: Budget;
  /** The upstream has stopped and the slot is free. */
  readonly onGone: () => void;
}

type State =
  | { readonly kind: 'receiving'; body: Buffer | undefined; received: number; looks: number }
  /** The upstream is asked; its reply is not there yet. */
  | { readonly kind: 'starting' }
  | { readonly kind: 'streaming'; credit: (() => void) | undefined }
  /** The entry wants no more; the slot is held until the upstream has really stopped. */
  | { readonly kind: 'stopping' }
  | { readonly kind: 'gone' };

export class IncomingCall {
  readonly #parts: IncomingParts;
  readonly #allowance: Allowance;
  readonly #abort = new Stop();
  #state: State = { kind: 'receiving', body: undefined, received: 0, looks: 0 };
  #reservedBytes = 0;
  /** What the entry has heard: nothing yet; something since the last look; nothing since the last look. */
  #voice: 'unheard' | 'spoke' | 'quiet' = 'unheard';
  readonly #standing = new OwnStanding();

  constructor(parts: IncomingParts) {
    this.#parts = parts;
    this.#allowance = new Allowance(parts.channel.window, WINDOW_BYTES_MAX);
  }

  /** Takes the call, or refuses it where its body does not fit. */
  open(): 'taken' | 'refused' {
    const { head, buffers, number, window } = this.#parts;
    if (head.bytes <= window) return 'taken';
    if (!buffers.take(head.bytes)) {
      const message = `no room for a request of ${head.bytes} bytes at present`;
      this.#refuse(new ClawError('busy', message, { retryAfterSeconds: BUSY_RETRY_SECONDS }));
      return 'refused';
    }
    this.#reservedBytes = head.bytes;
    this.acknowledge();
    this.#say({ type: 'model_credit', number, offset: head.bytes });
    return 'taken';
  }

  /** Says that the call is taken, where nothing else has said so. */
  acknowledge(): void {
    const { kind } = this.#state;
    if (kind === 'stopping' || kind === 'gone') return;
    if (this.#voice === 'unheard') this.#say({ type: 'model_ack', number: this.#parts.number });
  }

  /** A frame of the entry for this call; one of the owner's own kinds is a breach. */
  frame(frame: CallFrame): void {
    switch (frame.type) {
      case 'model_body':
        return this.#receive(frame.bytes);
      case 'model_credit':
        return this.#raise(frame.offset);
      case 'model_reset':
        return this.stop(errorOfReset(frame.head));
      default:
        return this.#parts.channel.breach(`${frame.type} from the entry of call ${frame.number}`);
    }
  }

  /** Stops the upstream; nothing more is said to the entry. */
  stop(reason: ClawError): void {
    const { kind } = this.#state;
    if (kind === 'stopping' || kind === 'gone') return;
    this.#parts.channel.forget(this.#parts.number);
    const credit = this.#state.kind === 'streaming' ? this.#state.credit : undefined;
    if (kind === 'receiving') return this.#leave();
    this.#state = { kind: 'stopping' };
    this.#abort.abort(reason);
    credit?.();
  }

  /** Called every `LOOK_MS`: a waiting entry hears of this call at least every `PROGRESS_MS`, and of what is new. */
  look(): void {
    if (this.#state.kind === 'receiving' && ++this.#state.looks > LOOKS_WITHOUT_BODY_MAX) {
      return this.#refuse(new ClawError('request_timeout', 'the request body stopped coming'));
    }
    if (this.#state.kind === 'stopping' || this.#state.kind === 'gone') return;
    if (this.#voice === 'quiet' || this.#standing.isNew)
      this.#say({ type: 'model_progress', number: this.#parts.number, head: this.#standing.tell() });
    if (this.#voice === 'spoke') this.#voice = 'quiet';
  }

  #receive(bytes: Uint8Array): void {
    const state = this.#state;
    // After the call was stopped the rest of its body may still be under way.
    if (state.kind === 'stopping' || state.kind === 'gone') return;
    const { head } = this.#parts;
    if (state.kind !== 'receiving' || state.received + bytes.length > head.bytes) {
      return this.#strike(`the body is longer than the ${head.bytes} bytes announced`);
    }
    state.looks = 0;
    if (bytes.length === head.bytes) return this.#start(bytes);
    // Pieces are copied as they come: kept as views, small ones would cost a record each.
    state.body ??= Buffer.allocUnsafe(head.bytes);
    state.body.set(bytes, state.received);
    state.received += bytes.length;
    if (state.received === head.bytes) this.#start(state.body);
  }

  #raise(offset: number): void {
    // An entry lets at most a window be under way: one that allows more would have this node queue the reply for it.
    if (!this.#allowance.raise(offset))
      return this.#strike('credit is ahead of the reply by more than a window');
    if (this.#state.kind === 'streaming') this.#state.credit?.();
  }

  #start(body: Uint8Array): void {
    this.#state = { kind: 'starting' };
    const { head, channel } = this.#parts;
    const call = carriedCall(head, channel.peer, body, this.#standing.note);
    this.#run(call).then(
      () => this.#leave(),
      (error: unknown) => this.#failed(ClawError.from(error, 'internal', 'the owner failed to answer')),
    );
  }

  async #run(call: Call): Promise<void> {
    const reply = await this.#parts.answer(call, this.#abort);
    const events = call.stream && reply.status < 400;
    try {
      if (this.#state.kind === 'starting') this.#respond(responseHeadOf(reply));
    } catch (error) {
      await reply.body[Symbol.asyncIterator]().return?.();
      throw error;
    }
    for await (const chunk of reply.body) {
      for (let at = 0; at < chunk.length;) {
        // Leaving the loop leaves the body, which is what stops the upstream.
        if (this.#state.kind !== 'streaming') return;
        if (this.#allowance.roomBytes <= 0) await this.#credit(this.#state);
        else at = this.#sendPiece(chunk, at, events);
      }
    }
    await this.#finish(reply);
  }

  #respond(head: ResponseHead): void {
    this.#state = { kind: 'streaming', credit: undefined };
    this.#say({ type: 'model_res', number: this.#parts.number, head });
  }

  #sendPiece(chunk: Uint8Array, at: number, events: boolean): number {
    const bytes = Math.min(PIECE_BYTES, this.#allowance.roomBytes, chunk.length - at);
    const next = at + bytes;
    const piece = next === bytes && next === chunk.length ? chunk : chunk.subarray(at, next);
    const { number } = this.#parts;
    this.#say({ type: 'model_stream', number, bytes: piece, more: events && next < chunk.length });
    this.#allowance.sent(bytes);
    return next;
  }

  #credit(state: Extract<State, { kind: 'streaming' }>): Promise<void> {
    return new Promise((resolve) => {
      state.credit = () => {
        state.credit = undefined;
        resolve();
      };
    });
  }

  async #finish(reply: Reply): Promise<void> {
    const outcome = await reply.ended;
    if (this.#state.kind !== 'streaming') return;
    if (outcome.kind !== 'complete') throw new ClawError('internal', 'a reply ended that was not whole');
    const head = endHeadOf(this.#allowance.sentBytes, outcome);
    this.#say({ type: 'model_end', number: this.#parts.number, head });
  }

  #failed(error: ClawError): void {
    if (this.#state.kind === 'starting' || this.#state.kind === 'streaming') this.#reset(resetHeadOf(error));
    this.#leave();
  }

  #refuse(error: ClawError): void {
    this.#reset(resetHeadOf(error));
    this.#leave();
  }

  /** The entry broke a rule: the call ends. Stopped first, which drops what it has waiting, the reset would be too. */
  #strike(what: string): void {
    this.#parts.channel.strike(what);
    if (this.#state.kind === 'stopping' || this.#state.kind === 'gone') return;
    const error = new ClawError('bad_request', what);
    this.stop(error);
    this.#reset(resetHeadOf(error));
  }

  #reset(head: ResetHead): void {
    const { number } = this.#parts;
    this.#say({ type: 'model_reset', number, head });
  }

  #say(frame: CallFrame): void {
    this.#voice = 'spoke';
    this.#parts.channel.send(frame);
  }

  #leave(): void {
    if (this.#state.kind === 'gone') return;
    this.#state = { kind: 'gone' };
    if (this.#reservedBytes > 0) this.#parts.buffers.give(this.#reservedBytes);
    this.#reservedBytes = 0;
    this.#parts.onGone();
  }
}
