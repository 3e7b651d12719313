/**
 * Texts that end the answer, for a dialect without a parameter for them: the answer is cut here, before the first of
 * them. What a client would call the answer is looked through, and nothing else: not reasoning, not a refusal.
 */
import { ClawError } from '../../core/errors.ts';
import { STOP_TEXT_CHARS_MAX, STOP_TEXTS_MAX } from '../../core/limits.ts';
import { changed } from '../../lib/changed.ts';
import type { HubAnswer, HubDelta, HubProgress, HubRequest, HubSampling } from '../hub.ts';
import type { HubItem, HubLogprob, HubSaid } from '../hub-item.ts';
import type { Emulated, Restorer, Stage, StreamRestorer } from './stage.ts';

export const stopTexts: Stage = {
  ability: 'stop',
  emulate(request: HubRequest): Emulated | undefined {
    const { stop, ...rest } = request.sampling;
    if (stop === undefined) return undefined;
    const texts = stop.filter((text) => text !== '');
    const long = texts.find((text) => text.length > STOP_TEXT_CHARS_MAX);
    if (texts.length > STOP_TEXTS_MAX) throw notSo(`more than ${STOP_TEXTS_MAX} texts`);
    if (long !== undefined) throw notSo(`a text of more than ${STOP_TEXT_CHARS_MAX} characters`);
    const sampling: HubSampling = rest;
    const without = { request: changed(request, { sampling }), leftOut: [] };
    return texts.length === 0 ? without : { ...without, restorer: restorerOf(texts) };
  },
};

function notSo(what: string): ClawError {
  return new ClawError('bad_request', `stop: ${what} cannot be looked for in the answer of this model`, {
    param: 'stop',
  });
}

function restorerOf(texts: readonly string[]): Restorer {
  return { answer: (answer) => cutAnswer(answer, texts), stream: () => new Cut(texts) };
}

/** Where the text begins that is whole first, as a server would meet them, or -1; of two the longer. */
function firstOf(texts: readonly string[], said: string): number {
  let start = -1;
  let end = said.length;
  for (const text of texts) {
    const at = said.slice(0, end).indexOf(text);
    if (at < 0 || (start >= 0 && at + text.length === end && at > start)) continue;
    start = at;
    end = at + text.length;
  }
  return start;
}

function cutAnswer(answer: HubAnswer, texts: readonly string[]): HubAnswer {
  const items: HubItem[] = [];
  for (const item of answer.items) {
    const cut = item.kind === 'message' ? cutParts(item.parts, texts) : undefined;
    if (item.kind !== 'message' || cut === undefined) {
      items.push(item);
      continue;
    }
    items.push(changed(item, { parts: cut, complete: true }));
    return changed(answer, { items, ending: items.some(({ kind }) => kind === 'call') ? 'calls' : 'stop' });
  }
  return answer;
}

/** Undefined where none of the texts is in them. Parts of one kind in a row are one text to a client. */
function cutParts(parts: readonly HubSaid[], texts: readonly string[]): readonly HubSaid[] | undefined {
  const said = parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
  const at = firstOf(texts, said);
  if (at < 0) return undefined;
  const kept: HubSaid[] = [];
  let left = at;
  for (const part of parts) {
    if (part.kind !== 'text' || part.text.length <= left) {
      kept.push(part);
      left -= part.kind === 'text' ? part.text.length : 0;
      continue;
    }
    const annotations = part.annotations.filter((one) => one.kind !== 'url' || one.end <= left);
    const logprobs = tokensWithin(part.logprobs, left);
    if (left > 0) kept.push({ kind: 'text', text: part.text.slice(0, left), annotations, logprobs });
    return kept;
  }
  return kept;
}

/** Tokens that lie before a place of the text. */
function tokensWithin(tokens: readonly HubLogprob[], chars: number): readonly HubLogprob[] {
  let end = 0;
  const first = tokens.findIndex(({ token }) => (end += token.length) > chars);
  return first < 0 ? tokens : tokens.slice(0, first);
}

class Cut implements StreamRestorer {
  readonly #texts: readonly string[];
  readonly #longest: number;
  /** What may be the beginning of one of the texts. */
  #held = '';
  /** Of tokens of which not all is told: the one at the front may have been begun. */
  #tokens: readonly HubLogprob[] = [];
  #tokenCharsTold = 0;
  #hasCalls = false;
  #isOver = false;

  constructor(texts: readonly string[]) {
    this.#texts = texts;
    this.#longest = Math.max(...texts.map((text) => text.length));
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  restore(event: HubProgress): readonly HubProgress[] {
    switch (event.type) {
      case 'text':
        return this.#text(event);
      case 'refusal':
      case 'item_done':
        return [...this.#tell(this.#held.length), event];
      case 'item':
        this.#hasCalls ||= event.item.kind === 'call';
        return [event];
      default:
        return [event];
    }
  }

  #text({ text, logprobs }: Extract<HubDelta, { type: 'text' }>): readonly HubProgress[] {
    this.#held += text;
    if (logprobs.length > 0) this.#tokens = [...this.#tokens, ...logprobs];
    const at = firstOf(this.#texts, this.#held);
    if (at < 0) return this.#tell(this.#held.length - this.#beginningChars());
    this.#isOver = true;
    const told = this.#tell(at);
    return [
      ...told,
      { type: 'item_done', complete: true },
      { type: 'finished', ending: this.#hasCalls ? 'calls' : 'stop' },
    ];
  }

  /** How much of the end of what is held one of the texts begins with. */
  #beginningChars(): number {
    const most = Math.min(this.#held.length, this.#longest - 1);
    for (let chars = most; chars > 0; chars--) {
      const end = this.#held.slice(-chars);
      if (this.#texts.some((text) => text.startsWith(end))) return chars;
    }
    return 0;
  }

  /** With the tokens that end in it. Those of an item's last text go with it, however its server counts. */
  #tell(chars: number): readonly HubProgress[] {
    const isAll = !this.#isOver && chars === this.#held.length;
    const text = this.#held.slice(0, chars);
    const logprobs = isAll ? this.#tokens : tokensWithin(this.#tokens, chars + this.#tokenCharsTold);
    this.#held = this.#held.slice(chars);
    this.#tokens = this.#tokens.slice(logprobs.length);
    const ended = logprobs.reduce((sum, { token }) => sum + token.length, 0);
    this.#tokenCharsTold = this.#tokens.length === 0 ? 0 : this.#tokenCharsTold + chars - ended;
    return text === '' && logprobs.length === 0 ? [] : [{ type: 'text', text, logprobs }];
  }
}
