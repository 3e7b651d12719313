/** What one reply of OpenClaw's gateway has said so far: whether it can still be an error in words, and whether it is. */
import { z } from 'zod';
import { tolerantJson } from '../lib/json.ts';
import { beginningOf, isErrorText } from './gateway-text.ts';

/** Whatever else a model says, as a call of a tool or a thought, is no error. */
const Message = z.looseObject({ content: z.string().nullish() });
/** A chunk of a stream, or a whole reply. An error of its own is told as one, and so is none in words. */
const Said = z.object({
  error: z.undefined().optional(),
  choices: z.array(z.object({ delta: Message.optional(), message: Message.optional() })).default([]),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).nullish(),
});

const MAY_STAND_BESIDE = new Set(['role', 'content', 'refusal']);

export class Heard {
  #text = '';
  #usage: 'none told' | 'zero' | 'some' = 'none told';

  get text(): string {
    return this.#text;
  }

  /** Takes a chunk's or a whole reply's JSON. False: this is no error in words, whatever follows. */
  hear(json: string): boolean {
    // What is no JSON is told by whoever reads the reply.
    const said = Said.safeParse(tolerantJson(json));
    if (!said.success) return false;
    const { choices, usage } = said.data;
    if (usage !== null && usage !== undefined)
      this.#usage = usage.prompt_tokens === 0 && usage.completion_tokens === 0 ? 'zero' : 'some';
    for (const { delta, message } of choices) {
      const { content, ...others } = delta ?? message ?? {};
      if (Object.entries(others).some(saysMore)) return false;
      this.#text += content ?? '';
    }
    return beginningOf(this.#text) !== 'answer';
  }

  /** For a reply that is whole. */
  get isError(): boolean {
    return isErrorText(this.#text, this.#usage);
  }
}

function saysMore([name, value]: [string, unknown]): boolean {
  if (MAY_STAND_BESIDE.has(name) || value === null || value === undefined || value === '') return false;
  return !Array.isArray(value) || value.length > 0;
}
