/** One request that is made to fit its server. Owns what of it is changed and what is told of that; one for each call. */
import type { Compat } from '../../core/compat.ts';
import { JsonMembers } from '../../dialect/json/json-members.ts';
import { isObject } from '../../lib/json.ts';

/** A request as its server takes it. */
export interface Fitted {
  readonly body: Uint8Array;
  /** Parameters that the server cannot take, by name: the client is told. */
  readonly leftOut: readonly string[];
  /** Usage was asked for in the place of a client that did not: it is not to see it. */
  readonly asksUsage: boolean;
  /** And how far the server has read the prompt. */
  readonly asksProgress: boolean;
}

export type Fit = (body: Uint8Array, compat: Compat, stream: boolean) => Fitted;

export class Fitting {
  readonly members: JsonMembers;
  readonly compat: Compat;
  readonly stream: boolean;
  readonly #leftOut = new Set<string>();
  asksUsage = false;
  asksProgress = false;

  constructor(body: Uint8Array, compat: Compat, stream: boolean) {
    this.members = new JsonMembers(body);
    this.compat = compat;
    this.stream = stream;
  }

  get fitted(): Fitted {
    const { members, asksUsage, asksProgress } = this;
    return { body: members.body, leftOut: [...this.#leftOut], asksUsage, asksProgress };
  }

  /** The client is told that this did not reach the server. */
  tell(name: string): void {
    this.#leftOut.add(name);
  }

  /** Without the member; one that says nothing, as null does, is not told of. */
  leaveOut(name: string, nothing: readonly string[] = []): void {
    const text = this.members.text(name)?.toString();
    if (text === undefined) return;
    this.members.remove(name);
    if (text !== 'null' && !nothing.includes(text)) this.tell(name);
  }

  /** What every dialect has under these names. */
  fitAccount(): void {
    const { supportsStore, supportsPromptCacheKey, supportsTemperature } = this.compat;
    if (supportsStore === false) {
      // A server that keeps nothing does as a client wants that asks it not to.
      this.leaveOut('store', ['false']);
      for (const name of ['metadata', 'service_tier', 'safety_identifier']) this.leaveOut(name);
    }
    if (supportsPromptCacheKey === false)
      for (const name of ['prompt_cache_key', 'prompt_cache_retention']) this.leaveOut(name);
    if (supportsTemperature === false) this.leaveOut('temperature');
  }

  /** `strict` where a tool keeps it: in itself, or in its `function`. */
  fitTools(): void {
    if (this.compat.supportsStrictMode !== false || !this.mentions('tools', STRICT)) return;
    const tools = this.members.value('tools');
    if (!Array.isArray(tools)) return;
    const fitted: unknown[] = tools.map((tool) => {
      const bare = this.#withoutStrict(tool);
      return isObject(bare) && isObject(bare.function)
        ? { ...bare, function: this.#withoutStrict(bare.function) }
        : bare;
    });
    this.members.set('tools', fitted);
  }

  /** The effort by the word that this server has for it. */
  mapped(effort: string): string {
    const { reasoningEffortMap = {} } = this.compat;
    return (Object.hasOwn(reasoningEffortMap, effort) ? reasoningEffortMap[effort] : undefined) ?? effort;
  }

  /** Whether the member's text has these bytes, which a search finds: nothing is parsed for it. */
  mentions(name: string, bytes: Buffer): boolean {
    return this.members.text(name)?.includes(bytes) === true;
  }

  #withoutStrict(tool: unknown): unknown {
    if (!isObject(tool) || !('strict' in tool)) return tool;
    const { strict, ...rest } = tool;
    if (strict === true) this.tell('tools.strict');
    return rest;
  }
}

const STRICT = Buffer.from('"strict"');
