/** All that the command line touches outside itself, so that a test can hold every end of it. */
import { constants } from 'node:os';
import type { Environment } from '../config/expand.ts';
import type { Loaded } from '../config/load.ts';
import type { Daemon } from '../daemon.ts';
import { type Clock, SystemClock } from '../lib/clock.ts';

export interface Writer {
  write(text: string): void;
  /** Width of the terminal; undefined where it is none. */
  readonly columns: number | undefined;
}

export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

export interface World {
  readonly env: Environment;
  readonly out: Writer;
  readonly err: Writer;
  readonly clock: Clock;
  readonly hostName?: string;
  /** Standard input, up to so many bytes. */
  readInput(bytesMax: number): Promise<string>;
  startDaemon(loaded: Loaded): Promise<Daemon>;
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
    readInput,
    // Loaded only where it is needed: `status` has no use for all that a daemon is made of.
    startDaemon: async (loaded) => (await import('../daemon.ts')).startDaemon(loaded),
    onSignal,
    exitNow: (code) => process.exit(code),
  };
}

/** How a shell writes that a process ended by a signal. */
export function signalExitCode(name: SignalName): number {
  return 128 + constants.signals[name];
}

function writer(stream: NodeJS.WriteStream): Writer {
  return {
    write: (text) => void stream.write(text),
    get columns() {
      return stream.isTTY ? stream.columns : undefined;
    },
  };
}

function onSignal(run: (name: SignalName) => void): () => void {
  for (const name of SIGNALS) process.on(name, run);
  return () => {
    for (const name of SIGNALS) process.off(name, run);
  };
}

async function readInput(bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > bytesMax) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
