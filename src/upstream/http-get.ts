/** HTTP to upstreams: one GET, its reply read whole within a time and a size. Knows text; what it means is the asker's. */
import { ClawError } from '../core/errors.ts';
import type { Cancel, Clock } from '../lib/clock.ts';
import { onAbort, type StopSignal } from '../lib/signals.ts';
import { Agent, type HttpController, type HttpHandler } from './agent.ts';
import { faultAfterHead, faultBeforeHead } from './fault.ts';
import { endsByClosing, type HttpHead, headOf } from './head.ts';
import type { Place } from './place.ts';
import { StreamEnded } from './socket-end.ts';

export interface GetRequest {
  readonly place: Place;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For the whole reply. */
  readonly answerMs: number;
  readonly bytesMax: number;
}

export interface GetReply extends HttpHead {
  readonly text: string;
}

/** Owns its connections: what is asked in passing does not stand in the way of calls. */
export class HttpGetter {
  readonly #agent = new Agent();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(request: GetRequest, signal: StopSignal): Promise<GetReply> {
    const get = new HttpGet(request, this.#clock);
    get.start(this.#agent, signal);
    return get.reply;
  }

  /** Cuts whatever still runs; it fails. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

type State =
  | { readonly kind: 'sent' }
  | { readonly kind: 'reading'; readonly head: HttpHead; readonly chunks: Buffer[]; readonly bytes: number }
  | { readonly kind: 'over' };

class HttpGet implements HttpHandler {
  readonly reply: Promise<GetReply>;
  readonly #request: GetRequest;
  readonly #clock: Clock;
  #state: State = { kind: 'sent' };
  #controller: HttpController | undefined;
  #late: Cancel = () => {};
  #unlink: () => void = () => {};
  #resolve: (reply: GetReply) => void = () => {};
  #reject: (error: ClawError) => void = () => {};

  constructor(request: GetRequest, clock: Clock) {
    this.#request = request;
    this.#clock = clock;
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  start(agent: Agent, signal: StopSignal): void {
    const { place, path, headers, answerMs } = this.#request;
    this.#unlink = onAbort(signal, (reason) =>
      this.#fail(ClawError.from(reason, 'cancelled', 'no longer asked')),
    );
    if (this.#state.kind === 'over') return;
    const late = place.say(`the upstream ${place.origin} gave no whole answer within ${answerMs / 1000} s`);
    this.#late = this.#clock.after(answerMs, () => this.#fail(new ClawError('upstream_timeout', late)));
    agent.dispatch({ origin: place.origin, path, method: 'GET', headers: { ...headers } }, this);
  }

  onRequestStart(controller: HttpController): void {
    this.#controller = controller;
    // Given up while the connection was being made.
    if (this.#state.kind === 'over') controller.abort(new Error('given up'));
  }

  onResponseStart(
    _controller: HttpController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200 || this.#state.kind !== 'sent') return;
    this.#state = { kind: 'reading', head: headOf(status, headers), chunks: [], bytes: 0 };
  }

  onResponseData(_controller: HttpController, chunk: Buffer): void {
    const state = this.#state;
    if (state.kind !== 'reading') return;
    const { place, bytesMax } = this.#request;
    const bytes = state.bytes + chunk.length;
    if (bytes > bytesMax) {
      const text = `the upstream ${place.origin} answered with more than ${bytesMax} bytes`;
      this.#fail(new ClawError('upstream_protocol', place.say(text)));
      return;
    }
    state.chunks.push(chunk);
    this.#state = { ...state, bytes };
  }

  onResponseEnd(): void {
    const state = this.#state;
    if (state.kind !== 'reading') return;
    this.#over();
    this.#resolve({ ...state.head, text: Buffer.concat(state.chunks, state.bytes).toString() });
  }

  onResponseError(_controller: HttpController, error: Error): void {
    const state = this.#state;
    const { place } = this.#request;
    if (state.kind === 'sent') this.#fail(faultBeforeHead(error, place));
    if (state.kind !== 'reading') return;
    if (error instanceof StreamEnded && endsByClosing(state.head)) this.onResponseEnd();
    else this.#fail(faultAfterHead(error, place));
  }

  #fail(error: ClawError): void {
    if (this.#state.kind === 'over') return;
    this.#over();
    this.#reject(error);
    this.#controller?.abort(error);
  }

  /** First of all: undici tells of an abort while it is asked for. */
  #over(): void {
    this.#state = { kind: 'over' };
    this.#late();
    this.#unlink();
  }
}
