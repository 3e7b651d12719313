/** Where the process begins: the real world around the command line, and a quiet end when nobody reads on. */
import { runCli } from './program.ts';
import { processWorld } from './world.ts';

const world = processWorld();
let life: 'of a command' | 'of a daemon' = 'of a command';

// `clawmatrix models | head -1`: the reader has what it wanted, and that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (life === 'of a command') process.exit(error.code === 'EPIPE' ? 0 : 1);
});
// Whoever reads the log or the ready line has gone: no reason for a daemon to end in the middle of its calls.
process.stderr.on('error', () => {});

const code = await runCli(process.argv.slice(2), {
  ...world,
  startDaemon: (loaded, host) => {
    life = 'of a daemon';
    return world.startDaemon(loaded, host);
  },
});
// What was written is still to go out; but Ctrl-C waits for no reader.
if (code < 128) await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
process.exit(code);
