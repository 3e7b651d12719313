/** Takes `<think>…</think>` out of the beginning of a text that comes in pieces. Pure. */
import type { JsonObject } from '../../../lib/json.ts';
import { amended, isText } from '../../mend/amended.ts';

const OPEN = '<think>';
const CLOSE = '</think>';

export interface Split {
  readonly thought: string;
  readonly answer: string;
}

/** Before: nothing but white space and what may become the tag. Behind: the white space that follows the thought. */
type State = 'before' | 'thinking' | 'behind' | 'answering';

export class ThinkSplitter {
  #state: State = 'before';
  /** What may be the beginning of a tag. */
  #held = '';
  #hasText = false;
  #hasThought = false;

  feed(text: string): Split {
    if (this.#state === 'answering' || text === '') return { thought: '', answer: text };
    this.#held += text;
    if (this.#state === 'before') this.#begin();
    this.#hasText = true;
    const thought = this.#state === 'thinking' ? this.#think() : '';
    return { thought, answer: this.#answer() };
  }

  /** Nothing more comes: what is held is no tag. */
  end(): Split {
    const held = this.#held;
    this.#held = '';
    const split = this.#state === 'thinking' ? { thought: held, answer: '' } : { thought: '', answer: held };
    this.#state = 'answering';
    return split;
  }

  #begin(): void {
    const said = this.#held.trimStart();
    if (said.startsWith(OPEN)) {
      this.#held = said.slice(OPEN.length);
      this.#state = 'thinking';
    } else if (!OPEN.startsWith(said)) {
      // Some templates open the thought in the question: of the tags only the second comes. Where it does so later, the
      // text before it has been told as the answer.
      this.#state = !this.#hasText && this.#held.includes(CLOSE) ? 'thinking' : 'answering';
    }
  }

  #think(): string {
    if (!this.#hasThought) this.#held = this.#held.trimStart();
    const at = this.#held.indexOf(CLOSE);
    const to = at < 0 ? this.#held.length - overlap(this.#held) : at;
    const thought = this.#held.slice(0, to);
    this.#held = this.#held.slice(at < 0 ? to : at + CLOSE.length);
    this.#hasThought ||= thought !== '';
    if (at >= 0) this.#state = 'behind';
    return thought;
  }

  #answer(): string {
    if (this.#state === 'behind') {
      this.#held = this.#held.trimStart();
      if (this.#held !== '') this.#state = 'answering';
    }
    if (this.#state !== 'answering') return '';
    const answer = this.#held;
    this.#held = '';
    return answer;
  }
}

/** How much of the text's end may be the beginning of the closing tag. */
function overlap(text: string): number {
  for (let length = Math.min(CLOSE.length - 1, text.length); length > 0; length--)
    if (CLOSE.startsWith(text.slice(-length))) return length;
  return 0;
}

/** A whole message, with the thought as reasoning. One that has reasoning of its own is left alone. */
export function thoughtIn(message: JsonObject): JsonObject {
  if (!isText(message.content) || isText(message.reasoning_content)) return message;
  const splitter = new ThinkSplitter();
  const said = splitter.feed(message.content);
  const rest = splitter.end();
  const thought = said.thought + rest.thought;
  return amended(message, {
    content: said.answer + rest.answer,
    ...(thought === '' ? {} : { reasoning_content: thought }),
  });
}
