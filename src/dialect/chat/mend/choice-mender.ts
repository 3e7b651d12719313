/** Mends one choice of a stream, chunk by chunk: its role, what it says, its calls and its end. */
import { isObject, type JsonObject } from '../../../lib/json.ts';
import { amended, isList, isText } from '../../mend/amended.ts';
import { CallFragmentsMender } from './call-fragments-mender.ts';
import { mendedFinish } from './finish.ts';

export class ChoiceMender {
  readonly index: number;
  readonly #calls: CallFragmentsMender;
  #needsRole: boolean;

  /** `isFromStart`: its first chunk is the next one, so that it can be seen whether that has a role. */
  constructor(index: number, randomId: (prefix: string) => string, isFromStart: boolean) {
    this.index = index;
    this.#calls = new CallFragmentsMender(randomId);
    this.#needsRole = isFromStart;
  }

  mend(choice: JsonObject): JsonObject {
    const finish = choice.finish_reason;
    const delta = this.#delta(deltaOf(choice), isText(finish));
    return amended(choice, {
      index: this.index,
      delta,
      ...(isObject(choice.delta) ? {} : { message: undefined }),
      ...(typeof finish === 'string' ? { finish_reason: this.#finish(finish) } : {}),
    });
  }

  /** What has to be told before its end, as a choice of a chunk of its own. */
  settle(): JsonObject | undefined {
    const calls = this.#calls.settle();
    if (calls.length === 0) return undefined;
    return { index: this.index, delta: { tool_calls: calls }, finish_reason: null };
  }

  /** The end that its server left out. */
  finish(): JsonObject {
    return { index: this.index, delta: {}, finish_reason: this.#finish('stop') };
  }

  #delta(delta: JsonObject, isLast: boolean): JsonObject {
    const lacksRole = this.#needsRole && !isText(delta.role);
    this.#needsRole = false;
    const { tool_calls: calls } = delta;
    return amended(delta, {
      ...(lacksRole ? { role: 'assistant' } : {}),
      ...(isList(calls) && calls.length > 0 ? { tool_calls: this.#calls.mend(calls, isLast) } : {}),
    });
  }

  /** Some servers write "" where others write null. */
  #finish(reason: string): string | null {
    return reason === '' ? null : mendedFinish(reason, this.#calls.any);
  }
}

/** Servers that tell the answer in one piece may do so in the form of a whole reply. */
function deltaOf({ delta, message }: JsonObject): JsonObject {
  if (isObject(delta)) return delta;
  return isObject(message) ? message : {};
}
