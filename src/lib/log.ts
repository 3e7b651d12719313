/** The log: one JSON line per event, never with a secret in it. The only import of pino. */
import { type DestinationStream, type Logger, pino } from 'pino';
import type { Clock } from './clock.ts';

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
  readonly level: LogLevel;
  readonly secrets: Secrets;
  /** Takes whole lines, each with its end. */
  readonly write: (lines: string) => void;
}

export function createLog({ level, secrets, write }: LogOptions): Log {
  const destination: DestinationStream = { write: (line) => write(secrets.scrub(line)) };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

/**
 * Standard error, the lines of one turn of the event loop in one write: a busy node settles many calls in a turn, and
 * to a file each write is a system call that the turn waits for.
 */
export class StandardError {
  readonly #clock: Clock;
  #lines = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly write = (lines: string): void => {
    if (this.#lines === '') this.#clock.soon(this.flush);
    this.#lines += lines;
  };

  /** Writes what waits, now: also for the end of the process, which a turn may not reach. */
  readonly flush = (): void => {
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') process.stderr.write(lines);
  };
}
