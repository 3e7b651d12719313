/** The history as a part of a daemon: made of its configuration, loaded at the start, on disk when it ends. */
import type { Answer, Target } from '../core/call.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { compacting, type CompactingParts } from './compacting.ts';
import { History } from './history.ts';
import { ResponseDisk } from './response-disk.ts';
import type { StoreLimits } from './response-store.ts';
import { resuming } from './resuming.ts';

export interface MemoryOptions extends StoreLimits {
  readonly keep: 'memory' | 'disk' | 'none';
  /** The directory, for `disk`. */
  readonly path: string;
}

export interface MemoryParts {
  readonly clock: Clock;
  readonly log: Log;
  /** The live targets that a model's name means. */
  readonly targets: (model: string) => readonly Pick<Target, 'node' | 'card'>[];
}

export class ResponseMemory {
  readonly history: History;
  readonly #disk: ResponseDisk | undefined;

  constructor({ keep, path, keepMs, bytesMax }: MemoryOptions, { clock, log, targets }: MemoryParts) {
    const limits = { keepMs, bytesMax };
    this.#disk = keep === 'disk' ? new ResponseDisk({ path, clock, log, limits }) : undefined;
    const disk = this.#disk === undefined ? {} : { disk: this.#disk };
    this.history = new History({ clock, limits: keep === 'none' ? null : limits, targets, ...disk });
  }

  /** For what clients ask: with another way where an upstream has forgotten something, or cannot sum up. */
  answering(answer: Answer, parts: CompactingParts): Answer {
    return compacting(resuming(answer, parts.newId), parts);
  }

  async start(): Promise<void> {
    await this.#disk?.load(this.history.store);
  }

  /** Resolves once all that is to be on disk is there. */
  async close(): Promise<void> {
    this.history.store.close();
    await this.#disk?.close();
  }
}
