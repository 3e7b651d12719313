/**
 * The output items of a Responses stream: which of them an event means, and what of each has been told. Servers leave
 * out events, numbers and ids; what a later event repeats of an item is held against it, so that nothing is lost.
 */
import { ClawError } from '../../core/errors.ts';
import { SSE_EVENT_BYTES_MAX } from '../../core/limits.ts';
import type { HubDelta, HubItemHead, HubProgress } from '../hub.ts';
import type { HubItem } from '../hub-item.ts';
import { present } from '../present.ts';
import { headOf, untold } from '../replay.ts';
import { Sequencer } from '../sequencer.ts';

/** How an event names its item: servers give either, both or neither. */
export interface ItemName {
  readonly index: number | undefined;
  readonly id: string | undefined;
}

export interface NamedItem {
  readonly name: ItemName;
  readonly item: HubItem;
}

interface Entry {
  readonly key: string;
  readonly name: ItemName;
  readonly kind: HubItem['kind'];
  callId: string | undefined;
  /** Unnamed: input of a call has come, but not what it calls. */
  state: 'unnamed' | 'open' | 'closed';
  /** All text so far; undefined once it is longer than any event that could repeat it. */
  told: string | undefined;
  annotations: number;
  logprobs: number;
  summaryIndex: number;
  /** As it began: some servers say all there and nothing later. */
  begun: HubItem | undefined;
}

export class StreamItems {
  readonly #sequence = new Sequencer();
  readonly #all: Entry[] = [];
  readonly #byIndex = new Map<number, Entry>();
  readonly #byId = new Map<string, Entry>();
  #hasCalls = false;

  get hasCalls(): boolean {
    return this.#hasCalls;
  }

