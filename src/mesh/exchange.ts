/** All calls between this node and one other, both ways. Handed the channel that carries them; never makes one. */
import type { Answer } from '../core/call.ts';
import type { Card } from '../core/card.ts';
import { ClawError } from '../core/errors.ts';
import type { NodeId } from '../core/ids.ts';
import {
  ACK_MS,
  BUSY_RETRY_SECONDS,
  CALLS_PER_PEER_MAX,
  CHANNEL_CREDIT_BYTES_MAX,
  FIRST_WINDOW_BYTES,
  REQUEST_BODY_BYTES_MAX,
} from '../core/limits.ts';
import { Budget } from '../lib/budget.ts';
import { changed } from '../lib/changed.ts';
import type { Cancel, Clock } from '../lib/clock.ts';
import { type CallFrame, FEATURE, type RequestHead } from '../protocol/frame.ts';
import { operationOf } from './carried.ts';
import type { Channel } from './channel.ts';
import { IncomingCall, LOOK_MS } from './incoming-call.ts';
import { OutgoingCall } from './outgoing-call.ts';
import { GUARD_LOOK_MS } from './owner-guard.ts';
import { resetHeadOf } from './reset.ts';
import { SeenCalls } from './seen-calls.ts';

export interface ExchangeParts {
  readonly self: NodeId;
  readonly peer: NodeId;
  readonly clock: Clock;
  /** This node's own upstreams: what the other node may ask for. */
  readonly answer: Answer;
  /** Bytes that all calls of the process may hold beyond their first windows. */
  readonly buffers: Budget;
  /** Calls that may be open in the process. */
  readonly slots: Budget;
  /** The other node's name, for error messages. */
  readonly peerName: () => string;
  /** Why this node takes no calls at present; undefined while it does. */
  readonly closedFor: () => ClawError | undefined;
}

const NUMBERS_MAX = 2 ** 32 - 2;

