/** Reads a Chat Completions stream into the hub, whatever the order in which its fragments come. */
import { z } from 'zod';
import { ERROR_WORD_CHARS_MAX } from '../../core/limits.ts';
import { isObject } from '../../lib/json.ts';
import { maybe, parseProviderJson, readProvider } from '../door.ts';
import { truncated } from '../failure.ts';
import type { HubEvent, HubItemHead, HubProgress, HubUsage } from '../hub.ts';
import type { HubBlob } from '../hub-item.ts';
import { present } from '../present.ts';
import { Sequencer } from '../sequencer.ts';
import type { DialectTools, StreamReader } from '../shape.ts';
import { type CallFragment, CallFragments } from './call-fragments.ts';
import { isKnownFinish, readFinish, readUsage } from './ending.ts';
import { failureIn } from './failure.ts';
import { CHOICE_WIRE, REPLY_WIRE } from './reply-wire.ts';
import { imagesOf, transcriptOf } from './media.ts';
import { hasReasoning, type Reasoned, reasoningOf, ReasoningTrace } from './reasoning.ts';
import { moved, textOf, thinkingOf, WireSaid } from './said-wire.ts';

const Chunk = z.object({
  ...REPLY_WIRE,
  choices: maybe(
    z.array(
      z.object({
        ...CHOICE_WIRE,
        delta: maybe(WireSaid),
        /** Servers that tell the answer in one piece may do so in the form of a whole reply. */
        message: maybe(WireSaid).catch(undefined),
      }),
    ),
  ),
});
type Choice = NonNullable<z.infer<typeof Chunk>['choices']>[number];

/** Reasoning and text have no number in this dialect: a new stretch of one begins when another item began in between. */
interface Stretch {
  readonly kind: 'reasoning' | 'message';
  readonly key: string;
  /** Where it begins in all that is said. */
  readonly startChars: number;
}

export class ChatStreamReader implements StreamReader {
  readonly #sequence = new Sequencer();
  readonly #calls: CallFragments;
  readonly #tools: DialectTools;
  #state: 'waiting' | 'running' | 'over' = 'waiting';
  #stretch: Stretch | undefined;
  #stretches = 0;
  /** Of the reasoning that is open, and of what came without any. */
  #trace = new ReasoningTrace();
  /** Of all text so far: citations count from its beginning, whatever came in between. */
  #contentChars = 0;
  /** The number of the one that is read: nobody asked for several, and not all servers count from 0. */
  #choice: number | undefined;
  #finish: string | undefined;
  #usage: HubUsage | undefined;
  #serviceTier: string | undefined;

  constructor(tools: DialectTools) {
    this.#tools = tools;
    this.#calls = new CallFragments(this.#sequence, tools);
  }

