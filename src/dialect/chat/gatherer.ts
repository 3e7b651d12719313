/**
 * Puts the chunks of a Chat Completions stream together: for servers that stream when they are not asked to. Works on
 * the chunks as they are and not over the hub, so that fields which only this provider knows are kept.
 */
import { z } from 'zod';
import type { JsonObject } from '../../lib/json.ts';
import { AnyObject, maybe, parseProviderJson, readProvider } from '../door.ts';
import type { StreamGatherer } from '../shape.ts';
import { finishOf } from './whole-chunks.ts';

const Choice = z.looseObject({
  index: maybe(z.int()).catch(undefined),
  delta: maybe(AnyObject),
  /** Servers that tell the answer in one piece may do so in the form of a whole reply. */
  message: maybe(AnyObject).catch(undefined),
  finish_reason: maybe(z.string()),
  usage: z.unknown().optional(),
});
type Choice = z.infer<typeof Choice>;
const Chunk = z.looseObject({ choices: maybe(z.array(Choice)), usage: z.unknown().optional() });
const Logprobs = z.object({ content: maybe(z.array(z.unknown())), refusal: maybe(z.array(z.unknown())) });
const Calls = z.array(AnyObject).catch([]);

/** A map, as the names are foreign: one of them may be `__proto__`. */
type Fields = Map<string, unknown>;

export class ChatGatherer implements StreamGatherer {
  readonly #head: Fields = new Map();
  readonly #choices = new Map<number, GatheredChoice>();
  #usage: unknown;

  add(data: string): void {
    if (data.trim() === '[DONE]') return;
    const { choices = [], usage, ...head } = readProvider(Chunk, parseProviderJson(data, 'event'), 'event');
    setAll(this.#head, head);
    this.#usage = usage ?? this.#usage;
    for (const choice of choices) {
      const { index = 0, usage: ofChoice } = choice;
      this.#usage = ofChoice ?? this.#usage;
      let gathered = this.#choices.get(index);
      if (gathered === undefined) this.#choices.set(index, (gathered = new GatheredChoice()));
      gathered.add(choice);
    }
  }

  whole(): unknown {
    this.#head.set('object', 'chat.completion');
    const choices = [...this.#choices].map(([index, choice]) => ({ index, ...choice.whole() }));
    const usage = this.#usage === undefined ? {} : { usage: this.#usage };
    return { ...Object.fromEntries(this.#head), choices, ...usage };
  }
}

class GatheredChoice {
  readonly #fields: Fields = new Map();
  readonly #message: Fields = new Map();
  readonly #calls: GatheredCall[] = [];
  /** By number, and by the id of those that have none. */
  readonly #callsBy = new Map<unknown, GatheredCall>();
  readonly #logprobs: { content?: unknown[]; refusal?: unknown[] } = {};
  #finish: string | undefined;

  add({ index: _index, delta, message, finish_reason, usage: _usage, logprobs, ...rest }: Choice): void {
    const { tool_calls, role, ...said }: JsonObject = delta ?? message ?? {};
    setAll(this.#message, { role });
    for (const [name, value] of Object.entries(said)) append(this.#message, name, value);
    for (const call of Calls.parse(tool_calls)) this.#callOf(call).add(call);
    if (finish_reason) this.#finish = finish_reason;
    const told = Logprobs.safeParse(logprobs);
    if (told.success) {
      const { content, refusal } = told.data;
      if (content !== undefined) (this.#logprobs.content ??= []).push(...content);
      if (refusal !== undefined) (this.#logprobs.refusal ??= []).push(...refusal);
    }
    setAll(this.#fields, rest);
  }

  whole(): object {
    const calls = this.#calls.map((call) => call.whole());
    const { role = 'assistant', content, ...said } = Object.fromEntries(this.#message);
    const saysElse = calls.length > 0 || Boolean(said.refusal);
    const shown = content === '' && saysElse ? null : (content ?? null);
    const { content: ofContent = null, refusal = null } = this.#logprobs;
    return {
      message: { role, content: shown, ...said, ...(calls.length === 0 ? {} : { tool_calls: calls }) },
      logprobs: ofContent === null && refusal === null ? null : { content: ofContent, refusal },
      ...Object.fromEntries(this.#fields),
      finish_reason: finishOf(this.#finish, calls.length > 0),
    };
  }

  /** By number, else by id; a number that comes back with another id and a name is a new call. */
  #callOf({ index, id, function: named }: JsonObject): GatheredCall {
    const hasName = Boolean(AnyObject.safeParse(named).data?.name);
    const key = typeof index === 'number' ? index : id || undefined;
    const known = key === undefined ? (hasName ? undefined : this.#calls.at(-1)) : this.#callsBy.get(key);
    if (known !== undefined && !(hasName && id && known.id && known.id !== id)) return known;
    const call = new GatheredCall();
    this.#calls.push(call);
    if (key !== undefined) this.#callsBy.set(key, call);
    return call;
  }
}

class GatheredCall {
  readonly #fields: Fields = new Map();
  /** Of the function or the custom tool. */
  readonly #parts = new Map<'function' | 'custom', Fields>();

  get id(): unknown {
    return this.#fields.get('id');
  }

  add({ index: _index, function: ofFunction, custom, ...rest }: JsonObject): void {
    // Servers repeat the id and the type, or leave them empty in what follows.
    for (const [name, value] of Object.entries(rest)) if (value) this.#fields.set(name, value);
    this.#part('function', ofFunction);
    this.#part('custom', custom);
  }

  whole(): object {
    const call = Object.fromEntries(this.#fields);
    for (const [kind, fields] of this.#parts) {
      // Clients parse the arguments of every call, also of one that needs none.
      if (kind === 'function' && !fields.get('arguments')) fields.set('arguments', '{}');
      call.type ??= kind;
      call[kind] = Object.fromEntries(fields);
    }
    return call;
  }

  #part(kind: 'function' | 'custom', told: unknown): void {
    const part = AnyObject.safeParse(told);
    if (!part.success) return;
    let fields = this.#parts.get(kind);
    if (fields === undefined) this.#parts.set(kind, (fields = new Map()));
    for (const [name, value] of Object.entries(part.data)) {
      if (name === 'arguments' || name === 'input')
        append(fields, name, typeof value === 'object' && value !== null ? JSON.stringify(value) : value);
      else if (value) fields.set(name, value);
    }
  }
}

/** What is null takes nothing away. */
function setAll(fields: Fields, values: object): void {
  for (const [name, value] of Object.entries(values))
    if (value !== null && value !== undefined) fields.set(name, value);
}

/** Texts and lists grow; anything else is replaced. Mistral's models switch from a list of parts to a text. */
function append(fields: Fields, name: string, value: unknown): void {
  if (value === null || value === undefined) return;
  const known = fields.get(name);
  if (typeof known === 'string' && typeof value === 'string') fields.set(name, known + value);
  else if (Array.isArray(known)) known.push(...parts(value));
  else if (Array.isArray(value))
    fields.set(name, [...(typeof known === 'string' ? parts(known) : []), ...value]);
  else fields.set(name, value);
}

function parts(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'string') return [value];
  return value === '' ? [] : [{ type: 'text', text: value }];
}
