/**
 * Puts the items of a stream one after the other. Upstreams may send fragments of several tool calls in turns, while
 * clients lose arguments of items that interleave: the first open item passes at once, those behind it wait.
 */
import { ClawError } from '../core/errors.ts';
import { JSON_REPLY_BYTES_MAX } from '../core/limits.ts';
import type { HubDelta, HubItemHead, HubProgress } from './hub.ts';
import type { HubBlob, HubHostedItem } from './hub-item.ts';

export interface ItemEnd {
  readonly complete: boolean;
  readonly blob?: HubBlob;
}

interface Slot {
  readonly key: string;
  readonly head: HubItemHead | HubHostedItem;
  /** What has come while an earlier item was open. */
  waiting: HubDelta[];
  /** Whether its beginning has been told. */
  told: boolean;
  hasInput: boolean;
  end: ItemEnd | undefined;
}

export class Sequencer {
  readonly #slots: Slot[] = [];
  #waitingChars = 0;

  /** Begins an item. `key` is the upstream's own name for it within this stream. */
  open(key: string, head: HubItemHead): readonly HubProgress[] {
    const slot: Slot = { key, head, waiting: [], told: false, hasInput: false, end: undefined };
    this.#slots.push(slot);
    return this.#advance();
  }

  /** A whole item in one piece. */
  whole(key: string, item: HubHostedItem): readonly HubProgress[] {
    this.#slots.push({ key, head: item, waiting: [], told: false, hasInput: false, end: { complete: true } });
    return this.#advance();
  }

  isOpen(key: string): boolean {
    return this.#find(key) !== undefined;
  }

  /** A fragment of an open item; one of an item that is closed or unknown is dropped by the caller's choice. */
  add(key: string, delta: HubDelta): readonly HubProgress[] {
    const slot = this.#find(key);
    if (slot === undefined) return [];
    if (delta.type === 'input' && delta.text !== '') slot.hasInput = true;
    if (this.#slots[0] === slot) return [delta];
    this.#hold(slot, delta);
    return [];
  }

  close(key: string, end: ItemEnd): readonly HubProgress[] {
    const slot = this.#find(key);
    if (slot === undefined) return [];
    slot.end = end;
    return this.#advance();
  }

  /** Closes all that is open, in order; where the answer was cut, the last item is the one that lacks something. */
  closeAll(cut: boolean): readonly HubProgress[] {
    const last = this.#slots.at(-1);
    for (const slot of this.#slots) slot.end ??= { complete: !(cut && slot === last) };
    return this.#advance();
  }

  #find(key: string): Slot | undefined {
    return this.#slots.find((slot) => slot.key === key && slot.end === undefined);
  }

  #hold(slot: Slot, delta: HubDelta): void {
    if ('text' in delta) this.#waitingChars += delta.text.length;
    if (this.#waitingChars > JSON_REPLY_BYTES_MAX)
      throw new ClawError(
        'stream_buffer_exceeded',
        'the upstream interleaves more output than can be put in order',
      );
    // Input that waits comes out in one piece anyway: letter by letter it would cost a thousandfold.
    const last = slot.waiting.at(-1);
    if (last?.type === 'input' && delta.type === 'input')
      slot.waiting[slot.waiting.length - 1] = { type: 'input', text: last.text + delta.text };
    else slot.waiting.push(delta);
  }

  /** Passes on what waits, up to the first item that is still open. */
  #advance(): readonly HubProgress[] {
    const events: HubProgress[] = [];
    for (let slot = this.#slots[0]; slot !== undefined; slot = this.#slots[0]) {
      if (slot.head.kind === 'hosted') {
        events.push({ type: 'hosted', item: slot.head });
        this.#slots.shift();
        continue;
      }
      if (!slot.told) events.push({ type: 'item', item: slot.head });
      slot.told = true;
      for (const delta of slot.waiting) events.push(delta);
      slot.waiting = [];
      if (slot.end === undefined) break;
      // Clients parse the arguments of every call, and some take them from the fragments alone.
      if (slot.head.kind === 'call' && slot.head.call === 'function' && !slot.hasInput)
        events.push({ type: 'input', text: '{}' });
      events.push({ type: 'item_done', ...slot.end });
      this.#slots.shift();
    }
    return events;
  }
}
