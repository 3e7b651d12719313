/** `start`: the daemon in the foreground, from its ready line to its ordered end. */
import { ConfigFaults } from '../config/faults.ts';
import { type Loaded, type LoadOptions, load } from '../config/load.ts';
import { shortId } from '../core/ids.ts';
import type { Daemon } from '../daemon.ts';
import { EXIT, exitCodeOf } from './exit.ts';
import { apiRoot } from './show.ts';
import { plainText } from './table.ts';
import { type SignalName, signalExitCode, type World } from './world.ts';

/** Returns the exit code, once the daemon has stopped. */
export async function start(world: World, options: LoadOptions): Promise<number> {
  const stopping = new Stopping(world);
  const unlisten = world.onSignal((name) => stopping.signal(name));
  try {
    const loaded = await load(options);
    for (const warning of loaded.warnings) world.err.write(`warning: ${plainText(warning)}\n`);
    return await run(world, loaded, stopping);
  } finally {
    unlisten();
  }
}

async function run(world: World, loaded: Loaded, stopping: Stopping): Promise<number> {
  try {
    const daemon = await world.startDaemon(loaded);
    if (stopping.attach(daemon)) world.out.write(`${readyLine(daemon)}\n`);
    await Promise.race([daemon.stopped, stopping.failure]);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof ConfigFaults) throw error;
    const verbose = loaded.logLevel === 'debug' || loaded.logLevel === 'trace';
    const text =
      error instanceof Error ? ((verbose ? error.stack : undefined) ?? error.message) : String(error);
    world.err.write(`clawmatrix: ${loaded.secrets.scrub(text)}\n`);
    return exitCodeOf(error);
  }
}

type StopState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running'; readonly daemon: Daemon }
  | { readonly kind: 'stopping' };

/** What signals do: the first asks for an ordered stop, also of a daemon that is only starting; the second ends all. */
class Stopping {
  readonly #world: World;
  #state: StopState = { kind: 'starting' };
  #fail: (error: unknown) => void = () => {};
  /** Never settles but by rejecting, with what the ordered stop failed with. */
  readonly failure = new Promise<never>((_, reject) => {
    this.#fail = reject;
  });

  constructor(world: World) {
    this.#world = world;
  }

  signal(name: SignalName): void {
    const state = this.#state;
    if (state.kind === 'stopping') {
      this.#world.exitNow(signalExitCode(name));
      return;
    }
    this.#world.err.write('clawmatrix: stopping; a second signal ends it at once\n');
    this.#state = { kind: 'stopping' };
    if (state.kind === 'running') this.#stop(state.daemon);
  }

  /** False when it is to stop again at once. */
  attach(daemon: Daemon): boolean {
    if (this.#state.kind === 'stopping') {
      this.#stop(daemon);
      return false;
    }
    this.#state = { kind: 'running', daemon };
    return true;
  }

  #stop(daemon: Daemon): void {
    daemon.stop().catch((error: unknown) => this.#fail(error));
  }
}

function readyLine(daemon: Daemon): string {
  const { name, id, pid } = daemon.status();
  const mesh = daemon.listenUrl === null ? 'mesh dial-only' : `mesh ${daemon.listenUrl}`;
  return `clawmatrix ready: proxy ${apiRoot(daemon.proxyUrl)}, ${mesh}, node ${name} (${shortId(id)}), pid ${pid}`;
}
