/** Tells a model what it is: wraps an `Answer`, and puts a note before what each call says to it, in the client's dialect. */
import type { Answer, Dialect } from '../core/call.ts';
import { changed } from '../lib/changed.ts';
import { shapes } from './dialects.ts';

/** The very answer where there is nothing to tell. */
export function telling(answer: Answer, from: Dialect, note: string | undefined): Answer {
  if (note === undefined) return answer;
  const shape = shapes[from];
  return (call, signal) => {
    // What is asked beside an answer is no word to a model.
    if (call.operation !== undefined) return answer(call, signal);
    return answer(changed(call, { body: shape.withNote(call.body, note) }), signal);
  };
}
