/** The command line with both hands held: what it writes is kept, and nothing of the real process is touched. */

import { runCli } from '../../src/cli/program.ts';
import type { SignalName, World } from '../../src/cli/world.ts';
import { realClock } from '../support/real-clock.ts';

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
  readonly input?: string;
  readonly startDaemon?: World['startDaemon'];
}

export function testWorld(home: string, options: TestWorldOptions = {}): TestWorld {
  const written = { out: '', err: '' };
  const exits: number[] = [];
  const listeners = new Set<(name: SignalName) => void>();
  const { columns } = options;
  const writer = (name: 'out' | 'err') => ({
    columns,
    write: (text: string) => {
      written[name] += text;
    },
  });
  const world: TestWorld = {
    env: { CLAWMATRIX_HOME: home, ...options.env },
    out: writer('out'),
    err: writer('err'),
    clock: realClock,
    hostName: 'studio',
    readInput: async () => options.input ?? '',
    startDaemon: options.startDaemon ?? (async () => Promise.reject(new Error('no daemon in this test'))),
    onSignal: (run) => {
      listeners.add(run);
      return () => void listeners.delete(run);
    },
    exitNow: (code) => void exits.push(code),
    // The fake daemon is this process, which stays.
    isAlive: () => false,
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
