/** An `Answer` that does what a test says, step by step, and keeps what it was asked. */
import type { Answer, Call, Headers, Outcome, Reply } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import { ByteQueue } from '../../src/lib/byte-queue.ts';
import type { StopSignal } from '../../src/lib/signals.ts';

type State =
  | { readonly kind: 'asked'; resolve(reply: Reply): void; reject(error: unknown): void }
  | { readonly kind: 'answered'; readonly queue: ByteQueue; settle(outcome: Outcome): void }
  | { readonly kind: 'over' };

export class ScriptedCall {
  readonly call: Call;
  readonly signal: StopSignal;
  /** Bytes of the reply that were pulled. */
  takenBytes = 0;
  left = false;
  #pushedBytes = 0;
  #state: State;

  constructor(call: Call, signal: StopSignal, on: Omit<Extract<State, { kind: 'asked' }>, 'kind'>) {
    this.call = call;
    this.signal = signal;
    this.#state = { kind: 'asked', ...on };
  }

  get over(): boolean {
    return this.#state.kind === 'over';
  }

  start(status = 200, headers: Headers = { 'content-type': 'text/event-stream' }): this {
    if (this.#state.kind !== 'asked') throw new Error('answered already');
    const { resolve } = this.#state;
    const queue = new ByteQueue({
      onTaken: (bytes) => {
        this.takenBytes += bytes;
      },
      onLeft: () => {
        this.left = true;
        this.#settle({ kind: 'cancelled', bytes: this.takenBytes });
      },
    });
    const ended = new Promise<Outcome>((settle) => {
      this.#state = { kind: 'answered', queue, settle };
    });
    resolve({ status, headers, body: queue, ended });
    return this;
  }

  push(bytes: Uint8Array | string): this {
    if (this.#state.kind !== 'answered') return this;
    const chunk = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
    this.#pushedBytes += chunk.length;
    this.#state.queue.push(chunk);
    return this;
  }

  end(more: Omit<Extract<Outcome, { kind: 'complete' }>, 'kind' | 'bytes'> = {}): void {
    if (this.#state.kind === 'answered') this.#state.queue.end();
    this.#settle({ kind: 'complete', bytes: this.#pushedBytes, ...more });
  }

  /** The body ends as if it were whole, and the outcome says that it was not. */
  endCut(outcome: Outcome): void {
    if (this.#state.kind === 'answered') this.#state.queue.end();
    this.#settle(outcome);
  }

  fail(error: unknown): void {
    const state = this.#state;
    const claw = ClawError.from(error, 'internal', 'scripted');
    if (state.kind === 'answered') state.queue.fail(claw);
    this.#settle({ kind: 'failed', bytes: this.#pushedBytes, error: claw });
    if (state.kind === 'asked') state.reject(error);
  }

  #settle(outcome: Outcome): void {
    const state = this.#state;
    this.#state = { kind: 'over' };
    if (state.kind === 'answered') state.settle(outcome);
  }
}

export class ScriptedOwner {
  readonly calls: ScriptedCall[] = [];
  /** Where set, an upstream does not stop when it is told to: it stops when the test says so. */
  stubborn = false;

  readonly answer: Answer = (call, signal) =>
    new Promise((resolve, reject) => {
      const scripted = new ScriptedCall(call, signal, { resolve, reject });
      this.calls.push(scripted);
      signal.addEventListener('abort', () => {
        if (!this.stubborn) scripted.fail(signal.reason);
      });
    });

  /** The call that came last. */
  get last(): ScriptedCall {
    const last = this.calls.at(-1);
    if (last === undefined) throw new Error('the owner was not asked');
    return last;
  }
}
