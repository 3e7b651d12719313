/** All that the command line touches outside itself, so that a test can hold every end of it. */
import { once } from 'node:events';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import type { Environment } from '../config/expand.ts';
import type { Loaded } from '../config/load.ts';
import type { Daemon, DaemonHost } from '../daemon.ts';
import { type Clock, SystemClock } from '../lib/clock.ts';
import { readText } from '../lib/read-text.ts';

export interface Writer {
  write(text: string): void;
  /** Resolves when there is room again: what goes on writing before that is held in memory. */
  ready(): Promise<void>;
  /** Width of the terminal; undefined where it is none. */
  readonly columns: number | undefined;
  /** Its height, where it knows it. */
  readonly rows: number | undefined;
}

export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

export interface World {
  readonly env: Environment;
  readonly out: Writer;
  readonly err: Writer;
  readonly clock: Clock;
  readonly hostName?: string;
  /** Whether a person types what standard input has. */
  readonly inputIsTerminal: boolean;
  /** Standard input. It stops reading beyond so many bytes: a text that is longer was cut. */
  readInput(bytesMax: number): Promise<string>;
  startDaemon(loaded: Loaded, host: DaemonHost): Promise<Daemon>;
  onSignal(run: (name: SignalName) => void): () => void;
  /** Ends the process now, with whatever is open. */
  exitNow(code: number): void;
  /** Whether a process is there; the system's answer by default. */
  readonly isAlive?: (pid: number) => boolean;
}

const SIGNALS: readonly SignalName[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

export function processWorld(): World {
  return {
    env: process.env,
    out: writer(process.stdout),
    err: writer(process.stderr),
    clock: new SystemClock(),
    // Not `process.stdin`: to touch it is to open it, and most commands do not.
    inputIsTerminal: isatty(0),
    readInput: async (bytesMax) => (await readText(process.stdin, bytesMax)).text,
    // Loaded only where it is needed: `status` has no use for all that a daemon is made of.
    startDaemon: async (loaded, host) => (await import('../daemon.ts')).startDaemon(loaded, host),
    onSignal,
    exitNow: (code) => process.exit(code),
  };
}

/** How a shell writes that a process ended by a signal. */
export function signalExitCode(name: SignalName): number {
  return 128 + constants.signals[name];
}

/**
 * Runs work that a signal ends at once: its own signal aborts, and what it says from then on counts no more. Ctrl-C is
 * a way to end the command with this code.
 */
export function untilSignal(
  world: World,
  work: (signal: AbortSignal) => Promise<number>,
  codeOf: (name: SignalName) => number = signalExitCode,
): Promise<number> {
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    const unlisten = world.onSignal((name) => {
      resolve(codeOf(name));
      controller.abort();
    });
    work(controller.signal).finally(unlisten).then(resolve, reject);
  });
}

function writer(stream: NodeJS.WriteStream): Writer {
  return {
    write: (text) => void stream.write(text),
    ready: async () => {
      if (stream.writableNeedDrain) await once(stream, 'drain');
    },
    get columns() {
      // A terminal that does not know its size says 0.
      return stream.isTTY ? stream.columns || 80 : undefined;
    },
    get rows() {
      return stream.isTTY ? stream.rows || undefined : undefined;
    },
  };
}

function onSignal(run: (name: SignalName) => void): () => void {
  for (const name of SIGNALS) process.on(name, run);
  return () => {
    for (const name of SIGNALS) process.off(name, run);
  };
}
