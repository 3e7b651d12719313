/** Tells by the first bytes of a reply what it really is: some servers label theirs wrongly, or not at all. */
import { FIRST_BYTES_MAX } from '../core/limits.ts';
import { asBuffer } from '../dialect/framing/bytes.ts';
import type { HubFailure } from '../dialect/hub.ts';
import type { Ending } from '../dialect/shape.ts';
import type { ByteQueue } from '../lib/byte-queue.ts';
import type { Intake } from './intake.ts';

/** What a body is by its first bytes; `unknown` where these are none of the others' beginnings. */
export type Form = 'events' | 'json' | 'html' | 'empty' | 'unknown';

const BOM = Buffer.from('\ufeff');
const SPACE = new Set(Buffer.from(' \t\r\n'));
/** The beginnings of a line of events. */
const FIELDS = ['data:', 'event:', 'id:', 'retry:', ':'];
const FIELD_CHARS = 6;

/** Undefined while the bytes may still become something. */
export function formOf(first: Uint8Array): Form | undefined {
  const bytes = asBuffer(first);
  let at = bytes.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
  while (at < FIRST_BYTES_MAX && SPACE.has(bytes[at] ?? 0)) at++;
  const text = bytes.toString('latin1', at, at + FIELD_CHARS);
  if (text.startsWith('{')) return 'json';
  if (text.startsWith('<')) return 'html';
  if (FIELDS.some((field) => text.startsWith(field))) return 'events';
  return text.length < FIELD_CHARS && at < FIRST_BYTES_MAX ? undefined : 'unknown';
}

/** Holds the first bytes until they say which intake the reply gets, which then has it all. */
export class FirstBytes implements Intake {
  readonly early: boolean;
  readonly partial = false;
  readonly #choose: (form: Form) => Intake;
  #held: Uint8Array[] = [];
  #chosen: Intake | undefined;

  /** `early`: the head says that it is a stream, as was asked. `choose` throws a `ClawError` for what is of no use. */
  constructor(early: boolean, choose: (form: Form) => Intake) {
    this.early = early;
    this.#choose = choose;
  }

  get holdBytes(): number {
    return this.#chosen?.holdBytes ?? 1;
  }

  get ending(): Ending | undefined {
    return this.#chosen?.ending;
  }

  get isClosing(): boolean {
    return this.#chosen?.isClosing === true;
  }

  get failure(): HubFailure | undefined {
    return this.#chosen?.failure;
  }

  lastWords(): HubFailure | undefined {
    return this.#chosen?.lastWords?.();
  }

  take(chunk: Uint8Array, to: ByteQueue): void {
    if (this.#chosen !== undefined) return this.#chosen.take(chunk, to);
    this.#held.push(chunk);
    const first = this.#held.length === 1 ? chunk : Buffer.concat(this.#held);
    const form = formOf(first);
    if (form !== undefined) this.#begin(form, first, to);
  }

  finish(to: ByteQueue): void {
    const first = Buffer.concat(this.#held);
    const form = first.length === 0 ? 'empty' : 'unknown';
    (this.#chosen ?? this.#begin(form, first, to)).finish(to);
  }

  #begin(form: Form, first: Uint8Array, to: ByteQueue): Intake {
    this.#held = [];
    this.#chosen = this.#choose(form);
    if (first.length > 0) this.#chosen.take(first, to);
    return this.#chosen;
  }
}
