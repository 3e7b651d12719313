/** One POST to an upstream, its reply pulled through a bounded queue. Knows bytes; what they mean is the intake's. */
import type { Outcome } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import { UPSTREAM_END_MS, UPSTREAM_STALE_MS, WINDOW_BYTES_MAX } from '../core/limits.ts';
import type { HubFailure } from '../dialect/hub.ts';
import { ByteQueue, type ByteQueueOwner } from '../lib/byte-queue.ts';
import type { Cancel, Clock } from '../lib/clock.ts';
import { onAbort, type StopSignal } from '../lib/signals.ts';
import type { Connections, HttpController, HttpHandler } from './agent.ts';
import { faultAfterHead, faultBeforeHead, silenceFault } from './fault.ts';
import { endsByClosing, type HttpHead, headOf } from './head.ts';
import type { Intake } from './intake.ts';
import type { HttpReply, HttpRequest } from './post.ts';
import { Silence } from './silence.ts';
import { StaleConnection, StreamEnded } from './socket-end.ts';
import { BROKE_OFF, toldFailure } from './told-failure.ts';

interface Arrival {
  readonly head: HttpHead;
  readonly intake: Intake;
  readonly queue: ByteQueue;
}

type State =
  /** No head yet. A connection that was kept may have been closed at the other end in the meantime; a fresh one not. */
  | { readonly kind: 'sent'; readonly over: 'any' | 'fresh' }
  /** Bytes come in; the reply is not handed over yet, or is. */
  | ({ readonly kind: 'holding' | 'streaming' } & Arrival)
  /** All has come, not all is read. */
  | ({ readonly kind: 'delivering' } & Arrival)
  | { readonly kind: 'over' };

/** One for all: nobody sees it, and a stack on every call is not cheap. */
const OVER = new Error('the call is over');

export class HttpCall implements HttpHandler, ByteQueueOwner {
  readonly reply: Promise<HttpReply>;
  readonly #ended: Promise<Outcome>;
  readonly #request: HttpRequest;
  readonly #silence: Silence;
  readonly #connections: Connections;
  readonly #clock: Clock;
  #state: State = { kind: 'sent', over: 'any' };
  #controller: HttpController | undefined;
  #unlink: () => void = () => {};
  #unhold: Cancel = () => {};
  #takenBytes = 0;
  #resolve: (reply: HttpReply) => void = () => {};
  #reject: (error: ClawError) => void = () => {};
  #settle: (outcome: Outcome) => void = () => {};

  constructor(request: HttpRequest, connections: Connections, clock: Clock) {
    this.#request = request;
    this.#connections = connections;
    this.#clock = clock;
    this.#silence = new Silence(clock, request.silenceMs, () =>
      this.#fail(silenceFault(request.silenceMs, request.place)),
    );
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  start(signal: StopSignal): void {
    this.#unlink = onAbort(signal, (reason) => this.#cancel(reason));
    this.#send();
  }

  #send(): void {
    if (this.#state.kind !== 'sent') return;
    const agent = this.#connections[this.#state.over];
    const { place, path, method = 'POST', headers, body } = this.#request;
    agent.dispatch({ origin: place.origin, path, method, headers: [...headers], body }, this);
  }

