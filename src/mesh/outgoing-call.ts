/** One call that this node opened, from `model_req` to its end. The entry's half of PROTOCOL.md §5. */
import { CALL_HEADERS, type Call, type Outcome, REPLY_HEADERS, type Reply } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import { CARRIED_HEADER_CHARS_MAX, HELD_BYTES_MAX, PIECE_BYTES } from '../core/limits.ts';
import type { Budget } from '../lib/budget.ts';
import { ByteQueue } from '../lib/byte-queue.ts';
import { onAbort, type StopSignal } from '../lib/signals.ts';
import type { CallFrame, EndHead, ResponseHead } from '../protocol/frame.ts';
import { carriedHeaders, operationHeadOf } from './carried.ts';
import type { Channel } from './channel.ts';
import { Allowance, Grant } from './credit.ts';
import { Held } from './held.ts';
import { OwnerGuard } from './owner-guard.ts';
import { errorOfReset, resetHeadOf } from './reset.ts';
import { standingOf } from './standing.ts';

export interface OutgoingParts {
  readonly number: number;
  readonly call: Call;
  readonly provider: string;
  readonly channel: Channel;
  readonly signal: StopSignal;
  /** The first window that this node's own `ready` promised. */
  readonly window: number;
  readonly budgets: readonly Budget[];
  /** The other node, for error messages. */
  readonly peerName: string;
  /** The number is free again. */
  readonly onGone: () => void;
}

type State =
  | {
      readonly kind: 'opening';
      readonly resolve: (reply: Reply) => void;
      readonly reject: (error: ClawError) => void;
    }
  | { readonly kind: 'streaming'; readonly queue: ByteQueue; settle: (outcome: Outcome) => void }
  | { readonly kind: 'gone' };

/** A frame that is less than this part of its record is copied: a view would keep the whole record alive. */
const PINNED_PART = 16;

export class OutgoingCall {
  readonly reply: Promise<Reply>;
  readonly #parts: OutgoingParts;
  readonly #grant: Grant;
  readonly #allowance: Allowance;
  readonly #guard = new OwnerGuard();
  /** The signal has not aborted yet when a call is made: whoever makes it looks first. */
  readonly #unlink: () => void;
  #state: State = { kind: 'gone' };
  /** Pieces of an event that is not whole yet; counted as consumed already. */
  readonly #held = new Held();
  /** Bytes in the queue that were counted as consumed when they were held. */
  #countedBytes = 0;

  constructor(parts: OutgoingParts) {
    this.#parts = parts;
    this.#grant = new Grant(parts.window, parts.budgets);
    // The body is here already: however far the owner's credit goes, it costs nothing.
    this.#allowance = new Allowance(parts.channel.window, Number.POSITIVE_INFINITY);
    this.reply = new Promise((resolve, reject) => {
      this.#state = { kind: 'opening', resolve, reject };
    });
    this.#open();
    this.#unlink = onAbort(parts.signal, (reason) => this.#cancel(reason));
  }

  /** A frame of the owner for this call; one of the entry's own kinds is a breach. */
  frame(frame: CallFrame): void {
    this.#guard.heard();
    switch (frame.type) {
      case 'model_ack':
        return this.#parts.call.report({ kind: 'accepted' });
      case 'model_progress':
        return this.#parts.call.report(standingOf(frame.head));
      case 'model_res':
        return this.#start(frame.head);
      case 'model_stream':
        return this.#receive(frame.bytes, frame.more);
      case 'model_end':
        return this.#end(frame.head);
      case 'model_reset':
        return this.#fail(errorOfReset(frame.head));
      case 'model_credit':
        this.#allowance.raise(frame.offset);
        return this.#sendBody();
      default:
        return this.#parts.channel.breach(`${frame.type} from the owner of call ${frame.number}`);
    }
  }

  /** Called every `GUARD_LOOK_MS`: an owner that does not take the call, or falls silent in it, is given up. */
  look(): void {
    const fault = this.#guard.look();
    if (fault !== undefined)
      this.#abort(new ClawError('owner_silent', `node ${this.#parts.peerName} ${fault}`));
  }

