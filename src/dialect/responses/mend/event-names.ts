/** The kinds of events that pass unread, found by their names in the bytes. */
import { EVENT_KINDS_MAX } from '../../../core/limits.ts';
import { asBuffer } from '../../framing/bytes.ts';

/** What they say is held against what was said before. */
const ALWAYS_READ = new Set([
  'error',
  'response.output_item.added',
  'response.output_item.done',
  'response.function_call_arguments.delta',
  'response.function_call_arguments.done',
  'response.custom_tool_call_input.delta',
  'response.custom_tool_call_input.done',
  'response.completed',
  'response.incomplete',
  'response.failed',
]);

const LF = 0x0a;
const NAME = Buffer.from('event: ');
const NONE = Buffer.alloc(0);

export class EventNames {
  readonly #names = new Set<string>();
  /** How the last event that was found here begins: the next one mostly is of the same kind. */
  #latest = NONE;

  add(name: string): void {
    if (!ALWAYS_READ.has(name) && this.#names.size < EVENT_KINDS_MAX) this.#names.add(name);
  }

  clear(): void {
    this.#names.clear();
    this.#latest = NONE;
  }

  have(name: string | undefined): boolean {
    return name !== undefined && this.#names.has(name);
  }

  /** Whether all these events are of such kinds, each in its two lines. */
  haveAll(events: Uint8Array): boolean {
    if (this.#names.size === 0) return false;
    const bytes = asBuffer(events);
    for (let from = 0; from < bytes.length;) {
      if (!beginsLike(bytes, from, this.#latest) && !this.#find(bytes, from)) return false;
      const dataEnd = bytes.indexOf(LF, from + this.#latest.length);
      if (bytes[dataEnd + 1] !== LF) return false;
      from = dataEnd + 2;
    }
    return true;
  }

  #find(bytes: Buffer, from: number): boolean {
    const name = bytes.toString('latin1', from + NAME.length, bytes.indexOf(LF, from));
    if (!this.#names.has(name)) return false;
    const begin = Buffer.from(`event: ${name}\ndata:`);
    if (!beginsLike(bytes, from, begin)) return false;
    this.#latest = begin;
    return true;
  }
}

/** By hand: so few bytes cost less than a native comparison takes to begin. */
function beginsLike(bytes: Buffer, from: number, begin: Buffer): boolean {
  if (begin.length === 0) return false;
  for (let at = 0; at < begin.length; at++) if (bytes[from + at] !== begin[at]) return false;
  return true;
}
