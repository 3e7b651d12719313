/**
 * The choices of a stream that passes, of which a client may ask for several: the stream ends with the last of them. One is
 * known from its first chunk on, and all begin with the stream or when the one before has ended.
 */
import { z } from 'zod';
import { CHOICES_BEGINNING_CHUNKS, CHOICES_MAX } from '../../core/limits.ts';
import { tolerantJson } from '../../lib/json.ts';
import { asBuffer, hasValue, jsonKey } from '../framing/bytes.ts';
import { maybe } from '../door.ts';
import { wholeEvents } from '../framing/sse.ts';
import { isBroken } from './ending.ts';

const INDEX = jsonKey('index');
const [ONE, NINE] = [0x31, 0x39];

const Chunk = z.object({
  choices: z.array(
    z.object({ index: maybe(z.int()).catch(undefined), finish_reason: maybe(z.string()).catch(undefined) }),
  ),
});

export class Choices {
  readonly #open = new Set<number>();
  readonly #finished = new Map<number, string>();
  #known = 0;
  #seen = 0;

  /** Costs a search, and that only at the beginning. */
  begin(events: Uint8Array): void {
    if (this.#seen++ < CHOICES_BEGINNING_CHUNKS && hasValue(asBuffer(events), INDEX, isOther))
      this.read(events);
  }

  read(events: Uint8Array): void {
    for (const { data } of wholeEvents(events)) {
      const chunk = Chunk.safeParse(tolerantJson(data)).data;
      for (const { index = 0, finish_reason } of chunk?.choices ?? []) this.#note(index, finish_reason);
    }
  }

  /** The finish reason of the first one, when all that began have theirs. */
  get finish(): string | undefined {
    if (this.#open.size > 0) return undefined;
    return this.#finished.get(Math.min(...this.#finished.keys()));
  }

  /** Where there is one of a number, there are those before it. */
  #note(index: number, finish: string | undefined): void {
    if (index < 0 || index >= CHOICES_MAX) return;
    for (; this.#known <= index; this.#known++) this.#open.add(this.#known);
    if (!isFinish(finish)) return;
    if (!this.#finished.has(index)) this.#finished.set(index, finish);
    this.#open.delete(index);
  }
}

function isFinish(reason: string | undefined): reason is string {
  return reason !== undefined && reason !== '' && !isBroken(reason);
}

/** A choice with another number than 0, or a call with one. */
function isOther(bytes: Buffer, at: number): boolean {
  const digit = bytes[at] ?? 0;
  return digit >= ONE && digit <= NINE;
}
