/** The names under which an upstream knows tools that it has to be told of in another way, and what they stand for. */
import { createHash } from 'node:crypto';
import { TOOL_NAME_CHARS_MAX } from '../../core/limits.ts';
import type { HubTool } from '../hub.ts';

/** What every server takes as the name of a function. */
const ALLOWED = new RegExp(`^[a-zA-Z0-9_-]{1,${TOOL_NAME_CHARS_MAX}}$`);
const HASH_CHARS = 8;

/** One for each request. The same tool has the same name in each, as a conversation repeats its calls. */
export class ToolNames<T extends { readonly name: string; readonly namespace?: string }> {
  readonly #byOwn = new Map<string, string>();
  readonly #byGiven = new Map<string, T>();
  readonly #taken: Set<string>;

  /** `declared`: tools that keep their names. */
  constructor(declared: readonly HubTool[]) {
    this.#taken = new Set(declared.map((tool) => (tool.kind === 'hosted' ? '' : tool.name)));
  }

  /** The name that the upstream is told: `wanted`, where that can be one and no other tool has it. */
  give(tool: T, wanted: string): string {
    const own = JSON.stringify([tool.namespace, tool.name]);
    const known = this.#byOwn.get(own);
    if (known !== undefined) return known;
    const given = this.#free(wanted, own);
    this.#taken.add(given);
    this.#byOwn.set(own, given);
    this.#byGiven.set(given, tool);
    return given;
  }

  /** What the upstream means by a name; undefined for one that was not given here. */
  meant(given: string): T | undefined {
    return this.#byGiven.get(given);
  }

  #free(wanted: string, own: string): string {
    if (ALLOWED.test(wanted) && !this.#taken.has(wanted)) return wanted;
    const clean = wanted.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, TOOL_NAME_CHARS_MAX - HASH_CHARS - 1);
    for (let hashed = own; ; hashed += own) {
      const hash = createHash('sha256').update(hashed).digest('hex').slice(0, HASH_CHARS);
      const name = `${clean}_${hash}`;
      if (!this.#taken.has(name)) return name;
    }
  }
}
