/** The command line: its commands and options, and one place where every failure becomes a line and an exit code. */
import { Command, CommanderError } from 'commander';
import { homeOf, type Wishes } from '../config/paths.ts';
import { stopDaemon } from '../control/stop.ts';
import { version } from '../core/version.ts';
import { EXIT, EXIT_HELP, exitCodeOf } from './exit.ts';
import { init } from './init.ts';
import { type ShowOptions, showModels, showPeers, showStatus } from './show.ts';
import { start } from './start.ts';
import type { World } from './world.ts';

/** Returns the exit code. Throws nothing. */
export async function runCli(argv: readonly string[], world: World): Promise<number> {
  let code: number = EXIT.ok;
  const program = build(world, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has written its own message; help and version end this way too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.badConfig;
    const text = error instanceof Error ? error.message : String(error);
    world.err.write(`clawmatrix: ${text}\n`);
    if (exitCodeOf(error) === EXIT.notRunning) world.err.write(`Start one with: ${startOf(program)}\n`);
    return exitCodeOf(error);
  }
}

/** The same node: without its options, another one would start. */
function startOf(program: Command): string {
  const { config, home } = program.opts<{ config?: string; home?: string }>();
  const words = ['clawmatrix'];
  if (home !== undefined) words.push('--home', home);
  if (config !== undefined) words.push('--config', config);
  return [...words, 'start'].join(' ');
}

function build(world: World, ends: (code: number) => void): Command {
  const program = base(world);
  addInit(program, world);
  program
    .command('start')
    .description('run the daemon, in the foreground, until SIGTERM or SIGINT')
    .action(async (_: unknown, command: Command) => {
      const { clock, hostName } = world;
      const named = hostName === undefined ? {} : { hostName };
      ends(await start(world, { ...wishesOf(command, world), clock, ...named }));
    });
  program
    .command('stop')
    .description('stop the daemon, and wait until it is gone')
    .action(async (_: unknown, command: Command) => {
      const { clock, isAlive } = world;
      const { control: path } = homeOf(wishesOf(command, world));
      const pid = await stopDaemon({ path, clock, ...(isAlive === undefined ? {} : { isAlive }) });
      world.out.write(`stopped (pid ${pid})\n`);
    });
  addListing(program, world, { name: 'status', text: 'say what the daemon is doing', show: showStatus });
  addListing(program, world, { name: 'peers', text: 'list the other nodes of the mesh', show: showPeers });
  addListing(program, world, {
    name: 'models',
    text: 'list the models that can be called',
    show: showModels,
  });
  return program;
}

function base(world: World): Command {
  const { out, err } = world;
  return new Command('clawmatrix')
    .description('Every model you own, on every machine you own, behind one localhost URL.')
    .version(version(), '-V, --version')
    .option(
      '--config <path>',
      'the configuration file (default: $CLAWMATRIX_CONFIG, or clawmatrix.json in the home)',
    )
    .option('--home <directory>', 'the state directory (default: $CLAWMATRIX_HOME, or ~/.clawmatrix)')
    .addHelpText('after', EXIT_HELP)
    .showHelpAfterError('(clawmatrix --help lists what there is)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: (text) => err.write(text),
      getOutHelpWidth: () => out.columns ?? 80,
      getErrHelpWidth: () => err.columns ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
}

function addInit(program: Command, world: World): void {
  program
    .command('init')
    .description("make this node's identity, network key and a first configuration; what is there stays")
    .option(
      '--key-file <file>',
      'join a mesh: take its network key from a file, or from standard input with "-"',
    )
    .option('--force', 'replace a network key that is there')
    .action(async (options: { keyFile?: string; force?: boolean }, command: Command) => {
      const { keyFile, force = false } = options;
      await init(world, {
        ...wishesOf(command, world),
        force,
        ...(keyFile === undefined ? {} : { keyFile }),
      });
    });
}

interface Listing {
  readonly name: string;
  readonly text: string;
  readonly show: (world: World, options: ShowOptions) => Promise<void>;
}

function addListing(program: Command, world: World, { name, text, show }: Listing): void {
  program
    .command(name)
    .description(text)
    .option('--json', 'as JSON, for programs')
    .action(async (options: { json?: boolean }, command: Command) => {
      const { control: path } = homeOf(wishesOf(command, world));
      await show(world, { path, json: options.json === true });
    });
}

function wishesOf(command: Command, world: World): Wishes {
  const { config, home } = command.optsWithGlobals<{ config?: string; home?: string }>();
  return {
    env: world.env,
    ...(config === undefined ? {} : { configPath: config }),
    ...(home === undefined ? {} : { home }),
  };
}
