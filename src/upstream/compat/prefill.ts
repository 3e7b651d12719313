/**
 * How far llama.cpp has read the prompt: told in chunks of a Chat Completions stream, where a request asks for it with
 * `return_progress`. Its batches take seconds each on slow machines, and a long prompt minutes. One for each stream.
 */
import { z } from 'zod';
import type { Call } from '../../core/call.ts';
import { asBuffer, jsonKey } from '../../dialect/framing/bytes.ts';
import { sseBytes, sseEvent, wholeEvents } from '../../dialect/framing/sse.ts';
import { tolerantJson } from '../../lib/json.ts';

const PROGRESS = jsonKey('prompt_progress');

const tokens = z.int().nonnegative();
/** The role is in each such chunk, and once more with the first word of the answer. */
const Bare = z
  .looseObject({})
  .refine((delta) =>
    Object.entries(delta).every(([name, value]) => name === 'role' || value === null || value === ''),
  );
const Progress = z.looseObject({ prompt_progress: z.object({ processed: tokens, total: tokens }) });
const Mute = z.object({
  choices: z.array(z.object({ delta: Bare, finish_reason: z.null().optional() })),
});

export class Prefill {
  readonly #report: Call['report'];
  #isReading = false;

  constructor(report: Call['report']) {
    this.#report = report;
  }

  /** One or more whole events without what only tells of progress: the very same where none does. */
  take(events: Uint8Array): Uint8Array {
    const mentioned = asBuffer(events).includes(PROGRESS);
    const rest = mentioned ? this.#without(events) : events;
    if (this.#isReading && rest.length > 0) {
      this.#isReading = false;
      this.#report({ kind: 'waiting' });
    }
    return rest;
  }

  #without(events: Uint8Array): Uint8Array {
    let text = '';
    for (const { data, name } of wholeEvents(events)) text += this.#event(data, name);
    return sseBytes(text);
  }

  #event(data: string, name: string | undefined): string {
    const event = Progress.safeParse(tolerantJson(data)).data;
    if (event === undefined) return sseEvent(data, name);
    const { prompt_progress: progress, ...rest } = event;
    this.#isReading = true;
    this.#report({ kind: 'prefill', done: progress.processed, total: progress.total });
    return Mute.safeParse(rest).success ? '' : sseEvent(JSON.stringify(rest), name);
  }
}
