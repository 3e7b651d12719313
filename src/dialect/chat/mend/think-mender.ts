/** Makes reasoning of what a model says in `<think>` at the beginning of its answer, in a stream that passes. */
import { CHOICES_MAX } from '../../../core/limits.ts';
import { isObject, type JsonObject, tolerantJson } from '../../../lib/json.ts';
import { amended, amendedList, isList, isText } from '../../mend/amended.ts';
import { mendEach, type RawEvent, retold } from '../../mend/raw-event.ts';
import type { StreamMender } from '../../shape.ts';
import { sseBytes, sseEvent } from '../../framing/sse.ts';
import { type Split, ThinkSplitter } from './think-splitter.ts';

const BOTH: readonly (keyof Split)[] = ['thought', 'answer'];
const FIELDS = { thought: 'reasoning_content', answer: 'content' } as const;

export class ThinkMender implements StreamMender {
  readonly failure = undefined;
  /** It moves text, and no end. */
  readonly isQuiet = true;
  readonly #splitters = new Map<unknown, ThinkSplitter>();
  /** What is common to all chunks, for one of our own. */
  #head: JsonObject = {};

  /** Reads every event: it is switched on for a model that needs it, and by nobody else. */
  mend(events: Uint8Array): Uint8Array {
    return mendEach(events, (event) => this.#event(event));
  }

  end(): Uint8Array {
    return Buffer.concat(
      [...this.#splitters].flatMap(([index, splitter]) => this.#told(index, splitter.end())),
    );
  }

  #event(event: RawEvent): Uint8Array {
    if (event.data?.trim() === '[DONE]') return Buffer.concat([this.end(), event.bytes]);
    const chunk = tolerantJson(event.data ?? '');
    if (!isObject(chunk) || !isList(chunk.choices)) return event.bytes;
    const { id, object, created, model } = chunk;
    this.#head = { id, object, created, model };
    const before: Uint8Array[] = [];
    const choices = amendedList(chunk.choices, (choice) =>
      isObject(choice) && isObject(choice.delta) ? this.#choice(choice, choice.delta, before) : choice,
    );
    const mended = amended(chunk, { choices });
    if (mended === chunk && before.length === 0) return event.bytes;
    return Buffer.concat([...before, mended === chunk ? event.bytes : retold(event, JSON.stringify(mended))]);
  }

  /** Thought and answer never come in one delta: the order in which it would be read is not known. */
  #choice(choice: JsonObject, delta: JsonObject, before: Uint8Array[]): JsonObject {
    const splitter = this.#splitterOf(choice.index);
    if (splitter === undefined) return choice;
    const said = splitter.feed(isText(delta.content) ? delta.content : '');
    const isOver = isText(choice.finish_reason) || (isList(delta.tool_calls) && delta.tool_calls.length > 0);
    const rest = isOver ? splitter.end() : { thought: '', answer: '' };
    const thought = said.thought + rest.thought;
    const answer = said.answer + rest.answer;
    if (!isText(delta.content)) {
      before.push(...this.#told(choice.index, { thought, answer }));
      return choice;
    }
    if (thought === '') return amended(choice, { delta: amended(delta, { content: answer }) });
    if (answer === '')
      return amended(choice, { delta: amended(delta, { content: undefined, reasoning_content: thought }) });
    const role = isText(delta.role) ? { role: delta.role } : {};
    before.push(...this.#told(choice.index, { thought, answer: '' }, role));
    return amended(choice, { delta: amended(delta, { content: answer, role: undefined }) });
  }

  #splitterOf(index: unknown): ThinkSplitter | undefined {
    const known = this.#splitters.get(index);
    if (known !== undefined || this.#splitters.size >= CHOICES_MAX) return known;
    const splitter = new ThinkSplitter();
    this.#splitters.set(index, splitter);
    return splitter;
  }

  /** As chunks of their own. */
  #told(index: unknown, split: Split, more: JsonObject = {}): readonly Uint8Array[] {
    return BOTH.filter((part) => split[part] !== '').map((part) => {
      const choice = { index, delta: { ...more, [FIELDS[part]]: split[part] }, finish_reason: null };
      return sseBytes(sseEvent(JSON.stringify({ ...this.#head, choices: [choice] })));
    });
  }
}
