/** One answer that is remembered: bytes as they came, read anew each time that somebody refers to it. */
import type { TargetKey } from '../core/call.ts';
import type { Home } from '../core/history.ts';
import { RESPONSE_OVERHEAD_BYTES } from '../core/limits.ts';
import { asBuffer } from '../dialect/framing/bytes.ts';
import { isObject, type JsonObject, tolerantJson } from '../lib/json.ts';
import { responseIn } from './told.ts';

export interface KeptParts {
  /** As the client knows it. */
  readonly id: string;
  /** Undefined: no target was asked for it. */
  readonly home: Home | undefined;
  /** The upstream's own id of it, where that is another. */
  readonly upstreamId: string | undefined;
  /** Whether its upstream may have it too: the client did not refuse that. */
  readonly stored: boolean;
  /** The client's JSON. */
  readonly request: Uint8Array;
  /** JSON: the Response object, or the event that ended its stream. */
  readonly answer: Uint8Array;
  /** Milliseconds since 1970. */
  readonly keptAt: number;
}

export class Kept {
  readonly parts: KeptParts;
  readonly bytes: number;
  #itemIds: ReadonlySet<unknown> | undefined;

  constructor(parts: KeptParts) {
    this.parts = parts;
    this.bytes = parts.request.length + parts.answer.length + RESPONSE_OVERHEAD_BYTES;
  }

  get id(): string {
    return this.parts.id;
  }

  /** The Response object as the client got it. */
  response(): JsonObject {
    return responseIn(this.parts.answer) ?? {};
  }

  request(): JsonObject {
    const value = tolerantJson(asBuffer(this.parts.request).toString());
    return isObject(value) ? value : {};
  }

  output(): readonly JsonObject[] {
    const { output } = this.response();
    return Array.isArray(output) ? output.filter(isObject) : [];
  }

  /** Read once: one request may refer to thousands of items. */
  hasItem(id: string): boolean {
    this.#itemIds ??= new Set(this.output().map((item) => item.id));
    return this.#itemIds.has(id);
  }

  /**
   * Who keeps it beside this node. A server that does says so in its Response object; others take whatever they are asked
   * for, and would go on from nothing without a word.
   */
  upstream(): TargetKey | undefined {
    const { home, stored, answer } = this.parts;
    if (!stored || home?.dialect !== 'responses') return undefined;
    // Most say otherwise, and are not read for that.
    if (!STORED.some((words) => asBuffer(answer).includes(words))) return undefined;
    return this.response().store === true ? home.target : undefined;
  }
}

const STORED = ['"store":true', '"store": true'].map((text) => Buffer.from(text));
