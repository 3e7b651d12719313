/** The log: one JSON line per event, never with a secret in it. The only import of pino. */
import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Logger;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Every secret the process has loaded, so that none of them leaves it in a line of text. */
export class Secrets {
  readonly #values = new Set<string>();

  /** A value under eight characters would blot out ordinary words, and is too short to be a key. */
  add(value: string): void {
    if (value.length >= 8) this.#values.add(value);
  }

  /** The text with every known secret replaced. */
  scrub(text: string): string {
    let clean = text;
    for (const value of this.#values) {
      if (clean.includes(value)) clean = clean.replaceAll(value, '[secret]');
    }
    return clean;
  }
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly secrets: Secrets;
  /** Where lines go; the process's standard error by default. */
  readonly write?: (line: string) => void;
}

export function createLog({ level, secrets, write }: LogOptions): Log {
  const out = write ?? ((line: string) => void process.stderr.write(line));
  const destination: DestinationStream = { write: (line) => out(secrets.scrub(line)) };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
