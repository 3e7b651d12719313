/** A log whose lines a test can read. */
import { FakeClock } from './fake-clock.ts';
import { createLog, type Log, Secrets } from '../../src/lib/log.ts';

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface LogLines {
  readonly log: Log;
  readonly lines: readonly LogLine[];
  /** The messages so far, in order. */
  readonly said: readonly string[];
  /** All of it, as it was written. */
  readonly text: string;
}

export function logLines(): LogLines {
  const written: string[] = [];
  const log = createLog({
    clock: new FakeClock(),
    level: 'debug',
    secrets: new Secrets(),
    write: (line) => void written.push(line),
  });
  const lines = () => written.map((line): LogLine => JSON.parse(line));
  return {
    log,
    get lines() {
      return lines();
    },
    get said() {
      return lines().map(({ msg }) => msg);
    },
    get text() {
      return written.join('');
    },
  };
}
