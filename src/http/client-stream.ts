/**
 * A stream on its way to the client: its head, its events, its signs of life and its end. A client that waits gets a
 * head before there is a reply, and whatever fails after the head is an error event in its dialect and a closed socket,
 * never an end that could be taken for the answer's.
 */
import type { Call, Headers, Reply } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import { ROUTE_HEADER } from '../core/header-names.ts';
import { CLIENT_PIECE_BYTES, SOCKET_CLOSE_MS } from '../core/limits.ts';
import { errorOfRefusal } from '../core/refusal.ts';
import type { HeldStream, ResponseIds, StreamContext } from '../dialect/shape.ts';
import type { Cancel } from '../lib/clock.ts';
import { asClawError } from './error-reply.ts';
import type { Journey } from './journey.ts';
import { Passed } from './passed.ts';
import { Quiet } from './quiet.ts';
import type { Sweep } from './sweep.ts';
import { Uptake } from './uptake.ts';
import { isHeaderValue, type Visit } from './visit.ts';

const EVENT_HEADERS = {
  'cache-control': 'no-cache, no-transform',
  // Tells nginx not to collect the events.
  'x-accel-buffering': 'no',
};

export interface StreamParts {
  readonly visit: Visit;
  readonly call: Call;
  readonly journey: Journey;
  readonly sweep: Sweep;
  readonly holdMs: number;
}

