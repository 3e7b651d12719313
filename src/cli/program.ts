/** The command line: its commands and options, and one place where every failure becomes a line and an exit code. */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { homeOf, type Wishes } from '../config/paths.ts';
import { DRAIN_MS } from '../core/limits.ts';
import { version } from '../core/version.ts';
import { chat } from './chat.ts';
import { doctor } from './doctor/doctor.ts';
import { EXIT, EXIT_HELP, exitCodeOf } from './exit.ts';
import { init } from './init.ts';
import { restart, stop } from './life.ts';
import { type Listing, modelsListing, peersListing, show, statusListing } from './show.ts';
import { spelled } from './spelled.ts';
import { start } from './start.ts';
import { watch } from './watch.ts';
import type { World } from './world.ts';

/** Returns the exit code. Throws nothing. */
export async function runCli(argv: readonly string[], world: World): Promise<number> {
  let code: number = EXIT.ok;
  const program = commandLine(world, (result) => {
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
    if (exitCodeOf(error) === EXIT.notRunning)
      world.err.write(`Start one with: ${spelled(wishesOf(program, world), 'start')}\n`);
    return exitCodeOf(error);
  }
}

type Ends = (code: number) => void;

/** All commands. `ends` is told the exit code of the one that ran. */
export function commandLine(world: World, ends: Ends): Command {
  const program = base(world);
  addInit(program, world);
  addLife(program, world, ends);
  addListing(program, world, ends, {
    name: 'status',
    text: 'say what the daemon is doing',
    listing: statusListing,
  });
  addListing(program, world, ends, {
    name: 'peers',
    text: 'list the other nodes of the mesh',
    listing: peersListing,
  });
  addListing(program, world, ends, {
    name: 'models',
    text: 'list the models that can be called',
    listing: modelsListing,
  });
  addChat(program, world, ends);
  addDoctor(program, world, ends);
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
      filled,
    )
    .option('--home <directory>', 'the state directory (default: $CLAWMATRIX_HOME, or ~/.clawmatrix)', filled)
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

/** An empty path comes of a variable that is not set, and would mean the directory that the command is typed in. */
function filled(path: string): string {
  if (path === '') throw new InvalidArgumentError('It is empty.');
  return path;
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

function addLife(program: Command, world: World, ends: Ends): void {
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
    .description(
      `stop the daemon once its running calls have ended, ${DRAIN_MS / 1_000} s at most, and wait until it is gone`,
    )
    .action(async (_: unknown, command: Command) => {
      ends(await stop(world, homeOf(wishesOf(command, world)).control));
    });
  program
    .command('restart')
    .description(
      'check the configuration, and start the running daemon anew with it, in the same process; ' +
        'for a new version of the program, stop and start',
    )
    .action(async (_: unknown, command: Command) => {
      ends(await restart(world, homeOf(wishesOf(command, world)).control));
    });
}

interface ListingCommand<View> {
  readonly name: string;
  readonly text: string;
  readonly listing: Listing<View>;
}

function addListing<View>(
  program: Command,
  world: World,
  ends: Ends,
  { name, text, listing }: ListingCommand<View>,
): void {
  program
    .command(name)
    .description(text)
    .option('--json', 'as JSON, for programs')
    .option('--watch', 'again every second, until Ctrl-C; into a pipe, what has changed')
    .action(async (options: { json?: boolean; watch?: boolean }, command: Command) => {
      const { control: path } = homeOf(wishesOf(command, world));
      const json = options.json === true;
      if (options.watch === true) ends(await watch(world, listing, { path, json }));
      else await show(world, listing, { path, json });
    });
}

interface ChatFlags {
  readonly system?: string;
  readonly json?: boolean;
  readonly stream: boolean;
  readonly route?: boolean;
}

function addChat(program: Command, world: World, ends: Ends): void {
  program
    .command('chat')
    .description('ask a model, and write its answer as it comes')
    .argument('<model>', 'a model as "clawmatrix models" lists it, or NODE/MODEL')
    .argument(
      '[prompt]',
      'what to ask; text that is piped in comes below it, and is all with "-" or without it',
    )
    .option('--system <text>', 'a system message, before the prompt')
    .option('--json', 'the whole reply as JSON, once it is there')
    .option('--no-stream', 'ask for the answer in one piece')
    .option('-v, --route', 'say on standard error where the answer came from, also without a terminal')
    .action(async (model: string, prompt: string | undefined, flags: ChatFlags, command: Command) => {
      const { system, json = false, stream, route = false } = flags;
      const wishes = wishesOf(command, world);
      const words = {
        ...(prompt === undefined ? {} : { prompt }),
        ...(system === undefined ? {} : { system }),
      };
      ends(await chat(world, { ...wishes, model, ...words, json, stream, route }));
    });
}

function addDoctor(program: Command, world: World, ends: Ends): void {
  program
    .command('doctor')
    .description(
      'look at the configuration, file permissions, ports, model servers and peers, and say how to mend what is wrong',
    )
    .option('--json', 'as JSON, for programs')
    .option('--fix', 'mend the permissions of files')
    .action(async (options: { json?: boolean; fix?: boolean }, command: Command) => {
      const { json = false, fix = false } = options;
      ends(await doctor(world, { ...wishesOf(command, world), json, fix }));
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
