/** All answers that are remembered: bounded in bytes and number, the least used one goes first, each expires. */
import { RESPONSES_MAX, RESPONSES_SWEEP_MS } from '../core/limits.ts';
import { AgingMap } from '../lib/aging-map.ts';
import type { Cancel, Clock } from '../lib/clock.ts';
import type { Kept } from './kept.ts';

export interface StoreLimits {
  readonly keepMs: number;
  readonly bytesMax: number;
}

/** Told of what changes, to do the same on disk. */
export interface StoreEvents {
  added(kept: Kept): void;
  used(kept: Kept): void;
  removed(kept: Kept): void;
}

interface Entry {
  readonly kept: Kept;
  /** On the clock that only runs forward. */
  expiresAt: number;
}

export class ResponseStore {
  readonly #clock: Clock;
  readonly #limits: StoreLimits;
  readonly #events: StoreEvents;
  /** The least lately used one is the oldest. */
  readonly #entries = new AgingMap<string, Entry>();
  /** By the id of an item of the output; what is not in here yet is in `#unread`. */
  readonly #items = new Map<string, Kept>();
  readonly #unread = new Set<Kept>();
  #bytes = 0;
  #cancel: Cancel | undefined;

  constructor(clock: Clock, limits: StoreLimits, events: StoreEvents) {
    this.#clock = clock;
    this.#limits = limits;
    this.#events = events;
  }

  /** One of the same id takes the place of the one before. */
  add(kept: Kept): void {
    if (this.#put(kept, this.#limits.keepMs)) this.#events.added(kept);
  }

  /** What was kept before this start. */
  restore(kept: Kept, leftMs: number): void {
    this.#put(kept, leftMs);
  }

  /** Whoever goes on from a response uses it: it stays for as long again. */
  get(id: string): Kept | undefined {
    const entry = this.#live(id);
    if (entry === undefined) return undefined;
    this.#entries.put(id, entry);
    entry.expiresAt = this.#clock.now() + this.#limits.keepMs;
    this.#events.used(entry.kept);
    return entry.kept;
  }

  /** The one whose output has an item of that id. The newest are looked into first, and each once. */
  withItem(itemId: string): Kept | undefined {
    let found = this.#items.get(itemId);
    for (const kept of found === undefined ? [...this.#unread].toReversed() : []) {
      this.#read(kept);
      found = this.#items.get(itemId);
      if (found !== undefined) break;
    }
    return found === undefined ? undefined : this.get(found.id);
  }

  delete(id: string): boolean {
    const entry = this.#live(id);
    if (entry !== undefined) this.#remove(entry.kept);
    return entry !== undefined;
  }

  /** Looks no more for what has expired. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #put(kept: Kept, leftMs: number): boolean {
    const before = this.#entries.get(kept.id);
    if (before !== undefined) this.#remove(before.kept);
    if (kept.bytes > this.#limits.bytesMax || leftMs <= 0) return false;
    this.#entries.put(kept.id, { kept, expiresAt: this.#clock.now() + leftMs });
    this.#unread.add(kept);
    this.#bytes += kept.bytes;
    while (this.#bytes > this.#limits.bytesMax || this.#entries.size > RESPONSES_MAX) {
      const oldest = this.#entries.takeOldest();
      if (oldest === undefined) break;
      this.#removed(oldest.kept);
    }
    this.#cancel ??= this.#clock.every(RESPONSES_SWEEP_MS, () => this.#sweep());
    return true;
  }

  #live(id: string): Entry | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.expiresAt > this.#clock.now()) return entry;
    this.#remove(entry.kept);
    return undefined;
  }

  /** All of them: who was restored expires before those that were used since. */
  #sweep(): void {
    for (const { kept } of this.#entries.values()) this.#live(kept.id);
    if (this.#entries.size === 0) this.close();
  }

  #read(kept: Kept): void {
    this.#unread.delete(kept);
    for (const { id } of kept.output()) if (typeof id === 'string') this.#items.set(id, kept);
  }

  #remove(kept: Kept): void {
    this.#entries.delete(kept.id);
    this.#removed(kept);
  }

  /** It is no longer among the entries. */
  #removed(kept: Kept): void {
    this.#bytes -= kept.bytes;
    // Only what was read has left its items in the index.
    if (!this.#unread.delete(kept)) {
      for (const { id } of kept.output())
        if (typeof id === 'string' && this.#items.get(id) === kept) this.#items.delete(id);
    }
    this.#events.removed(kept);
  }
}
