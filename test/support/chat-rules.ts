/** The rules of a Chat Completions stream, written from what clients demand of it and not from our writer. */
import { z } from 'zod';
import { ChatChunk, ErrorFrame } from './chat-schemas.ts';
import { RuleBreach } from './responses-rules.ts';

interface Call {
  readonly index: number;
  readonly kind: 'function' | 'custom';
  input: string;
}

/**
 * Throws a `RuleBreach` at the first event that breaks a rule, or where a stream that is whole lacks its end. The events
 * are as they were parsed, with `[DONE]` as a text.
 */
export function checkChatStream(events: readonly unknown[], isWhole = true): void {
  const checker = new Checker();
  for (const event of events) checker.see(event);
  if (isWhole) checker.end();
}

class Checker {
  #count = 0;
  #head: string | undefined;
  #finish: string | undefined;
  #hasUsage = false;
  #hasBegun = false;
  #state: 'open' | 'failed' | 'over' = 'open';
  readonly #calls: Call[] = [];

  see(raw: unknown): void {
    const rule: Rule = (holds, text) => {
      if (!holds) throw new RuleBreach(`event ${this.#count}: ${text}\n${JSON.stringify(raw)}`);
    };
    rule(this.#state !== 'over', 'nothing may follow [DONE]');
    if (raw === '[DONE]') this.#over(rule);
    else if (isError(raw)) this.#failed(raw, rule);
    else this.#chunk(raw, rule);
    this.#count++;
  }

  end(): void {
    if (this.#state === 'open') throw new RuleBreach('the stream has no end');
    if (this.#state === 'failed') return;
    for (const { index, kind, input } of this.#calls) {
      if (kind === 'custom' || this.#finish === 'length' || this.#finish === 'content_filter') continue;
      if (!isJsonObject(input))
        throw new RuleBreach(`call ${index}: its arguments are no JSON object: ${input}`);
    }
  }

  #over(rule: Rule): void {
    rule(this.#state === 'failed' || this.#finish !== undefined, 'an end without a finish reason');
    if (this.#state !== 'failed') this.#state = 'over';
  }

  #failed(raw: unknown, rule: Rule): void {
    rule(ErrorFrame.safeParse(raw).success, 'an error in another form than clients read');
    rule(this.#finish === undefined, 'an error behind the finish');
    this.#state = 'failed';
  }

  #chunk(raw: unknown, rule: Rule): void {
    rule(this.#state === 'open', 'only [DONE] may follow an error');
    const parsed = ChatChunk.safeParse(raw);
    rule(parsed.success, parsed.success ? '' : z.prettifyError(parsed.error));
    const { id, created, model, choices, usage } = parsed.data;
    if (isKeepalive(choices)) return;
    const head = `${id} ${created} ${model}`;
    rule((this.#head ??= head) === head, 'id, created or model changed');
    rule(!this.#hasUsage, 'nothing may follow the usage');
    const [choice] = choices;
    if (choice === undefined) {
      rule(this.#finish !== undefined && usage !== null && usage !== undefined, 'a chunk that says nothing');
      this.#hasUsage = true;
      return;
    }
    rule(this.#finish === undefined, 'more of the answer behind its finish');
    rule(this.#hasBegun || choice.delta.role === 'assistant', 'the first chunk must tell the role');
    this.#hasBegun = true;
    for (const call of choice.delta.tool_calls ?? []) this.#call(call, rule);
    if (choice.finish_reason === null) return;
    this.#finish = choice.finish_reason;
    const isCalling = choice.finish_reason === 'tool_calls';
    rule(!isCalling || this.#calls.length > 0, 'tool_calls without a call');
    rule(isCalling || this.#finish !== 'stop' || this.#calls.length === 0, 'stop behind calls');
  }

  #call(wire: WireCall, rule: Rule): void {
    const current = this.#calls.at(-1);
    const input = wire.function?.arguments ?? wire.custom?.input ?? '';
    if (current !== undefined && wire.index === current.index) {
      rule(wire.id === undefined && wire.function?.name === undefined, 'id and name are told once');
      current.input += input;
      return;
    }
    rule(wire.index === this.#calls.length, `call ${wire.index} is out of order`);
    const { id, type } = wire;
    rule(id !== undefined && id !== '' && type !== undefined, 'a call begins with its id and type');
    rule(Boolean(wire.function?.name ?? wire.custom?.name), 'a call begins with its name');
    this.#calls.push({ index: wire.index, kind: type, input });
  }
}

type Rule = (holds: boolean, text: string) => asserts holds;
type WireCall = NonNullable<z.infer<typeof ChatChunk>['choices'][number]['delta']['tool_calls']>[number];

/** A chunk that adds nothing may stand anywhere before the finish, as a sign of life: also before the answer has begun. */
function isKeepalive(choices: z.infer<typeof ChatChunk>['choices']): boolean {
  const [choice] = choices;
  return choice !== undefined && Object.keys(choice.delta).length === 0 && choice.finish_reason === null;
}

function isError(raw: unknown): boolean {
  return typeof raw === 'object' && raw !== null && 'error' in raw && Boolean(raw.error);
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
