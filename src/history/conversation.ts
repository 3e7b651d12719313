/** A conversation written out: what a request refers to, put in its place, oldest first. Bounded in what it comes to. */
import type { TargetKey } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import { REQUEST_BODY_BYTES_MAX, RESPONSE_CHAIN_MAX } from '../core/limits.ts';
import { isObject, type JsonObject } from '../lib/json.ts';
import { opened } from './compaction.ts';
import { itemsOf, previousOf, referredTo } from './input.ts';
import type { Kept } from './kept.ts';

/** What is known of what requests refer to. */
export interface Recall {
  response(id: string): Kept | undefined;
  /** The one that has an item of this id in its output. */
  withItem(id: string): Kept | undefined;
}

export interface Readers {
  /** Targets that may get it and speak Responses: they take only what is theirs. */
  readonly own: readonly TargetKey[];
  /** Whether one of them may know what is not known here. */
  readonly mayKnow: boolean;
}

export class Conversation {
  readonly #recall: Recall;
  readonly #readers: Readers;
  /** What was looked up, with the length of its JSON: many references may be to one. */
  readonly #outputs = new Map<Kept, ReadonlyMap<string, Written>>();
  #chars = 0;

  constructor(recall: Recall, readers: Readers) {
    this.#recall = recall;
    this.#readers = readers;
  }

  /** The whole input of the request. */
  items(request: JsonObject): readonly unknown[] {
    const before = this.#chain(request).flatMap((kept) => [
      ...this.#written(itemsOf(kept.request().input), false),
      ...kept.output().flatMap((item) => this.#said(item, kept)),
    ]);
    const own = this.#written(itemsOf(request.input), true);
    // All of the conversation is known: an answer to what nobody asked would reach servers that make something of it.
    if (previousOf(request) !== undefined && !this.#readers.mayKnow) checkOutputs(before, own);
    return [...before, ...own];
  }

  /** The responses that the request goes on from. */
  #chain(request: JsonObject): readonly Kept[] {
    const chain: Kept[] = [];
    let bytes = 0;
    for (let id = previousOf(request); id !== undefined;) {
      const kept = this.#recall.response(id);
      // A server that gives all its responses one id has put this one in the place of what it went on from.
      if (kept === undefined || chain.includes(kept)) throw previousNotFound(id, chain.length);
      if (chain.length >= RESPONSE_CHAIN_MAX)
        throw tooLong(`goes over more than ${RESPONSE_CHAIN_MAX} responses`);
      bytes += kept.bytes;
      if (bytes > REQUEST_BODY_BYTES_MAX) throw tooLarge();
      chain.push(kept);
      id = previousOf(kept.request());
    }
    return chain.reverse();
  }

  #written(items: readonly unknown[], isOwn: boolean): readonly unknown[] {
    return items.flatMap((item, index): readonly unknown[] => {
      const id = referredTo(item);
      if (id === undefined) return [opened(item)];
      const kept = this.#recall.withItem(id);
      const found = kept === undefined ? undefined : this.#outputOf(kept).get(id);
      if (kept !== undefined && found !== undefined) {
        this.#count(found.chars);
        return this.#said(found.item, kept);
      }
      // Reasoning that only its provider has was never ours to send on.
      if (id.startsWith('rs_') && !this.#readers.mayKnow) return [];
      if (this.#readers.mayKnow) return [item];
      throw itemNotFound(id, isOwn ? `input[${index}].id` : 'previous_response_id');
    });
  }

  /** An item of an answer as input: what only the server that made it can read goes to no other of its kind. */
  #said(item: JsonObject, kept: Kept): readonly JsonObject[] {
    const { own } = this.#readers;
    if (own.length === 0) return [item];
    const { type, id: _id, status: _status, ...rest } = item;
    switch (type) {
      case 'reasoning': {
        const isItsOwn = own.every((target) => isSame(target, kept.parts.home?.target));
        return isItsOwn && isReadable(item) ? [item] : [];
      }
      case 'message':
      case 'function_call':
      case 'custom_tool_call':
        return [{ type, ...rest }];
      default:
        return [item];
    }
  }

  #outputOf(kept: Kept): ReadonlyMap<string, Written> {
    const known = this.#outputs.get(kept);
    if (known !== undefined) return known;
    const items = new Map<string, Written>();
    for (const item of kept.output())
      if (typeof item.id === 'string') items.set(item.id, { item, chars: JSON.stringify(item).length });
    this.#outputs.set(kept, items);
    return items;
  }

  #count(chars: number): void {
    this.#chars += chars;
    if (this.#chars > REQUEST_BODY_BYTES_MAX) throw tooLarge();
  }
}

/** Throws where the request brings the output of a tool that no model has called. */
function checkOutputs(before: readonly unknown[], own: readonly unknown[]): void {
  const called = new Set([...before, ...own].map((item) => callIdOf(item, CALLS)));
  const id = own.map((item) => callIdOf(item, OUTPUTS)).find((one) => one !== undefined && !called.has(one));
  if (id === undefined) return;
  const text = `input: there is the output of tool call "${id.slice(0, 128)}", and no such call in the conversation`;
  throw new ClawError('bad_request', text, { param: 'input' });
}

const CALLS: ReadonlySet<unknown> = new Set(['function_call', 'custom_tool_call']);
const OUTPUTS: ReadonlySet<unknown> = new Set(['function_call_output', 'custom_tool_call_output']);

function callIdOf(item: unknown, types: ReadonlySet<unknown>): string | undefined {
  if (!isObject(item) || !types.has(item.type)) return undefined;
  return typeof item.call_id === 'string' ? item.call_id : undefined;
}

/** Whether the server that wrote the reasoning can read it from here: it is in there, open or sealed. */
function isReadable({ encrypted_content: sealed, content }: JsonObject): boolean {
  return typeof sealed === 'string' || (Array.isArray(content) && content.length > 0);
}

interface Written {
  readonly item: JsonObject;
  readonly chars: number;
}

/** The request as one that refers to nothing. */
export function asBody(request: JsonObject, items: readonly unknown[]): Uint8Array {
  const { previous_response_id: _previous, ...rest } = request;
  const body = Buffer.from(JSON.stringify({ ...rest, input: items }));
  if (body.length > REQUEST_BODY_BYTES_MAX) throw tooLarge();
  return body;
}

function previousNotFound(id: string, behind = 0): ClawError {
  const which =
    behind === 0
      ? `there is no response with id "${id.slice(0, 128)}" here`
      : `the conversation cannot be gone on with: response "${id.slice(0, 128)}", ${behind} before the one that is named, is no longer kept`;
  const text = `previous_response_id: ${which}; send the whole conversation as "input"`;
  return new ClawError('previous_response_not_found', text, { param: 'previous_response_id' });
}

function itemNotFound(id: string, param: string): ClawError {
  const text = `${param}: there is no item with id "${id.slice(0, 128)}" here; send the item itself: most clients do where they are told "store": false`;
  return new ClawError('item_not_found', text, { param });
}

function tooLarge(): ClawError {
  return tooLong(`is larger than ${REQUEST_BODY_BYTES_MAX} bytes, the limit`);
}

function tooLong(what: string): ClawError {
  const text = `the conversation, written out with what it refers to, ${what}; send a shorter one as "input"`;
  return new ClawError('body_too_large', text, { param: 'previous_response_id' });
}

/** One account's server: any of its models can read what another of them wrote. */
export function isSame(one: TargetKey, other: TargetKey | undefined): boolean {
  return one.node === other?.node && one.provider === other.provider;
}