export class ClientStream {
  readonly #parts: StreamParts;
  readonly #uptake: Uptake;
  readonly #quiet: Quiet;
  readonly #cancelHold: Cancel;
  readonly #passed: Passed;
  /** What the client knows of the route, from the head or a comment. */
  #toldRoute: string | undefined;
  /** Set where the client had the beginning of its answer from this node, as none came in time. */
  #held: HeldStream | undefined;
  /** The last sign of life, and what had passed before it: while nothing passes it says the same again. */
  #alive: { readonly bytes: Uint8Array; readonly after: Uint8Array | undefined } | undefined;
  #createdAt: number | undefined;
  #heldMs: number | undefined;
  #firstEventMs: number | undefined;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#passed = new Passed(parts.call.dialect);
    this.#uptake = new Uptake(parts.visit, parts.sweep);
    this.#quiet = new Quiet(parts.visit, this.#uptake, () => this.#showLife());
    this.#cancelHold = parts.visit.clock.after(parts.holdMs, () => this.#hold());
  }

  /** Set where the client got its head before there was a reply: since when it was only kept alive. */
  get heldMs(): number | undefined {
    return this.#heldMs;
  }

  get firstEventMs(): number | undefined {
    return this.#firstEventMs;
  }

  /** Undefined unless the client knows its response by another id than the upstream does. */
  get ids(): ResponseIds | undefined {
    return this.#held?.ids;
  }

  /** As the client got them; its response begins there. */
  get firstEvents(): Uint8Array | undefined {
    return this.#passed.first;
  }

  /** The last two chunks of events, as the client got them: the end of the answer is in one of them. */
  get lastEvents(): readonly Uint8Array[] {
    return this.#passed.last;
  }

  /** There is a reply, or there will be none: from here on the head is the reply's. */
  answered(): void {
    this.#cancelHold();
  }

  /** Whether the reply is told as events: a refusal is so only where its status can no longer be told. */
  takes(reply: Reply): boolean {
    return reply.status < 400 || this.#heldMs !== undefined;
  }

  /** Resolves once all is written; rejects with what broke the reply, or with `cancelled` where the client left. */
  async write(reply: Reply): Promise<void> {
    if (this.#heldMs !== undefined) await mustBeEvents(reply, this.#passed.shape.framing.mediaType);
    const { visit, journey } = this.#parts;
    const { response } = visit;
    const events = reply.body[Symbol.asyncIterator]();
    const first = events.next();
    // The head goes out at once, but in one packet with the first events where those are there already.
    if (!response.headersSent) process.nextTick(() => this.#flushHead(reply));
    try {
      for (let next = await first; next.done !== true; next = await events.next()) {
        if (!response.headersSent) this.#writeHead(reply.status, reply.headers);
        if (journey.route !== this.#toldRoute) this.#tellRoute();
        const waiting = this.#pass(this.#held === undefined ? next.value : this.#held.fit(next.value));
        if (waiting !== undefined) await waiting;
        visit.mustStay();
      }
    } catch (thrown) {
      const error = asClawError(thrown);
      // Frees the source of a body that is not read to its end.
      await events.return?.();
      throw error;
    }
    this.#flushHead(reply);
    response.end();
  }

  /** Nothing where all that came is known to the client. No promise where it takes it at once, as nearly always. */
  #pass(events: Uint8Array): Promise<void> | undefined {
    const { visit } = this.#parts;
    if (events.length === 0) return undefined;
    if (this.#passed.note(events)) {
      this.#firstEventMs ??= visit.elapsedMs();
      this.#quiet.end();
    }
    // Nothing gets between the pieces: while one waits, there is something unsent.
    if (events.length > CLIENT_PIECE_BYTES) return visit.writePieces(events);
    return visit.response.write(events) ? undefined : visit.drained();
  }

  /** Tells the client of the failure inside its stream; false where the head is not out, so that a status can tell it. */
  fail(error: ClawError): boolean {
    const { response, gone, clock } = this.#parts.visit;
    if (!response.headersSent) return false;
    if (gone || response.writableEnded) return true;
    this.#tellRoute();
    // Not `end`: that would write the last chunk of the body, and say that it is whole. And not before it is written:
    // newer Nodes gather what is written in a turn in the response, where a socket that ends does not look.
    const close = () => response.socket?.destroySoon();
    response.write(this.#failure(error), close);
    // A client that does not read would keep the socket for ever.
    const cancel = clock.after(SOCKET_CLOSE_MS, () => response.destroy());
    response.once('close', cancel);
    return true;
  }

  /** The call is over. What the client has yet to take of its end is still looked after. */
  close(): void {
    const { visit, sweep } = this.#parts;
    this.#cancelHold();
    sweep.remove(this.#quiet);
    if (visit.response.writableEnded && !visit.response.writableFinished) sweep.add(this.#uptake);
  }

  /** No reply for so long: clients and proxies give up on silence, so this one is told that its call is alive. */
  #hold(): void {
    const { visit } = this.#parts;
    if (visit.response.headersSent || visit.gone) return;
    this.#heldMs = visit.elapsedMs();
    this.#writeHead(200, {});
    this.#showLife();
  }

  #flushHead({ status, headers }: Reply): void {
    const { response, gone } = this.#parts.visit;
    if (response.headersSent || gone) return;
    this.#writeHead(status, headers);
    response.flushHeaders();
  }

  #writeHead(status: number, headers: Headers): void {
    const { visit, journey, sweep } = this.#parts;
    const own = { ...EVENT_HEADERS, 'content-type': this.#passed.shape.framing.contentType };
    visit.response.writeHead(status, visit.headers(journey.headers(headers), own));
    this.#toldRoute = journey.route;
    this.#quiet.countFromRequest();
    sweep.add(this.#quiet);
  }

  /** Behind the head a comment is all that is left to say where the call runs; readers of events skip it. */
  #tellRoute(): void {
    const { route } = this.#parts.journey;
    if (route === undefined || route === this.#toldRoute) return;
    this.#toldRoute = route;
    if (isHeaderValue(route)) this.#comment(`${ROUTE_HEADER} ${route}`);
  }

  /** Flushed by hand: with a head before it, both go out in one packet. */
  #showLife(): void {
    const { visit, journey } = this.#parts;
    const { socket } = visit.response;
    this.#quiet.end();
    socket?.cork();
    if (journey.doing !== undefined) this.#comment(`clawmatrix ${journey.doing}`);
    visit.response.write(this.#signOfLife());
    socket?.uncork();
  }

  #comment(text: string): void {
    const comment = this.#passed.shape.framing.comment(text);
    if (comment !== '') this.#parts.visit.response.write(comment);
  }

  /** Where nothing has passed yet, some dialects have none: the answer is begun then, and what follows is fitted to that. */
  #signOfLife(): Uint8Array {
    const { call } = this.#parts;
    if (this.#held !== undefined) return this.#held.alive();
    const after = this.#passed.latest;
    if (after === undefined) {
      this.#held = this.#passed.shape.held?.({ ...this.#context(), request: call.body });
      const begun = this.#held?.begin();
      if (begun !== undefined) {
        this.#passed.note(begun);
        return begun;
      }
    }
    if (this.#alive?.after === after && this.#alive !== undefined) return this.#alive.bytes;
    this.#alive = { bytes: this.#passed.watch().alive(this.#context()), after };
    return this.#alive.bytes;
  }

  #failure(error: ClawError): Uint8Array {
    if (this.#held !== undefined) return this.#held.failure(error);
    return this.#passed.failure(error, this.#context());
  }

  #context(): StreamContext {
    const { call, visit } = this.#parts;
    this.#createdAt ??= Math.floor(visit.clock.wall() / 1000);
    return { callId: call.id, model: call.model.id, createdAt: this.#createdAt };
  }
}

/** The client has its 200 and waits for events: anything else is a failure. */
async function mustBeEvents(reply: Reply, mediaType: string): Promise<void> {
  if (reply.status >= 400) throw await errorOfRefusal(reply);
  const type = reply.headers['content-type'] ?? mediaType;
  if (type.startsWith(mediaType)) return;
  await reply.body[Symbol.asyncIterator]().return?.();
  throw new ClawError('upstream_protocol', `a stream was asked for, and the answer is ${type}`);
}
