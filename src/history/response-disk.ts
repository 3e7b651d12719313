/**
 * The directory that remembered answers are in, one file for each: what is there at a start is remembered again. Writes
 * go one after the other behind the calls; one that fails is logged, and memory goes on without it.
 */
import { createHash } from 'node:crypto';
import { readdir, stat, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { RESPONSE_TOUCH_MS, RESPONSE_WRITES_MAX, RESPONSES_MAX } from '../core/limits.ts';
import type { Clock } from '../lib/clock.ts';
import { isErrno } from '../lib/errno.ts';
import { privateDirectory, readPrivate, writePrivate } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import type { Kept } from './kept.ts';
import { fileOf, keptIn } from './response-file.ts';
import type { ResponseStore, StoreEvents, StoreLimits } from './response-store.ts';

export interface DiskParts {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: StoreLimits;
}

interface Found {
  readonly path: string;
  /** When it was last used, in milliseconds since 1970. */
  readonly usedAt: number;
  readonly bytes: number;
}

const SUFFIX = '.response';

export class ResponseDisk implements StoreEvents {
  readonly #parts: DiskParts;
  /** When each was last noted as used, on the clock that only runs forward. */
  readonly #noted = new Map<string, number>();
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #lost = 0;

  constructor(parts: DiskParts) {
    this.#parts = parts;
  }

  /** Makes the directory where there is none. Rejects with what its owner has to mend. */
  async load(store: ResponseStore): Promise<void> {
    const { path, clock, limits, log } = this.#parts;
    await privateDirectory(path);
    const now = clock.wall();
    const found = (await this.#found()).sort((a, b) => b.usedAt - a.usedAt);
    const fresh = found.filter(({ usedAt }) => now - usedAt < limits.keepMs).slice(0, RESPONSES_MAX);
    let bytes = 0;
    const fitting = fresh
      // One that is larger than all may be is none of these, and takes no room from the others.
      .filter((file) => file.bytes <= limits.bytesMax)
      .filter((file) => (bytes += file.bytes) <= limits.bytesMax);
    const stays = new Set(fitting);
    for (const file of found) if (!stays.has(file)) this.#queue(() => orGone(unlink(file.path)));
    // The latest used one last: that is the order in which they are let go.
    for (const file of fitting.reverse()) {
      const kept = await this.#read(file);
      if (kept === undefined) continue;
      this.#noted.set(kept.id, clock.now());
      store.restore(kept, limits.keepMs - Math.max(0, now - file.usedAt));
    }
    if (fitting.length > 0) log.debug({ responses: fitting.length, bytes }, 'responses loaded');
  }

  added(kept: Kept): void {
    this.#noted.set(kept.id, this.#parts.clock.now());
    this.#queueUnlessFull(() => writePrivate(this.#pathOf(kept.id), fileOf(kept)));
  }

  /** A file's time says when it was last used: it is kept for so long from then. */
  used({ id }: Kept): void {
    const { clock } = this.#parts;
    const noted = this.#noted.get(id) ?? Number.NEGATIVE_INFINITY;
    if (clock.now() - noted < RESPONSE_TOUCH_MS) return;
    this.#noted.set(id, clock.now());
    const seconds = clock.wall() / 1000;
    this.#queueUnlessFull(() => orGone(utimes(this.#pathOf(id), seconds, seconds)));
  }

  removed({ id }: Kept): void {
    this.#noted.delete(id);
    this.#queue(() => orGone(unlink(this.#pathOf(id))));
  }

  /** Resolves once all is written. */
  async close(): Promise<void> {
    await this.#last;
  }

  async #found(): Promise<Found[]> {
    const found: Found[] = [];
    for (const entry of await readdir(this.#parts.path, { withFileTypes: true })) {
      const path = join(this.#parts.path, entry.name);
      // Half of a file that a crash left behind.
      if (entry.isFile() && entry.name.endsWith('.tmp')) this.#queue(() => orGone(unlink(path)));
      if (!entry.name.endsWith(SUFFIX)) continue;
      if (entry.isFile()) {
        const { mtimeMs: usedAt, size: bytes } = await stat(path);
        found.push({ path, usedAt, bytes });
      } else this.#leaveOut(path, 'it is not a file');
    }
    return found;
  }

  async #read({ path, bytes }: Found): Promise<Kept | undefined> {
    let reason: unknown = 'it is not whole, or no response';
    try {
      const kept = keptIn(await readPrivate(path, bytes));
      if (kept !== undefined) return kept;
    } catch (error) {
      reason = error instanceof Error ? error.message : error;
    }
    this.#leaveOut(path, reason);
    return undefined;
  }

  #leaveOut(file: string, reason: unknown): void {
    this.#parts.log.warn({ file, reason }, 'a kept response cannot be read, and is left out');
  }

  /** What is to be deleted always is: there are no more of these than there were files. */
  #queueUnlessFull(write: () => Promise<void>): void {
    if (this.#waiting < RESPONSE_WRITES_MAX) this.#queue(write);
    else this.#lost++;
  }

  /** In order: what is deleted was written before. */
  #queue(write: () => Promise<void>): void {
    this.#waiting++;
    this.#last = this.#last.then(write).then(
      () => this.#written(),
      (error: unknown) => {
        this.#written();
        this.#parts.log.warn({ err: error }, 'a response could not be kept on disk');
      },
    );
  }

  #written(): void {
    this.#waiting--;
    if (this.#waiting > 0 || this.#lost === 0) return;
    this.#parts.log.warn({ lost: this.#lost }, 'the disk was too slow: some responses are in memory alone');
    this.#lost = 0;
  }

  /** Of letters that every file system takes, whatever the id holds. */
  #pathOf(id: string): string {
    const digest = createHash('sha256').update(id).digest('hex');
    return join(this.#parts.path, digest + SUFFIX);
  }
}

/** A file that is not there any more needs nothing done to it. */
async function orGone(done: Promise<void>): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