  read(data: string, name: string | undefined): readonly HubEvent[] {
    if (this.#state === 'over') return [];
    if (data.trim() === '[DONE]') return this.#over();
    const json = parseProviderJson(data, 'event');
    const chunk = readProvider(Chunk, json, 'event');
    const choice = this.#choiceOf(chunk.choices ?? []);
    const failure = isObject(json) ? failureIn(json, name) : undefined;
    if (failure !== undefined) {
      this.#state = 'over';
      return [{ type: 'failed', failure }];
    }
    const usage = chunk.usage ?? choice?.usage;
    if (usage !== undefined) this.#usage = readUsage(usage) ?? this.#usage;
    this.#serviceTier = chunk.service_tier ?? this.#serviceTier;

    const events: HubEvent[] = this.#state === 'waiting' ? [{ type: 'started' }] : [];
    this.#state = 'running';
    if (choice === undefined) return events;
    const said = choice.delta ?? choice.message;
    if (said !== undefined) this.#readDelta(said, choice.logprobs, events);
    // The end is told at `[DONE]`: usage comes behind the finish reason.
    if (choice.finish_reason) this.#finish = choice.finish_reason;
    return events;
  }

  end(): readonly HubEvent[] {
    if (this.#state === 'over') return [];
    if (this.#finish === undefined) throw truncated();
    return this.#over();
  }

  #choiceOf(choices: readonly Choice[]): Choice | undefined {
    if (choices.length > 0) this.#choice ??= Math.min(...choices.map(({ index = 0 }) => index));
    return choices.find(({ index = 0 }) => index === this.#choice);
  }

  #readDelta(delta: WireSaid, logprobs: Choice['logprobs'], events: HubEvent[]): void {
    const thinking = thinkingOf(delta);
    // Not a spread: on Node 20 that costs more than all else here (see `changed`).
    if (thinking !== '' || hasReasoning(delta))
      this.#readReasoning(Object.assign({ thinking }, delta), events);
    const text = textOf(delta) + transcriptOf(delta, this.#tools);
    const { content = [], refusal = [] } = logprobs ?? {};
    if (refusal.length > 0) this.#tools.note('the logprobs of a refusal');
    if (text !== '' || content.length > 0) {
      const key = this.#stretchOf('message', events);
      events.push(...this.#sequence.add(key, { type: 'text', text, logprobs: content }));
      this.#contentChars += text.length;
    }
    for (const annotation of delta.annotations ?? []) {
      const key = this.#stretchOf('message', events);
      const here = moved(annotation, -(this.#stretch?.startChars ?? 0));
      events.push(...this.#sequence.add(key, { type: 'annotation', annotation: here }));
    }
    if (delta.refusal) {
      const key = this.#stretchOf('message', events);
      events.push(...this.#sequence.add(key, { type: 'refusal', text: delta.refusal }));
    }
    for (const image of imagesOf(delta, this.#tools)) {
      events.push(...this.#closeStretch());
      events.push(...this.#sequence.whole(`image ${this.#stretches++}`, image));
    }
    for (const call of callsOf(delta)) events.push(...this.#calls.read(call, () => this.#closeStretch()));
  }

  #readReasoning(said: Reasoned, events: HubEvent[]): void {
    const text = reasoningOf(said);
    if (text !== '') {
      const key = this.#stretchOf('reasoning', events);
      events.push(...this.#sequence.add(key, { type: 'reasoning', of: 'text', text }));
    }
    this.#trace.add(said);
  }

  #stretchOf(kind: Stretch['kind'], events: HubEvent[]): string {
    if (this.#stretch?.kind === kind) return this.#stretch.key;
    events.push(...this.#closeStretch());
    const key = `${kind} ${this.#stretches++}`;
    const head: HubItemHead = { kind };
    this.#stretch = { kind, key, startChars: this.#contentChars };
    events.push(...this.#sequence.open(key, head));
    return key;
  }

  #closeStretch(): readonly HubProgress[] {
    const stretch = this.#stretch;
    this.#stretch = undefined;
    if (stretch === undefined) return [];
    const blob = stretch.kind === 'reasoning' ? this.#takeBlob() : undefined;
    return this.#sequence.close(stretch.key, { complete: true, ...present({ blob }) });
  }

  #takeBlob(): HubBlob | undefined {
    const { blob } = this.#trace;
    this.#trace = new ReasoningTrace();
    return blob;
  }

  /** What the server wants back came without a word of reasoning, or behind the last one. */
  #restOfTrace(): readonly HubProgress[] {
    const blob = this.#takeBlob();
    if (blob === undefined) return [];
    const key = `reasoning ${this.#stretches++}`;
    return [
      ...this.#sequence.open(key, { kind: 'reasoning' }),
      ...this.#sequence.close(key, { complete: true, blob }),
    ];
  }

  #over(): readonly HubEvent[] {
    if (this.#state === 'waiting') throw truncated();
    this.#state = 'over';
    // A text without a finish reason is taken for whole at `[DONE]`; half a call could do harm.
    if (this.#finish === undefined && this.#calls.any) throw truncated();
    const ending = readFinish(this.#finish ?? 'stop', this.#calls.any);
    if (ending === 'error') throw truncated();
    if (this.#finish !== undefined && !isKnownFinish(this.#finish))
      this.#tools.note(`the finish reason "${this.#finish.slice(0, ERROR_WORD_CHARS_MAX)}"`);
    this.#calls.settle();
    return [
      ...(this.#stretch?.kind === 'reasoning' ? this.#closeStretch() : []),
      ...this.#sequence.closeAll(ending === 'length' || ending === 'filter'),
      ...this.#restOfTrace(),
      {
        type: 'finished',
        ending,
        ...present({ usage: this.#usage, serviceTier: this.#serviceTier }),
      },
    ];
  }
}

/** The older form has no number, as it has but one call. */
function callsOf(delta: WireSaid): readonly CallFragment[] {
  const { tool_calls: calls = [], function_call: legacy } = delta;
  if (legacy === undefined) return calls;
  return [...calls, { index: 0, id: undefined, type: 'function', function: legacy }];
}
