/**
 * The wait for a server that still loads its model: it is asked again until it has, or for as long as its silence is borne.
 * Nobody waits here whose call another owner may answer at once.
 */
import { z } from 'zod';
import type { Call } from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import { LOADING_LOOK_MS } from '../core/limits.ts';
import type { Clock } from '../lib/clock.ts';
import { tolerantJson } from '../lib/json.ts';
import { onAbort, type StopSignal } from '../lib/signals.ts';

/** llama.cpp's, for every call until the model is there. Other servers hold the call and say nothing. */
const Loading = z.object({ error: z.object({ message: z.literal('Loading model') }) });

export function saysLoading(status: number, text: string): boolean {
  return status === 503 && Loading.safeParse(tolerantJson(text)).success;
}

export interface LoadingParts {
  readonly clock: Clock;
  readonly call: Call;
  readonly signal: StopSignal;
  readonly patienceMs: number;
}

export class LoadingWait {
  readonly #parts: LoadingParts;
  readonly #since: number;

  constructor(parts: LoadingParts) {
    this.#parts = parts;
    this.#since = parts.clock.now();
  }

  /** Resolves when the server may be asked again, to false where it was given time enough. Rejects with the call's end. */
  async again(): Promise<boolean> {
    const { clock, call, signal, patienceMs } = this.#parts;
    if (clock.now() - this.#since + LOADING_LOOK_MS > patienceMs) return false;
    call.report({ kind: 'loading' });
    await new Promise<void>((resolve, reject) => {
      const cancel = clock.after(LOADING_LOOK_MS, () => {
        unlink();
        resolve();
      });
      const unlink = onAbort(signal, (reason) => {
        cancel();
        reject(ClawError.from(reason, 'cancelled', 'the call was cancelled'));
      });
    });
    return true;
  }

  /** It has loaded. */
  over(): void {
    this.#parts.call.report({ kind: 'waiting' });
  }
}
