/** The command line with both hands held: what it writes is kept, and nothing of the real process is touched. */

import { runCli } from '../../src/cli/program.ts';
import type { SignalName, World } from '../../src/cli/world.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { eventually } from '../support/eventually.ts';
import { pendingTimers, realClock } from '../support/real-clock.ts';

/** A command that a signal ended returns at once; what it had begun is let go within a moment. */
export async function lettingGo(): Promise<void> {
  await eventually('nothing is waited for any more', () => pendingTimers() === 0);
}

export interface TestWorld extends World {
  readonly written: { out: string; err: string };
  readonly exits: number[];
  /** How many listen for signals. */
  readonly listening: () => number;
  signal(name: SignalName): void;
  run(...argv: string[]): Promise<number>;
}

export interface TestWorldOptions {
  readonly env?: Record<string, string>;
  /** A terminal of this width; without it the output is a pipe. */
  readonly columns?: number;
  readonly rows?: number;
  /** Standard input; without it a person types there. */
  readonly input?: string;
  readonly clock?: Clock;
  /** Whether the daemon's process is there. It is this one, which stays: none is what most tests mean. */
  readonly isAlive?: boolean;
  readonly startDaemon?: World['startDaemon'];
}

export function testWorld(home: string, options: TestWorldOptions = {}): TestWorld {
  const written = { out: '', err: '' };
  const exits: number[] = [];
  const listeners = new Set<(name: SignalName) => void>();
  const { columns, rows } = options;
  const writer = (name: 'out' | 'err') => ({
    columns,
    rows,
    ready: async () => {},
    write: (text: string) => {
      written[name] += text;
    },
  });
  const world: TestWorld = {
    env: { CLAWMATRIX_HOME: home, ...options.env },
    out: writer('out'),
    err: writer('err'),
    clock: options.clock ?? realClock,
    hostName: 'studio',
    inputIsTerminal: options.input === undefined,
    readInput: async () => options.input ?? '',
    startDaemon: options.startDaemon ?? (async () => Promise.reject(new Error('no daemon in this test'))),
    onSignal: (run) => {
      listeners.add(run);
      return () => void listeners.delete(run);
    },
    exitNow: (code) => void exits.push(code),
    isAlive: () => options.isAlive === true,
    written,
    exits,
    listening: () => listeners.size,
    signal: (name) => {
      for (const run of listeners) run(name);
    },
    run: (...argv) => runCli(argv, world),
  };
  return world;
}
