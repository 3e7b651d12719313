/**
 * The tool calls of one choice in a stream that passes: gives each fragment the number of its call, and each call one id,
 * one name and arguments that are JSON. Clients put the fragments together by these, each in its own way.
 */
import { z } from 'zod';
import { SSE_EVENT_BYTES_MAX } from '../../../core/limits.ts';
import { isObject, type JsonObject } from '../../../lib/json.ts';
import { maybe } from '../../door.ts';
import { amended, amendedList, asText, isText } from '../../mend/amended.ts';
import { isOtherCall, type KnownCall, unnumberedCall } from '../call-identity.ts';

interface Call extends KnownCall {
  readonly index: number;
  readonly id: string;
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

export class CallFragmentsMender {
  readonly #randomId: (prefix: string) => string;
  readonly #calls: Call[] = [];
  /** By the server's numbers, which may stand for one call after the other. */
  readonly #byIndex = new Map<number, Call>();
  /** Those that calls have by now. */
  readonly #ids = new Set<string>();

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
    const known = this.#known(fragment, name, text ?? '');
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

  #known({ index, id }: Fragment, name: string | undefined, input: string): Call | undefined {
    const signs = { id: isText(id) ? id : undefined, name, input };
    const known = index === undefined ? unnumberedCall(this.#calls, signs) : this.#byIndex.get(index);
    return known === undefined || isOtherCall(known, signs) ? undefined : known;
  }

  #begin({ index: given, id, custom }: Fragment): Call {
    const call: Call = {
      // Clients put calls into a list by these: where the first is not 0, as behind text that counts too, they fail.
      index: this.#calls.length,
      // Results are matched by id, so two calls of one answer must not share one.
      id: isText(id) && !this.#ids.has(id) ? id : this.#randomId('call_'),
      givenId: isText(id) ? id : undefined,
      kind: isObject(custom) ? 'custom' : 'function',
      name: undefined,
      input: '',
    };
    this.#calls.push(call);
    this.#ids.add(call.id);
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

function isOwedInput({ kind, input }: Call): boolean {
  return kind === 'function' && input?.trim() === '';
}

function add(call: Call, text: string): void {
  if (call.input === undefined) return;
  call.input += text;
  if (call.input.length > SSE_EVENT_BYTES_MAX) call.input = undefined;
}