  /** The way to the owner is gone. */
  lost(reason: string): void {
    const { peerName } = this.#parts;
    this.#fail(
      new ClawError(
        'peer_lost',
        `the link to node ${peerName} was lost (${reason}) before the reply was whole`,
      ),
    );
  }

  #open(): void {
    const { number, call, provider, channel } = this.#parts;
    const { id, dialect, stream, session, body, model, operation, others } = call;
    const headers = carriedHeaders(call.headers, CALL_HEADERS);
    const head = { id, model: model.id, provider, dialect, stream, headers, bytes: body.length };
    const grouped =
      session === undefined ? head : { ...head, session: session.slice(0, CARRIED_HEADER_CHARS_MAX) };
    const told = others === undefined ? grouped : { ...grouped, others };
    const whole = operation === undefined ? told : { ...told, operation: operationHeadOf(operation) };
    channel.send({ type: 'model_req', number, head: whole });
    this.#sendBody();
  }

  #sendBody(): void {
    const { call, channel, number } = this.#parts;
    while (this.#state.kind !== 'gone') {
      const at = this.#allowance.sentBytes;
      const bytes = Math.min(PIECE_BYTES, this.#allowance.roomBytes, call.body.length - at);
      if (bytes <= 0) return;
      channel.send({ type: 'model_body', number, bytes: call.body.subarray(at, at + bytes) });
      this.#allowance.sent(bytes);
    }
  }

  #start({ status, headers }: ResponseHead): void {
    if (this.#state.kind !== 'opening') return this.#parts.channel.breach('a second model_res');
    const { resolve } = this.#state;
    const queue = new ByteQueue({ onTaken: (bytes) => this.#taken(bytes), onLeft: () => this.#left() });
    const ended = new Promise<Outcome>((settle) => {
      this.#state = { kind: 'streaming', queue, settle };
    });
    resolve({ status, headers: carriedHeaders(headers, REPLY_HEADERS), body: queue, ended });
  }

  #receive(bytes: Uint8Array, more: boolean): void {
    const state = this.#state;
    if (state.kind !== 'streaming') return this.#parts.channel.breach('model_stream before model_res');
    if (!this.#grant.receive(bytes.length)) {
      this.#abort(this.#brokenBy('sent more than it had credit for'));
      return this.#parts.channel.strike('reply beyond its credit');
    }
    if (!more && this.#held.bytes === 0) {
      const pinned = bytes.length * PINNED_PART < bytes.buffer.byteLength;
      return state.queue.push(pinned ? new Uint8Array(bytes) : bytes);
    }
    this.#held.add(bytes);
    if (this.#held.bytes > HELD_BYTES_MAX) {
      const message = `an event of more than ${HELD_BYTES_MAX} bytes came from node ${this.#parts.peerName}`;
      return this.#abort(new ClawError('stream_buffer_exceeded', message));
    }
    if (more) {
      this.#countedBytes += bytes.length;
      return this.#consume(bytes.length);
    }
    state.queue.push(this.#held.take());
  }

  #taken(bytes: number): void {
    const counted = Math.min(bytes, this.#countedBytes);
    this.#countedBytes -= counted;
    this.#consume(bytes - counted);
  }

  #consume(bytes: number): void {
    const offset = this.#state.kind === 'streaming' ? this.#grant.consume(bytes) : undefined;
    if (offset === undefined) return;
    this.#parts.channel.send({ type: 'model_credit', number: this.#parts.number, offset });
  }

  #end(head: EndHead): void {
    const state = this.#state;
    if (state.kind !== 'streaming') return this.#parts.channel.breach('model_end before model_res');
    const bytes = this.#grant.receivedBytes;
    if (head.bytes !== bytes || this.#held.bytes > 0) {
      return this.#fail(this.#brokenBy(`ended its reply after ${head.bytes} bytes, of which ${bytes} came`));
    }
    this.#leave();
    state.queue.end();
    state.settle({
      kind: 'complete',
      bytes,
      ...(head.finish === undefined ? {} : { finish: head.finish }),
      ...(head.usage === undefined ? {} : { usage: head.usage }),
    });
  }

  #brokenBy(what: string): ClawError {
    return new ClawError('peer_protocol', `node ${this.#parts.peerName} ${what}`);
  }

  /** The client's side is over: the owner need not go on. */
  #cancel(reason: unknown): void {
    this.#abort(ClawError.from(reason, 'cancelled', 'the client left'));
  }

  #left(): void {
    this.#abort(new ClawError('cancelled', 'the client left'));
  }

  #abort(error: ClawError): void {
    if (this.#state.kind === 'gone') return;
    const { channel, number } = this.#parts;
    channel.forget(number);
    channel.send({ type: 'model_reset', number, head: resetHeadOf(error) });
    this.#fail(error);
  }

  #fail(error: ClawError): void {
    const state = this.#state;
    if (state.kind === 'gone') return;
    this.#leave();
    if (state.kind === 'opening') return state.reject(error);
    const bytes = this.#grant.receivedBytes;
    state.queue.fail(error);
    state.settle(
      error.code === 'cancelled' ? { kind: 'cancelled', bytes } : { kind: 'failed', bytes, error },
    );
  }

  #leave(): void {
    this.#state = { kind: 'gone' };
    this.#grant.close();
    this.#held.take();
    this.#unlink();
    this.#parts.onGone();
  }
}
