/** A node as far as calls go: an exchange with one other node, its links and an owner that a test scripts. */
import type { Answer, Call, Progress, Reply } from '../../src/core/call.ts';
import type { Card } from '../../src/core/card.ts';
import { ClawError } from '../../src/core/errors.ts';
import { type NodeId, newCallId } from '../../src/core/ids.ts';
import { CALLS_MAX, PROCESS_BUFFER_BYTES_MAX } from '../../src/core/limits.ts';
import { Budget } from '../../src/lib/budget.ts';
import type { Socket } from '../../src/lib/socket.ts';
import { Exchange } from '../../src/mesh/exchange.ts';
import type { Identity } from '../../src/mesh/identity.ts';
import { Link } from '../../src/mesh/link.ts';
import { FEATURE } from '../../src/protocol/frame.ts';
import type { FakeClock } from './fake-clock.ts';
import { first } from './identities.ts';
import { HELLO, handshakeOf } from './recorded-link.ts';
import { ScriptedOwner } from './scripted-answer.ts';

const CARD: Card = { id: 'Qwen/Qwen3-8B', provider: 'ollama', dialect: 'chat' };

export class ExchangeNode {
  readonly owner = new ScriptedOwner();
  readonly buffers: Budget;
  readonly slots: Budget;
  readonly exchange: Exchange;
  readonly #clock: FakeClock;
  readonly #identity: Identity;
  #link: Link | undefined;
  closeCode: number | undefined;
  /** What it says that it can do. */
  features: readonly string[] = Object.values(FEATURE);
  /** What the node refuses calls with, while it is set. */
  closedFor: ClawError | undefined;

  constructor(
    clock: FakeClock,
    identity: Identity,
    peer: NodeId,
    most: { bytes?: number; calls?: number; answer?: Answer } = {},
  ) {
    this.#clock = clock;
    this.#identity = identity;
    this.buffers = new Budget(most.bytes ?? PROCESS_BUFFER_BYTES_MAX);
    this.slots = new Budget(most.calls ?? CALLS_MAX);
    this.exchange = new Exchange({
      self: identity.id,
      peer,
      clock,
      answer: most.answer ?? this.owner.answer,
      buffers: this.buffers,
      slots: this.slots,
      peerName: () => 'bravo',
      closedFor: () => this.closedFor,
    });
  }

  get isLinked(): boolean {
    return this.#link !== undefined && this.closeCode === undefined;
  }

  get link(): Link {
    if (this.#link === undefined) throw new Error('not linked');
    return this.#link;
  }

  get answer(): Answer {
    return this.exchange.answer(CARD);
  }

  join(socket: Socket, role: 'initiator' | 'responder'): void {
    new Link({
      socket,
      clock: this.#clock,
      handshake: handshakeOf(role, this.#identity),
      hello: { ...HELLO, features: [...this.features] },
      events: {
        ready: (link) => {
          this.#link = link;
          this.closeCode = undefined;
          this.exchange.attach(link);
        },
        frame: (link, frame) => {
          if (link === this.#link && 'number' in frame) this.exchange.frame(frame);
        },
        closed: (link, { code, reason }) => {
          if (link !== this.#link) return;
          this.closeCode = code;
          this.exchange.detach(reason);
        },
      },
    });
  }

  /** What is taken and not given back. */
  get held(): { readonly bytes: number; readonly slots: number; readonly calls: number } {
    const { entry, owner } = this.exchange.openCalls;
    return { bytes: this.buffers.usedBytes, slots: this.slots.usedBytes, calls: entry + owner };
  }
}

export interface MadeCall {
  readonly call: Call;
  readonly progress: Progress[];
}

export function makeCall(more: Partial<Call> = {}): MadeCall {
  const progress: Progress[] = [];
  const call: Call = {
    id: newCallId(),
    origin: first.id,
    dialect: 'chat',
    model: { id: CARD.id, provider: CARD.provider },
    stream: true,
    headers: {},
    body: Buffer.from('{"model":"Qwen/Qwen3-8B"}'),
    report: (one) => progress.push(one),
    ...more,
  };
  return { call, progress };
}

/** What a client got: the chunks of the body, and how it ended. */
export interface Got {
  reply: Reply | undefined;
  readonly chunks: Uint8Array[];
  end: 'open' | 'whole' | ClawError;
}

export const bytesOf = ({ chunks }: Got): Buffer => Buffer.concat(chunks);
export const codeOf = ({ end }: Got): string => (end instanceof ClawError ? end.code : end);

/** Asks, and reads the reply as it comes; with `read: false` the reply is left alone. */
export function ask(answer: Answer, call: Call, signal: AbortSignal, { read = true } = {}): Got {
  const got: Got = { reply: undefined, chunks: [], end: 'open' };
  const run = async () => {
    got.reply = await answer(call, signal);
    if (read) await readOn(got);
  };
  run().catch((error: unknown) => {
    got.end = ClawError.from(error, 'internal', 'not an error of the house');
  });
  return got;
}

export async function readOn(got: Got): Promise<void> {
  try {
    for await (const chunk of got.reply?.body ?? []) got.chunks.push(chunk);
    got.end = 'whole';
  } catch (error) {
    got.end = ClawError.from(error, 'internal', 'not an error of the house');
  }
}
