/**
 * Mends the finish of a stream that made calls and then says "stop", as some local servers do: clients take that for an
 * answer without calls, and drop them.
 */
import { z } from 'zod';
import { tolerantJson } from '../../lib/json.ts';
import { asBuffer, jsonKey, valueAfter } from '../bytes.ts';
import { maybe } from '../door.ts';
import type { StreamMender } from '../shape.ts';
import { wholeEvents } from '../sse.ts';

const CALLS = jsonKey('tool_calls');
const FINISH = jsonKey('finish_reason');
const STOP = Buffer.from('"stop"');
const MENDED = Buffer.from('"tool_calls"');
const [OPEN_BRACKET, CLOSE_BRACKET] = [0x5b, 0x5d];

/** With several choices it is not known here which of them made the calls. */
const OneStopped = z.object({
  choices: z.tuple([z.object({ index: maybe(z.literal(0)), finish_reason: z.literal('stop') })]),
});

export class FinishMender implements StreamMender {
  #hasCalls = false;

  /** Costs a search for calls, and of those streams that have some one for the finish. */
  mend(events: Uint8Array): Uint8Array {
    const bytes = asBuffer(events);
    this.#hasCalls ||= makesCalls(bytes);
    if (!this.#hasCalls) return events;
    const at = stopIn(bytes);
    if (at < 0 || !wholeEvents(events).some(({ data }) => OneStopped.safeParse(tolerantJson(data)).success))
      return events;
    return Buffer.concat([bytes.subarray(0, at), MENDED, bytes.subarray(at + STOP.length)]);
  }
}

/** Some servers send an empty list with every chunk. */
function makesCalls(bytes: Buffer): boolean {
  for (let at = valueAfter(bytes, CALLS, 0); at >= 0; at = valueAfter(bytes, CALLS, at))
    if (bytes[at] === OPEN_BRACKET && bytes[at + 1] !== CLOSE_BRACKET) return true;
  return false;
}

function stopIn(bytes: Buffer): number {
  for (let at = valueAfter(bytes, FINISH, 0); at >= 0; at = valueAfter(bytes, FINISH, at))
    if (bytes.subarray(at, at + STOP.length).equals(STOP)) return at;
  return -1;
}
