/**
 * The tool calls of one choice in a stream that passes: gives each fragment the number of its call, and each call one id,
 * one name and arguments that are JSON. Clients put the fragments together by these, each in its own way.
 */
import { z } from 'zod';
import { SSE_EVENT_BYTES_MAX } from '../../../core/limits.ts';
import { tolerantJson } from '../../../lib/json.ts';
import { type JsonObject, maybe } from '../../door.ts';
import { amended, amendedList, asText, isObject, isText } from '../../mend/amended.ts';

interface Call {
  readonly index: number;
  readonly id: string;
  /** The server's own, where it gave one. */
  readonly givenId: string | undefined;
  readonly kind: 'function' | 'custom';
  name: string | undefined;
  /** Undefined once it is longer than any event that could be held against it. */
  input: string | undefined;
}

const Fragment = z.object({
  index: maybe(z.int().nonnegative()).catch(undefined),
  id: z.unknown().optional(),
  function: z.unknown().optional(),
  custom: z.unknown().optional(),
});
type Fragment = z.infer<typeof Fragment>;

interface Said {
  readonly name: string | undefined;
  /** Whether it brings arguments. */
  readonly says: boolean;
}

export class CallFragmentsMender {
  readonly #randomId: (prefix: string) => string;
  readonly #calls: Call[] = [];
  /** By the server's numbers, which may stand for one call after the other. */
  readonly #byIndex = new Map<number, Call>();

  constructor(randomId: (prefix: string) => string) {
    this.#randomId = randomId;
  }

  get any(): boolean {
    return this.#calls.length > 0;
  }

  /** `isLast`: the choice ends with these. */
  mend(fragments: readonly unknown[], isLast: boolean): readonly unknown[] {
    return amendedList(fragments, (raw) => (isObject(raw) ? this.#mended(raw, isLast) : raw));
  }

  /** What is owed to calls that have got no arguments: clients parse those of every call, also of one that needs none. */
  settle(): readonly JsonObject[] {
    return this.#calls.filter(isOwedInput).map((call) => {
      call.input = '{}';
      return { index: call.index, function: { arguments: '{}' } };
    });
  }

  #mended(raw: JsonObject, isLast: boolean): JsonObject {
    const fragment = Fragment.parse(raw);
    const told = isObject(fragment.function) ? fragment.function : undefined;
    const text = told === undefined ? undefined : asText(told.arguments);
    const name = nameOf(fragment);
    const known = this.#known(fragment, { name, says: isText(text) });
    const call = known ?? this.#begin(fragment);
    add(call, text ?? '');
    const owed = isLast && (told !== undefined || known === undefined) && isOwedInput(call);
    if (owed) call.input = '{}';
    const isRepeated = known?.name !== undefined && name !== undefined;
    call.name ??= name;
    return amended(raw, {
      index: call.index,
      ...(known === undefined ? firstFields(raw, call) : laterFields(raw)),
      ...(told === undefined && !owed
        ? {}
        : {
            function: amended(told ?? {}, {
              ...(isRepeated ? { name: undefined } : {}),
              arguments: owed ? '{}' : text,
            }),
          }),
    });
  }

  #known({ index, id: given }: Fragment, said: Said): Call | undefined {
    const id = isText(given) ? given : undefined;
    const known = index === undefined ? this.#unnumbered(id, said.name) : this.#byIndex.get(index);
    return known === undefined || isOther(known, id, said) ? undefined : known;
  }

  #unnumbered(id: string | undefined, name: string | undefined): Call | undefined {
    if (id !== undefined) return this.#calls.findLast((call) => call.givenId === id);
    const last = this.#calls.at(-1);
    return last?.name !== undefined && name !== undefined ? undefined : last;
  }

  #begin({ index: given, id, custom }: Fragment): Call {
    const taken = (index: number) => this.#calls.some((call) => call.index === index);
    const next = Math.max(-1, ...this.#calls.map(({ index }) => index)) + 1;
    const isFresh = isText(id) && !this.#calls.some((call) => call.id === id);
    const call: Call = {
      index: given === undefined || taken(given) ? next : given,
      // Results are matched by id, so two calls of one answer must not share one.
      id: isFresh ? id : this.#randomId('call_'),
      givenId: isText(id) ? id : undefined,
      kind: isObject(custom) ? 'custom' : 'function',
      name: undefined,
      input: '',
    };
    this.#calls.push(call);
    if (given !== undefined) this.#byIndex.set(given, call);
    return call;
  }
}

function firstFields({ type }: JsonObject, { id, kind }: Call): JsonObject {
  return { id, type: isText(type) ? type : kind };
}

/** An id that comes again is taken for another call by some clients, or joined to the first by others. */
function laterFields({ id }: JsonObject): JsonObject {
  return id === undefined || id === null ? {} : { id: undefined };
}

function nameOf({ function: ofFunction, custom }: Fragment): string | undefined {
  const named = isObject(custom) ? custom : ofFunction;
  return isObject(named) && isText(named.name) ? named.name : undefined;
}

/** A number that comes back with another id and a name, with another name, or when its call is whole, is a new call. */
function isOther(known: Call, id: string | undefined, { name, says }: Said): boolean {
  if (name === undefined) return false;
  if (id !== undefined && known.givenId !== undefined) return known.givenId !== id;
  if (known.name === undefined) return false;
  return known.name !== name || (says && id === undefined && isObject(tolerantJson(known.input ?? '')));
}

function isOwedInput({ kind, input }: Call): boolean {
  return kind === 'function' && input?.trim() === '';
}

function add(call: Call, text: string): void {
  if (call.input === undefined) return;
  call.input += text;
  if (call.input.length > SSE_EVENT_BYTES_MAX) call.input = undefined;
}
