/** One part of the soak: what it is called, what it does, and the report that it writes while it goes. */

export interface Options {
  /** In place of the full number: of handshakes, frames, calls, connections. */
  readonly count: number | undefined;
  /** Of the part `load`. */
  readonly minutes: number | undefined;
}

export interface Part {
  readonly name: string;
  readonly what: string;
  run(options: Options, report: Report): Promise<void>;
}

export class Report {
  readonly #part: string;
  readonly #startedAt = performance.now();
  #broken = 0;

  constructor(part: string) {
    this.#part = part;
  }

  /** Bounds that did not hold. */
  get broken(): number {
    return this.#broken;
  }

  say(line: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1_000).toFixed(1);
    process.stdout.write(`[${this.#part} ${seconds.padStart(6)} s] ${line}\n`);
  }

  /** A figure that must not be over its bound. */
  most(what: string, figure: number, bound: number, unit = ''): void {
    this.#judge(what, figure <= bound, `${rounded(figure)}${unit}, at most ${rounded(bound)}${unit}`);
  }

  holds(what: string, kept: boolean): void {
    this.#judge(what, kept, '');
  }

  #judge(what: string, kept: boolean, figures: string): void {
    if (!kept) this.#broken++;
    this.say(`${kept ? 'ok    ' : 'BROKEN'} ${what}${figures === '' ? '' : `: ${figures}`}`);
  }
}

export function rounded(figure: number): string {
  return String(Math.round(figure * 100) / 100);
}

/** `share` from 0 to 1: 0.99 is what 99 of 100 stay below. */
export function quantile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Runs `each` so many times, at most `together` at once. */
export async function inParallel(
  count: number,
  together: number,
  each: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await each(next++);
  };
  await Promise.all(Array.from({ length: Math.min(together, count) }, worker));
}
