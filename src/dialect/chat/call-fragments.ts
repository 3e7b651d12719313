/** The tool calls of a Chat Completions stream, put together from fragments that servers number in many ways. */
import { ClawError } from '../../core/errors.ts';
import type { HubProgress } from '../hub.ts';
import type { HubCallKind } from '../hub-item.ts';
import type { Sequencer } from '../sequencer.ts';
import type { DialectTools } from '../shape.ts';
import { isOtherCall, unnumberedCall } from './call-identity.ts';
import type { WireCall } from './said-wire.ts';

export type CallFragment = Pick<WireCall, 'index' | 'id' | 'type' | 'function'> &
  Partial<Pick<WireCall, 'custom'>>;

interface Call {
  readonly key: string;
  readonly givenId: string | undefined;
  name: string | undefined;
  /** Input that came before the name. */
  early: string;
  /** All of its input so far. */
  input: string;
}

export class CallFragments {
  readonly #sequence: Sequencer;
  readonly #tools: DialectTools;
  readonly #byIndex = new Map<number, Call>();
  readonly #all: Call[] = [];
  readonly #ids = new Set<string>();

  constructor(sequence: Sequencer, tools: DialectTools) {
    this.#sequence = sequence;
    this.#tools = tools;
  }

  get any(): boolean {
    return this.#all.length > 0;
  }

  /** Throws when a call never got a name: it cannot be made, and leaving it out would change the answer. */
  settle(): void {
    if (this.#all.some((call) => call.name === undefined))
      throw new ClawError('upstream_protocol', 'the upstream streamed a tool call without a name');
  }

  /** `closeOthers` closes what was open before, and is run when a new call begins. */
  read(wire: CallFragment, closeOthers: () => readonly HubProgress[]): readonly HubProgress[] {
    const kind: HubCallKind = wire.custom === undefined ? 'function' : 'custom';
    const name = wire.custom?.name || wire.function?.name || undefined;
    const input = wire.custom?.input ?? wire.function?.arguments ?? '';
    const call = this.#callOf(wire, name, input);
    call.input += input;
    if (call.name !== undefined) return this.#input(call.key, input);
    call.early += input;
    if (name === undefined) return [];
    call.name = name;
    return [
      ...closeOthers(),
      ...this.#sequence.open(call.key, {
        kind: 'call',
        call: kind,
        callId: this.#freshId(call.givenId),
        name,
      }),
      ...this.#input(call.key, call.early),
    ];
  }

  #input(key: string, text: string): readonly HubProgress[] {
    return text === '' ? [] : this.#sequence.add(key, { type: 'input', text });
  }

  #callOf({ index, id }: CallFragment, name: string | undefined, input: string): Call {
    const signs = { id, name, input };
    const known = index === undefined ? unnumberedCall(this.#all, signs) : this.#byIndex.get(index);
    if (known !== undefined && !isOtherCall(known, signs)) return known;
    const key = `call ${this.#all.length}`;
    const call: Call = { key, givenId: id || undefined, name: undefined, early: '', input: '' };
    this.#all.push(call);
    if (index !== undefined) this.#byIndex.set(index, call);
    return call;
  }

  /** Results are matched by id, so two calls of one answer must not share one. */
  #freshId(id: string | undefined): string {
    const fresh = id === undefined || this.#ids.has(id) ? this.#tools.randomId('call_') : id;
    this.#ids.add(fresh);
    return fresh;
  }
}
