/**
 * A reply without a stream on its way to the client: of a stated length where it is there in one piece, as nearly all are.
 * Where that is configured, a client that waits for long gets its 200 early, and white space until the JSON comes.
 */
import type { Reply } from '../core/call.ts';
import { CLIENT_PIECE_BYTES } from '../core/limits.ts';
import { errorOfRefusal } from '../core/refusal.ts';
import type { Cancel } from '../lib/clock.ts';
import { asClawError, errorHeaders } from './error-reply.ts';
import type { Journey } from './journey.ts';
import { Quiet } from './quiet.ts';
import type { Sweep } from './sweep.ts';
import { Uptake } from './uptake.ts';
import type { Visit } from './visit.ts';

/** Parsers of JSON skip it wherever it stands before a value. */
const SPACE = Buffer.from('\n');

export interface WholeParts {
  readonly visit: Visit;
  readonly journey: Journey;
  readonly sweep: Sweep;
  /** Undefined: no byte before the reply. */
  readonly keepaliveMs: number | undefined;
}

export class WholeReply {
  readonly #parts: WholeParts;
  readonly #uptake: Uptake;
  readonly #quiet: Quiet;
  readonly #cancelWait: Cancel;
  #heldMs: number | undefined;

  constructor(parts: WholeParts) {
    this.#parts = parts;
    const { visit, sweep, keepaliveMs } = parts;
    this.#uptake = new Uptake(visit, sweep);
    this.#quiet = new Quiet(visit, this.#uptake, () => this.#showLife());
    this.#cancelWait =
      keepaliveMs === undefined ? () => {} : visit.clock.after(keepaliveMs, () => this.#hold());
  }

  /** Set where the client got its head before there was a reply: since when it was only kept alive. */
  get heldMs(): number | undefined {
    return this.#heldMs;
  }

  /** Resolves once all is written; rejects with what broke the reply, or with `cancelled` where the client left. */
  async write(reply: Reply): Promise<void> {
    const { visit } = this.#parts;
    const body = reply.body[Symbol.asyncIterator]();
    try {
      // The words of a refusal may come late: its status is worth more to the client than a sign of life.
      if (reply.status >= 400) this.#cancelWait();
      if (reply.status >= 400 && this.#heldMs !== undefined) throw await errorOfRefusal(reply);
      const first = await body.next();
      const next = first.done === true ? first : await body.next();
      this.close();
      visit.mustStay();
      const bytes = first.done === true ? new Uint8Array(0) : first.value;
      if (this.#heldMs === undefined) this.#writeHead(reply, next.done === true ? bytes.length : undefined);
      if (next.done === true && bytes.length <= CLIENT_PIECE_BYTES) this.#end(bytes);
      else await this.#writePieces(bytes, next, body);
    } catch (thrown) {
      const error = asClawError(thrown);
      // Frees the source of a body that is not read to its end.
      await body.return?.();
      this.fail();
      throw error;
    }
  }

  /** Cuts a reply whose head is out; false where it is not, so that a status can tell of the failure. */
  fail(): boolean {
    const { response } = this.#parts.visit;
    if (!response.headersSent) return false;
    response.destroy();
    return true;
  }

  /** No more white space. */
  close(): void {
    this.#cancelWait();
    this.#parts.sweep.remove(this.#quiet);
  }

  #hold(): void {
    const { visit, journey, sweep } = this.#parts;
    if (visit.response.headersSent || visit.gone) return;
    this.#heldMs = visit.elapsedMs();
    visit.response.writeHead(200, visit.headers(journey.headers({}), { 'content-type': 'application/json' }));
    this.#showLife();
    sweep.add(this.#quiet);
  }

  #showLife(): void {
    this.#quiet.end();
    this.#parts.visit.response.write(SPACE);
  }

  #writeHead({ status, headers }: Reply, length: number | undefined): void {
    const { visit, journey } = this.#parts;
    // Only now: until the body has begun, another target may be tried.
    const told = journey.headers(headers);
    const all = visit.headers(status < 400 ? told : errorHeaders(status, told));
    all['content-type'] ??= 'application/json';
    if (length !== undefined) all['content-length'] = length;
    visit.response.writeHead(status, all);
  }

  #end(bytes: Uint8Array): void {
    const { visit, sweep } = this.#parts;
    visit.response.end(bytes);
    if (!visit.response.writableFinished) sweep.add(this.#uptake);
  }

  async #writePieces(
    bytes: Uint8Array,
    following: IteratorResult<Uint8Array>,
    body: AsyncIterator<Uint8Array>,
  ): Promise<void> {
    const { visit, sweep } = this.#parts;
    sweep.add(this.#uptake);
    await visit.writePieces(bytes);
    for (let next = following; next.done !== true; next = await body.next())
      await visit.writePieces(next.value);
    visit.response.end();
    if (visit.response.writableFinished) sweep.remove(this.#uptake);
  }
}