export class Exchange {
  readonly #parts: ExchangeParts;
  readonly #seen: SeenCalls;
  readonly #outgoing = new Map<number, OutgoingCall>();
  readonly #incoming = new Map<number, IncomingCall>();
  /** Calls whose channel is gone and whose upstream has not stopped yet: their numbers may be given out again. */
  readonly #stopping = new Set<IncomingCall>();
  /** The smaller id numbers its calls odd, the other one even. */
  readonly #parity: 0 | 1;
  #lastNumber: number;
  #channel: { readonly at: Channel; readonly credit: Budget } | undefined;
  #looking: Cancel | undefined;
  #acknowledging: Cancel | undefined;
  #guarding: Cancel | undefined;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    this.#seen = new SeenCalls(parts.clock);
    this.#parity = parts.self < parts.peer ? 1 : 0;
    this.#lastNumber = this.#parity === 1 ? NUMBERS_MAX + 1 : NUMBERS_MAX;
  }

  get openCalls(): { readonly entry: number; readonly owner: number } {
    return { entry: this.#outgoing.size, owner: this.#incoming.size + this.#stopping.size };
  }

  /** From now on calls go over this channel; those on the one before are lost with it. */
  attach(channel: Channel): void {
    this.detach('replaced by another link');
    this.#channel = { at: channel, credit: new Budget(CHANNEL_CREDIT_BYTES_MAX) };
  }

  detach(reason: string): void {
    this.#channel = undefined;
    for (const call of [...this.#outgoing.values()]) call.lost(reason);
    const lost = new ClawError('peer_lost', `the link to the entry was lost (${reason})`);
    for (const call of this.#incoming.values()) this.#stopping.add(call);
    this.#incoming.clear();
    for (const call of [...this.#stopping]) call.stop(lost);
    this.#lookNoMore();
  }

  /** The `Answer` of one of the other node's models. */
  answer(card: Card): Answer {
    return async (call, signal) => {
      if (signal.aborted) throw ClawError.from(signal.reason, 'cancelled', 'the client left');
      const channel = this.#channel;
      const name = this.#parts.peerName();
      if (channel === undefined) throw new ClawError('no_owner', `node ${name} cannot be reached at present`);
      if (this.#outgoing.size >= CALLS_PER_PEER_MAX) {
        const message = `${CALLS_PER_PEER_MAX} calls to node ${name} are open already`;
        throw new ClawError('busy', message, { retryAfterSeconds: BUSY_RETRY_SECONDS });
      }
      if (call.body.length < 1 || call.body.length > REQUEST_BODY_BYTES_MAX) {
        const message = `a body of ${call.body.length} bytes cannot be sent to node ${name}`;
        throw new ClawError(call.body.length < 1 ? 'bad_request' : 'body_too_large', message);
      }
      // An older node would take it for a call of the model.
      if (call.operation !== undefined && !channel.at.features.includes(FEATURE.operations)) {
        const message = `node ${name} runs a version that cannot do "${call.operation.kind}": update it`;
        throw new ClawError('unsupported_operation', message);
      }
      const number = this.#nextNumber();
      const outgoing = new OutgoingCall({
        number,
        call: changed(call, { model: { id: card.id, provider: card.provider } }),
        provider: card.provider,
        channel: channel.at,
        signal,
        window: FIRST_WINDOW_BYTES,
        budgets: [channel.credit, this.#parts.buffers],
        peerName: name,
        onGone: () => this.#ended(number),
      });
      this.#outgoing.set(number, outgoing);
      this.#guarding ??= this.#parts.clock.every(GUARD_LOOK_MS, () => {
        for (const open of [...this.#outgoing.values()]) open.look();
      });
      return outgoing.reply;
    };
  }

  /** A frame of the other node about a call. One for a number that is not open was under way: it is ignored. */
  frame(frame: CallFrame): void {
    const own = (frame.number & 1) === this.#parity;
    if (frame.type === 'model_req') {
      if (own) return this.#channel?.at.breach('a call with a number of this node');
      return this.#open(frame.number, frame.head);
    }
    const call = own ? this.#outgoing.get(frame.number) : this.#incoming.get(frame.number);
    call?.frame(frame);
  }

  #open(number: number, head: RequestHead): void {
    const channel = this.#channel?.at;
    if (channel === undefined) return;
    if (this.#incoming.has(number)) return channel.breach('a call number that is in use');
    const refusal = this.#refusal(head);
    if (refusal !== undefined)
      return channel.send({ type: 'model_reset', number, head: resetHeadOf(refusal) });
    const call = new IncomingCall({
      number,
      head,
      channel,
      answer: this.#parts.answer,
      window: FIRST_WINDOW_BYTES,
      buffers: this.#parts.buffers,
      onGone: () => this.#closed(number, call),
    });
    this.#incoming.set(number, call);
    if (call.open() === 'refused') return this.#seen.forget(seenKey(head));
    this.#looking ??= this.#parts.clock.every(LOOK_MS, () => {
      for (const open of [...this.#incoming.values()]) open.look();
    });
    this.#acknowledging ??= this.#parts.clock.after(ACK_MS, () => {
      this.#acknowledging = undefined;
      for (const open of this.#incoming.values()) open.acknowledge();
    });
  }

  #refusal(head: RequestHead): ClawError | undefined {
    // Without it the call would be one of the model.
    if (head.operation !== undefined && operationOf(head.operation) === undefined)
      return new ClawError('unsupported_operation', `the owner knows no "${head.operation.kind}"`);
    const closed = this.#parts.closedFor();
    if (closed !== undefined) return closed;
    if (this.openCalls.owner >= CALLS_PER_PEER_MAX || !this.#parts.slots.take(1)) {
      const message = 'the owner has as many calls open as it takes';
      return new ClawError('busy', message, { retryAfterSeconds: BUSY_RETRY_SECONDS });
    }
    if (this.#seen.add(seenKey(head)) === 'new') return undefined;
    this.#parts.slots.give(1);
    return new ClawError('bad_request', `call ${head.id} was taken before: a call runs once`);
  }

  #ended(number: number): void {
    this.#outgoing.delete(number);
    if (this.#outgoing.size > 0) return;
    this.#guarding?.();
    this.#guarding = undefined;
  }

  #closed(number: number, call: IncomingCall): void {
    if (!this.#stopping.delete(call)) this.#incoming.delete(number);
    this.#parts.slots.give(1);
    if (this.#incoming.size === 0) this.#lookNoMore();
  }

  #lookNoMore(): void {
    this.#looking?.();
    this.#looking = undefined;
    this.#acknowledging?.();
    this.#acknowledging = undefined;
  }

  #nextNumber(): number {
    do {
      this.#lastNumber = this.#lastNumber + 2 > NUMBERS_MAX ? 2 - this.#parity : this.#lastNumber + 2;
    } while (this.#outgoing.has(this.#lastNumber));
    return this.#lastNumber;
  }
}

/** A call runs once at each upstream; the same call may well be tried at another of the same node. */
function seenKey({ id, provider, model }: RequestHead): string {
  return `${id}/${provider}/${model}`;
}
