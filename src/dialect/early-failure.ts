/** An upstream's own failure where its status says success: found before anything of an answer was handed on. */
import { z } from 'zod';
import { asBuffer } from './framing/bytes.ts';
import { maybe } from './door.ts';
import { readFailure } from './failure.ts';
import type { HubFailure } from './hub.ts';
import type { DialectShape, DialectTools } from './shape.ts';

/** `{"error": …}` and nothing that is an answer in any dialect, or old servers' `{"object":"error", …}`. */
const Told = z.object({
  object: maybe(z.string()).catch(undefined),
  error: z.unknown().optional(),
  choices: maybe(z.array(z.unknown()).min(1)).catch(undefined),
  status: maybe(z.string()).catch(undefined),
});

export function failureOfReply(reply: unknown): HubFailure | undefined {
  // Nearly every reply says neither: no schema is asked about those.
  if (typeof reply !== 'object' || reply === null) return undefined;
  if (!('error' in reply && reply.error) && !('object' in reply && reply.object === 'error'))
    return undefined;
  const told = Told.safeParse(reply);
  if (!told.success) return undefined;
  const { object, error, choices, status } = told.data;
  if (object === 'error') return readFailure(error || reply);
  return error && choices === undefined && status === undefined ? readFailure(error) : undefined;
}

/** In every event that tells of a failure; `"error":null` is in each response that begins. */
const SIGN = /"error"(?!\s*:\s*null)|event: ?error|"response\.failed"/;
const [ERROR, FAILED] = [Buffer.from('error'), Buffer.from('failed')];

/** Whether the first events of a stream may tell of a failure: a search of their bytes, no parsing. */
function maySayFailure(events: Uint8Array): boolean {
  const bytes = asBuffer(events);
  return (bytes.includes(ERROR) || bytes.includes(FAILED)) && SIGN.test(bytes.toString('latin1'));
}

/** The failure that the first events of a stream tell of; undefined where something of an answer comes before it. */
export function failureOfStart(events: Uint8Array, shape: DialectShape): HubFailure | undefined {
  if (!maySayFailure(events)) return undefined;
  const reader = shape.streamReader(readerTools(Number.POSITIVE_INFINITY));
  try {
    for (const { data, name } of shape.framing.events(events)) {
      for (const event of reader.read(data, name)) {
        if (event.type === 'failed') return event.failure;
        if (event.type !== 'started') return undefined;
      }
    }
  } catch {
    // What cannot be understood is passed: whoever reads the stream tells of it.
  }
  return undefined;
}

/** Whether these first events of a stream hold nothing of an answer: comments, a role, a response that begins. */
export function isPrelude(events: Uint8Array, shape: DialectShape): boolean {
  const reader = shape.streamReader(readerTools(Number.POSITIVE_INFINITY));
  try {
    return shape.framing
      .events(events)
      .every(({ data, name }) => reader.read(data, name).every(({ type }) => type === 'started'));
  } catch {
    // What cannot be understood is passed: whoever reads the stream tells of it.
    return false;
  }
}

/** The failure that any of these events tells of. */
export function failureAmong(events: Uint8Array, shape: DialectShape): HubFailure | undefined {
  if (!maySayFailure(events)) return undefined;
  for (const { data, name } of shape.framing.events(events)) {
    try {
      // Each by a reader of its own: what came before it is not known here.
      const read = shape.streamReader(readerTools(Number.POSITIVE_INFINITY)).read(data, name);
      for (const event of read) if (event.type === 'failed') return event.failure;
    } catch {
      // What makes no sense alone tells of no failure.
    }
  }
  return undefined;
}

/** For readers whose answer nobody sees: ids are not needed, nor is the time. */
export function readerTools(eventBytesMax: number): DialectTools {
  return { eventBytesMax, randomId: (prefix) => prefix, wall: () => 0, note: () => {} };
}
