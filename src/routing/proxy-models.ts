/**
 * What this node is told to think of models, whoever owns them: `proxyModels`. Owns which entry speaks of which model,
 * and what follows from it. Pure.
 */
import type { Card } from '../core/card.ts';
import { changed } from '../lib/changed.ts';

/** As it is configured. */
export interface ProxyModel {
  readonly id: string;
  readonly provider?: string | undefined;
  /** The only node that it is called on: its name or id. */
  readonly nodeId?: string | undefined;
  /** Whether each call begins with the description. */
  readonly tell?: boolean | undefined;
  readonly description?: string | undefined;
  readonly contextWindow?: number | undefined;
  readonly maxTokens?: number | undefined;
  readonly input?: readonly NonNullable<Card['input']>[number][] | undefined;
  readonly reasoning?: boolean | undefined;
  readonly cost?: Card['cost'];
}

interface Named {
  readonly id: string;
  readonly name: string;
}

export class ProxyModels {
  /** By model id. */
  readonly #entries = new Map<string, readonly ProxyModel[]>();

  constructor(entries: readonly ProxyModel[]) {
    for (const entry of entries) {
      const { id } = entry;
      this.#entries.set(id, [...(this.#entries.get(id) ?? []), entry]);
    }
  }

  get hasPins(): boolean {
    return [...this.#entries.values()].flat().some(({ nodeId }) => nodeId !== undefined);
  }

  /** Whether calls for that model may go to that node. */
  allows(card: Card, { id, name }: Named): boolean {
    const pin = this.#of(card)?.nodeId;
    return pin === undefined || pin === name || pin === id;
  }

  /** The node that a model of this name, as a client writes it, is pinned to. */
  pinOf(text: string): string | undefined {
    for (const [id, entries] of this.#entries) {
      if (text !== id && !text.endsWith(`/${id}`)) continue;
      const pinned = entries.find(({ nodeId }) => nodeId !== undefined);
      if (pinned !== undefined) return pinned.nodeId;
    }
    return undefined;
  }

  /** The card as it is listed here. */
  described(card: Card): Card {
    const entry = this.#of(card);
    if (entry === undefined) return card;
    const { description, contextWindow, maxTokens, input, reasoning, cost } = entry;
    return changed(card, {
      ...(description === undefined ? {} : { description }),
      ...(contextWindow === undefined ? {} : { contextWindow }),
      ...(maxTokens === undefined ? {} : { maxTokens }),
      ...(input === undefined ? {} : { input: [...input] }),
      ...(reasoning === undefined ? {} : { reasoning }),
      ...(cost === undefined ? {} : { cost }),
    });
  }

  /** What each call of the model begins with; undefined where nothing is told. */
  noteFor(card: Card): string | undefined {
    const entry = this.#of(card);
    if (entry?.tell !== true) return undefined;
    const description = entry.description ?? card.description;
    return description === undefined ? undefined : `[Model: ${description}]`;
  }

  /** One that names the provider goes before one that does not. */
  #of({ id, provider }: Card): ProxyModel | undefined {
    const entries = this.#entries.get(id) ?? [];
    return (
      entries.find((entry) => entry.provider === provider) ??
      entries.find((entry) => entry.provider === undefined)
    );
  }
}