  onRequestStart(controller: HttpController): void {
    this.#controller = controller;
    // Left while the connection was being made.
    if (this.#state.kind === 'over') controller.abort(OVER);
    else this.#silence.start();
  }

  onResponseStart(
    _controller: HttpController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#silence.heard();
    if (status < 200 || this.#state.kind !== 'sent') return;
    const head = headOf(status, headers);
    try {
      const intake = this.#request.intake(head);
      this.#state = { kind: 'holding', head, intake, queue: new ByteQueue(this) };
      if (intake.holdBytes === 0) this.#handOver();
      else if (intake.early) this.#unhold = this.#clock.soon(() => this.#handOver());
    } catch (error) {
      this.#break(error);
    }
  }

  onResponseData(controller: HttpController, chunk: Buffer): void {
    this.#silence.heard();
    const state = this.#state;
    if (state.kind !== 'holding' && state.kind !== 'streaming') return;
    try {
      state.intake.take(chunk, state.queue);
    } catch (error) {
      this.#break(error);
      return;
    }
    // Some servers say that the answer is over and hold the connection: its reader does not wait for them.
    if (state.intake.isClosing) this.#silence.shorten(UPSTREAM_END_MS);
    const { queuedBytes } = state.queue;
    const { holdBytes, failure } = state.intake;
    if (failure !== undefined && state.kind === 'streaming') return this.#stop(this.#told(failure));
    if (state.kind === 'holding' && queuedBytes < holdBytes && failure === undefined) return;
    this.#handOver();
    if (queuedBytes < WINDOW_BYTES_MAX) return;
    controller.pause();
    this.#silence.mute();
  }

  onResponseEnd(): void {
    const state = this.#state;
    if (state.kind !== 'holding' && state.kind !== 'streaming') return;
    try {
      state.intake.finish(state.queue);
    } catch (error) {
      this.#break(error);
      return;
    }
    const { failure } = state.intake;
    if (failure !== undefined && state.kind === 'streaming') this.#stop(this.#told(failure));
    else this.#complete();
  }

  onResponseError(_controller: HttpController, error: Error): void {
    const state = this.#state;
    if (state.kind === 'sent') return this.#unanswered(error, state.over);
    if (state.kind !== 'holding' && state.kind !== 'streaming') return;
    if (error instanceof StreamEnded && endsByClosing(state.head)) return this.onResponseEnd();
    this.#fail(faultAfterHead(error, this.#request.place));
  }

  #unanswered(error: Error, over: 'any' | 'fresh'): void {
    // Whoever kept the connection open had closed it before it saw this request: it is sent once more, over a fresh one.
    const isStale = error instanceof StaleConnection && this.#silence.lastedMs < UPSTREAM_STALE_MS;
    if (over === 'any' && isStale) {
      this.#state = { kind: 'sent', over: 'fresh' };
      this.#send();
    } else {
      this.#fail(faultBeforeHead(error, this.#request.place));
    }
  }

  onTaken(bytes: number): void {
    this.#takenBytes += bytes;
    this.#settleIfRead();
    if (this.#controller?.paused !== true) return;
    this.#silence.unmute();
    this.#controller.resume();
  }

  onLeft(): void {
    this.#over({ kind: 'cancelled', bytes: this.#takenBytes });
  }

  #handOver(): void {
    const state = this.#state;
    if (state.kind !== 'holding') return;
    const { head, intake, queue } = state;
    this.#state = { kind: 'streaming', head, intake, queue };
    const { status, headers } = head;
    this.#resolve({ status, headers, body: queue, ended: this.#ended, failure: intake.failure });
  }

  /** The reply is whole. */
  #complete(): void {
    this.#handOver();
    if (this.#state.kind !== 'streaming') return;
    const { head, intake, queue } = this.#state;
    this.#silence.stop();
    this.#state = { kind: 'delivering', head, intake, queue };
    queue.end();
    this.#settleIfRead();
  }

  #settleIfRead(): void {
    if (this.#state.kind !== 'delivering' || this.#state.queue.queuedBytes > 0) return;
    this.#over({ kind: 'complete', bytes: this.#takenBytes, ...this.#state.intake.ending });
  }

  /** The reply cannot be what was asked for. */
  #break(thrown: unknown): void {
    const text = this.#request.place.say('the reply could not be read');
    this.#stop(ClawError.from(thrown, 'internal', text));
  }

  /** The connection or its silence ends the reply before HTTP does. */
  #fail(error: ClawError): void {
    const state = this.#state;
    if (state.kind === 'holding' || state.kind === 'streaming') {
      // What was to be said has been said: a server that does not hang up takes nothing away from it.
      if (state.intake.ending !== undefined || state.intake.partial) {
        this.onResponseEnd();
        this.#controller?.abort(error);
        return;
      }
      const said = state.intake.lastWords?.();
      if (said !== undefined) return this.#stop(this.#told(said));
    }
    this.#stop(error);
  }

  #told(failure: HubFailure): ClawError {
    return toldFailure(failure, this.#request.place, BROKE_OFF);
  }

  #cancel(reason: unknown): void {
    this.#stop(ClawError.from(reason, 'cancelled', 'the call was cancelled'));
  }

  #stop(error: ClawError): void {
    const state = this.#state;
    const bytes = this.#takenBytes;
    const ended =
      state.kind === 'streaming' && state.intake.ending !== undefined && state.queue.queuedBytes === 0;
    if (error.code !== 'cancelled') this.#over({ kind: 'failed', bytes, error });
    // A client that hangs up at the dialect's last word does not wait for HTTP's.
    else if (ended) this.#over({ kind: 'complete', bytes, ...state.intake.ending });
    else this.#over({ kind: 'cancelled', bytes });
    if (state.kind === 'sent' || state.kind === 'holding') this.#reject(error);
    else if (state.kind !== 'over') state.queue.fail(error);
  }

  #over(outcome: Outcome): void {
    if (this.#state.kind === 'over') return;
    // First: undici tells of an abort while it is asked for.
    this.#state = { kind: 'over' };
    this.#silence.stop();
    this.#unhold();
    this.#unlink();
    this.#settle(outcome);
    this.#controller?.abort(OVER);
  }
}
