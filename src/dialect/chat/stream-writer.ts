/** Writes a Chat Completions stream from the hub. */
import type { HubDelta, HubItemHead, HubProgress } from '../hub.ts';
import type { HubLogprob } from '../hub-item.ts';
import type { DialectTools, StreamWriter, WriteContext } from '../shape.ts';
import { SSE_DONE, sseEvent } from '../framing/sse.ts';
import { writeFinish, writeUsage } from './ending.ts';
import { imageOfItem } from './foreign-items.ts';
import { writeForeignBlob } from './reasoning.ts';
import { moved, writeAnnotation, writeLogprobs } from './said-wire.ts';

interface CallHead {
  readonly kind: 'function' | 'custom';
  /** Counts calls, whatever lies between them. */
  readonly index: number;
}

/** What a chunk says beside its delta. */
interface Beside {
  readonly logprobs?: readonly HubLogprob[];
  readonly finish?: string | null;
  /** Members of the chunk itself, as JSON. */
  readonly more?: string;
}

export class ChatStreamWriter implements StreamWriter {
  /** All chunks of an answer have the same id, time and model. */
  readonly #head: string;
  /** OpenAI's form for clients that asked for usage: null on every chunk, and one chunk more at the end. */
  readonly #tail: string;
  readonly #tools: DialectTools;
  readonly #provider: string;
  readonly #wantsUsage: boolean;
  readonly #singleCall: boolean;
  #calls = 0;
  #details = 0;
  #call: CallHead | undefined;
  /** Of an item that shows its reasoning in two forms, the one that came first. */
  #reasoningOf: 'summary' | 'text' | undefined;
  #reasoned = false;
  #phase: string | undefined;
  /** Of all messages so far, which are one in this dialect, and where the present one begins in it. */
  #contentChars = 0;
  #messageStart = 0;

  constructor({ model, request, tools, provider }: WriteContext) {
    this.#provider = provider;
    this.#tools = tools;
    const id = tools.randomId('chatcmpl-');
    const created = Math.floor(tools.wall() / 1000);
    const head = JSON.stringify({ id, object: 'chat.completion.chunk', created, model });
    this.#head = head.slice(0, -1);
    this.#wantsUsage = request.streamUsage;
    this.#singleCall = request.singleCall === true;
    this.#tail = this.#wantsUsage ? ',"usage":null}' : '}';
  }

  write(event: HubProgress): string {
    switch (event.type) {
      case 'started':
        return this.#chunk({ role: 'assistant', content: '' });
      case 'item':
        return this.#begin(event.item);
      case 'item_done': {
        this.#call = undefined;
        const detail = writeForeignBlob(event.blob, this.#provider, this.#details);
        if (detail === undefined) return '';
        this.#details++;
        return this.#chunk({ reasoning_details: [detail] });
      }
      case 'hosted': {
        const image = imageOfItem(event.item, this.#tools);
        return image === undefined ? '' : this.#chunk({ images: [image] });
      }
      case 'finished':
        return this.#end(event);
      default:
        return this.#delta(event);
    }
  }

  #end({ ending, usage, serviceTier }: Extract<HubProgress, { type: 'finished' }>): string {
    const tier = serviceTier === undefined ? '' : `,"service_tier":${JSON.stringify(serviceTier)}`;
    const finish = this.#chunk({}, { finish: writeFinish(ending, this.#singleCall), more: tier });
    if (usage === undefined || !this.#wantsUsage) return finish + SSE_DONE;
    const told = `"usage":${JSON.stringify(writeUsage(usage))}`;
    return finish + sseEvent(`${this.#head}${tier},"choices":[],${told}}`) + SSE_DONE;
  }

  #begin(item: HubItemHead): string {
    if (item.kind === 'reasoning') {
      this.#reasoningOf = undefined;
      const isNext = this.#reasoned;
      this.#reasoned = false;
      return isNext ? this.#chunk({ reasoning_content: '\n\n' }) : '';
    }
    if (item.kind === 'message') {
      const isOther = this.#contentChars > 0 && item.phase !== this.#phase;
      this.#phase = item.phase;
      const between = isOther ? this.#content('\n\n', []) : '';
      this.#messageStart = this.#contentChars;
      return between;
    }
    const { call: type, callId: id, name } = item;
    const index = this.#calls++;
    if (this.#singleCall && index > 0) {
      this.#tools.note('a further tool call, which this client cannot read');
      return '';
    }
    this.#call = { kind: type, index };
    if (this.#singleCall) return this.#chunk({ function_call: { name, arguments: '' } });
    const head = type === 'custom' ? { custom: { name, input: '' } } : { function: { name, arguments: '' } };
    return this.#chunk({ tool_calls: [{ index, id, type, ...head }] });
  }

  #delta(delta: HubDelta): string {
    switch (delta.type) {
      case 'reasoning':
        this.#reasoningOf ??= delta.of;
        if (this.#reasoningOf !== delta.of || delta.text === '') return '';
        this.#reasoned = true;
        return this.#chunk({ reasoning_content: delta.text });
      case 'reasoning_break':
        return this.#reasoned ? this.#chunk({ reasoning_content: '\n\n' }) : '';
      case 'text':
        return this.#content(delta.text, delta.logprobs);
      case 'refusal':
        return this.#chunk({ refusal: delta.text });
      case 'annotation': {
        const annotation = writeAnnotation(moved(delta.annotation, this.#messageStart));
        return annotation === undefined ? '' : this.#chunk({ annotations: [annotation] });
      }
      case 'input': {
        if (this.#call === undefined) return '';
        const { index, kind } = this.#call;
        if (this.#singleCall) return this.#chunk({ function_call: { arguments: delta.text } });
        const input =
          kind === 'custom' ? { custom: { input: delta.text } } : { function: { arguments: delta.text } };
        return this.#chunk({ tool_calls: [{ index, ...input }] });
      }
    }
  }

  #content(text: string, logprobs: readonly HubLogprob[]): string {
    this.#contentChars += text.length;
    return this.#chunk({ content: text }, { logprobs });
  }

  #chunk(delta: object, { logprobs = [], finish = null, more = '' }: Beside = {}): string {
    const shown = logprobs.length === 0 ? '' : `,"logprobs":${JSON.stringify(writeLogprobs(logprobs))}`;
    const choice = `{"index":0,"delta":${JSON.stringify(delta)}${shown},"finish_reason":${JSON.stringify(finish)}}`;
    return sseEvent(`${this.#head}${more},"choices":[${choice}]${this.#tail}`);
  }
}