  begin({ name, item }: NamedItem): readonly HubProgress[] {
    // A provider's own tool is told when it is done: only then it is known what it did.
    if (item.kind === 'hosted') return [];
    const known = this.#find(name);
    if (known?.state === 'unnamed' && item.kind === 'call')
      return isNamed(item) ? this.#named(known, item) : [];
    if (known !== undefined && known.name.id === name.id && isSame(known, item)) return [];
    const entry = this.#enter(name, item.kind);
    entry.begun = item;
    return [...this.#closed(known), ...(isNamed(item) ? this.#open(entry, headOf(item)) : [])];
  }

  /** Some servers begin with the delta: `head` is what it tells of its item. A call cannot begin without its name. */
  delta(name: ItemName, delta: HubDelta, head?: HubItemHead): readonly HubProgress[] {
    const known = this.#find(name);
    if (known?.state === 'open') return this.#tell(known, delta);
    if (head !== undefined) {
      const entry = this.#enter(name, head.kind);
      return [...this.#open(entry, head), ...this.#tell(entry, delta)];
    }
    // Input behind the end of its call was in that end already.
    if (known?.state !== 'closed') note(known ?? this.#enter(name, 'call'), delta);
    return [];
  }

  /** Each part of a summary is a paragraph of its own. */
  summary(name: ItemName, index: number, text: string): readonly HubProgress[] {
    const known = this.#find(name);
    const isNext = known?.state === 'open' && known.told !== '' && known.summaryIndex !== index;
    const pause = isNext ? this.#sequence.add(known.key, { type: 'reasoning_break' }) : [];
    const told = this.delta(name, { type: 'reasoning', of: 'summary', text }, { kind: 'reasoning' });
    const entry = this.#find(name);
    if (entry !== undefined) entry.summaryIndex = index;
    return [...pause, ...told];
  }

  /** What is said once more of a part or an input when it is done. */
  again(name: ItemName, delta: Extract<HubDelta, { text: string }>): readonly HubProgress[] {
    const known = this.#find(name);
    if (known?.state !== 'open' || known.told === undefined) return [];
    // A message has several parts, of which this may be any; a call has one input.
    if (known.told !== '' && !(delta.type === 'input' && delta.text.startsWith(known.told))) return [];
    const rest = delta.text.slice(known.told.length);
    return rest === '' ? [] : this.#tell(known, { ...delta, text: rest });
  }

  /** The item as a whole: what of it was not told yet is told now. */
  whole({ name, item }: NamedItem): readonly HubProgress[] {
    const known = this.#find(name);
    if (known !== undefined && (known.state === 'closed' ? known.name.id === name.id : true)) {
      if (isSame(known, item)) return this.#settle(known, item);
    }
    return [...this.#closed(known), ...this.#settle(this.#enter(name, item.kind), item)];
  }

  /** The end, which repeats all items, or at some servers is the only one that says them; closes what is open. */
  finish(output: readonly NamedItem[], cut: boolean): readonly HubProgress[] {
    const events: HubProgress[] = [];
    const claims = this.#claims(output);
    for (const named of output) {
      const { name, item } = named;
      events.push(...this.#settle(claims.get(named) ?? this.#enter(name, item.kind), item));
    }
    for (const entry of this.#all) {
      if (entry.state === 'unnamed') throw unnamed();
      if (entry.state === 'open' && entry.told === '' && entry.begun !== undefined)
        for (const delta of untold(entry.begun, entry)) events.push(...this.#tell(entry, delta));
    }
    return [...events, ...this.#sequence.closeAll(cut)];
  }

  #find({ index, id }: ItemName): Entry | undefined {
    // With neither a number nor an id only the item that is under way can be meant.
    if (index === undefined && id === undefined) return this.#all.at(-1);
    const numbered = index === undefined ? undefined : this.#byIndex.get(index);
    return numbered ?? (id === undefined ? undefined : this.#byId.get(id));
  }

  /** Which item of the stream each of these is: the surest sign first, as some servers change ids or places. */
  #claims(output: readonly NamedItem[]): ReadonlyMap<NamedItem, Entry> {
    const claims = new Map<NamedItem, Entry>();
    const claimed = new Set<Entry>();
    const claim = (entryOf: (named: NamedItem) => Entry | undefined) => {
      for (const named of output) {
        const entry = claims.has(named) ? undefined : entryOf(named);
        if (entry === undefined || claimed.has(entry) || !isSame(entry, named.item)) continue;
        claims.set(named, entry);
        claimed.add(entry);
      }
    };
    claim(({ name: { id } }) => (id === undefined ? undefined : this.#byId.get(id)));
    claim(({ name: { index } }) => (index === undefined ? undefined : this.#byIndex.get(index)));
    claim(({ item }) => this.#all.find((entry) => !claimed.has(entry) && isSame(entry, item)));
    return claims;
  }

  #enter(name: ItemName, kind: Entry['kind']): Entry {
    const entry: Entry = {
      key: `item ${this.#all.length}`,
      name,
      kind,
      callId: undefined,
      state: 'unnamed',
      told: '',
      annotations: 0,
      logprobs: 0,
      summaryIndex: 0,
      begun: undefined,
    };
    this.#all.push(entry);
    if (name.index !== undefined) this.#byIndex.set(name.index, entry);
    if (name.id !== undefined) this.#byId.set(name.id, entry);
    return entry;
  }

  #open(entry: Entry, head: HubItemHead): readonly HubProgress[] {
    entry.state = 'open';
    if (!isNamed(head)) throw unnamed();
    if (head.kind === 'call') {
      entry.callId = head.callId;
      this.#hasCalls = true;
    }
    return this.#sequence.open(entry.key, head);
  }

  /** A call whose input came first. */
  #named(entry: Entry, item: HubItem): readonly HubProgress[] {
    const early = entry.told ?? '';
    entry.told = '';
    entry.begun = item;
    if (item.kind === 'hosted') return [];
    return [...this.#open(entry, headOf(item)), ...this.#tell(entry, { type: 'input', text: early })];
  }

  #tell(entry: Entry, delta: HubDelta): readonly HubProgress[] {
    note(entry, delta);
    return this.#sequence.add(entry.key, delta);
  }

  #settle(entry: Entry, item: HubItem): readonly HubProgress[] {
    if (entry.state === 'closed') return [];
    if (item.kind === 'hosted') {
      entry.state = 'closed';
      return this.#sequence.whole(entry.key, item);
    }
    const events: HubProgress[] = [];
    if (entry.state === 'unnamed') {
      entry.told = '';
      events.push(...this.#open(entry, headOf(item)));
    }
    for (const delta of untold(item, entry)) events.push(...this.#tell(entry, delta));
    const complete = item.kind === 'reasoning' || item.complete;
    const blob = item.kind === 'reasoning' ? item.blob : undefined;
    return [...events, ...this.#close(entry, { complete, ...present({ blob }) })];
  }

  /** An item gives way to another one of its number. */
  #closed(entry: Entry | undefined): readonly HubProgress[] {
    return entry?.state === 'open' ? this.#close(entry, { complete: true }) : [];
  }

  #close(entry: Entry, end: Parameters<Sequencer['close']>[1]): readonly HubProgress[] {
    entry.state = 'closed';
    entry.told = undefined;
    return this.#sequence.close(entry.key, end);
  }
}

/** Some servers begin a call before they know what it calls. */
function isNamed(item: HubItem | HubItemHead): boolean {
  return item.kind !== 'call' || (item.name !== '' && item.callId !== '');
}

function unnamed(): ClawError {
  return new ClawError('upstream_protocol', 'the upstream streamed a tool call without a name or id');
}

function isSame(entry: Entry, item: HubItem): boolean {
  if (entry.kind !== item.kind) return false;
  return item.kind !== 'call' || entry.callId === undefined || entry.callId === item.callId;
}

function note(entry: Entry, delta: HubDelta): void {
  if (delta.type === 'annotation') entry.annotations++;
  if (delta.type === 'text') entry.logprobs += delta.logprobs.length;
  if (!('text' in delta) || entry.told === undefined) return;
  entry.told += delta.text;
  if (entry.told.length > SSE_EVENT_BYTES_MAX) entry.told = undefined;
}
