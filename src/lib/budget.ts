/** A number of bytes that many share. Whoever takes some gives them back. */
export class Budget {
  readonly #total: number;
  #used = 0;

  constructor(totalBytes: number) {
    this.#total = totalBytes;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** Takes all of `bytes` or nothing; says which. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.#total) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    if (bytes > this.#used) throw new RangeError(`gave back ${bytes} bytes, only ${this.#used} are taken`);
    this.#used -= bytes;
  }
}
