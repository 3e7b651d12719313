/** The log: one JSON line per event, never with a secret in it. The only import of pino. */
import { type DestinationStream, type Logger, pino } from 'pino';
import type { Cancel, Clock } from './clock.ts';

export type Log = Logger;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

const MARK = Buffer.from('[secret]');

/** Every secret the process has loaded, so that none of them leaves it in a line of text. */
export class Secrets {
  readonly #values = new Map<string, Buffer>();

  /** A value under eight characters would blot out ordinary words, and is too short to be a key. */
  add(value: string): void {
    if (value.length >= 8) this.#values.set(value, Buffer.from(value));
  }

  /** The text with every known secret replaced. */
  scrub(text: string): string {
    let clean = text;
    for (const value of this.#values.keys()) {
      if (clean.includes(value)) clean = clean.replaceAll(value, '[secret]');
    }
    return clean;
  }

  /** The bytes with every known secret replaced: the very same where there is none. */
  scrubBytes(bytes: Uint8Array): Uint8Array {
    let clean = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let found = false;
    for (const value of this.#values.values()) {
      for (let at = clean.indexOf(value); at >= 0; at = clean.indexOf(value, at + MARK.length)) {
        clean = Buffer.concat([clean.subarray(0, at), MARK, clean.subarray(at + value.length)]);
        found = true;
      }
    }
    return found ? clean : bytes;
  }
}

export interface LogOptions {
  readonly clock: Clock;
  readonly level: LogLevel;
  readonly secrets: Secrets;
  /** Takes whole lines, each with its end. */
  readonly write: (lines: string) => void;
}

export function createLog({ clock, level, secrets, write }: LogOptions): Log {
  const destination: DestinationStream = { write: (line) => write(secrets.scrub(line)) };
  return pino({ level, base: null, timestamp: timestamps(clock) }, destination);
}

/** As pino's own, but written once a millisecond: a busy node has many lines in each. */
function timestamps(clock: Clock): () => string {
  let at = Number.NaN;
  let text = '';
  return () => {
    const now = Math.floor(clock.wall());
    if (now === at) return text;
    at = now;
    text = `,"time":"${new Date(now).toISOString()}"`;
    return text;
  };
}

/** Long enough to take the lines of many calls together, and shorter than anyone who reads along notices. */
const GATHER_MS = 20;

/**
 * Standard error, the lines of a moment in one write: to a file each write is a system call that the turn, and by that
 * the next call, waits for.
 */
export class StandardError {
  readonly #clock: Clock;
  #lines = '';
  #cancel: Cancel = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly write = (lines: string): void => {
    if (this.#lines === '') this.#cancel = this.#clock.after(GATHER_MS, this.flush);
    this.#lines += lines;
  };

  /** Writes what waits, now: also for the end of the process, which may come before the moment is over. */
  readonly flush = (): void => {
    this.#cancel();
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') process.stderr.write(lines);
  };
}
