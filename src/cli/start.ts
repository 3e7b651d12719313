/** `start`: the daemon in the foreground, from its ready line over any number of new starts to its ordered end. */
import { ConfigFaults } from '../config/faults.ts';
import { type Loaded, type LoadOptions, load } from '../config/load.ts';
import type { RestartPlan } from '../control/server.ts';
import { shortId } from '../core/ids.ts';
import type { Daemon, DaemonHost } from '../daemon.ts';
import { EXIT, exitCodeOf } from './exit.ts';
import { apiRoot } from './proxy.ts';
import { plainText } from './table.ts';
import { type SignalName, signalExitCode, type World } from './world.ts';

/** Returns the exit code, once the daemon has stopped for good. */
export async function start(world: World, options: LoadOptions): Promise<number> {
  const holder = new Holder(world, options);
  const unlisten = world.onSignal((name) => holder.signal(name));
  try {
    let loaded = await load(options);
    for (;;) {
      for (const warning of loaded.warnings) world.err.write(`warning: ${plainText(warning)}\n`);
      const code = await run(world, loaded, holder);
      const next = holder.next();
      if (next === undefined || code !== EXIT.ok) return code;
      loaded = next;
    }
  } finally {
    unlisten();
  }
}

/** From one start to its stop. */
async function run(world: World, loaded: Loaded, holder: Holder): Promise<number> {
  try {
    const daemon = await world.startDaemon(loaded, holder);
    if (holder.attach(daemon)) world.out.write(`${readyLine(daemon)}\n`);
    await Promise.race([daemon.stopped, holder.failure]);
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

type HoldState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running'; readonly daemon: Daemon }
  /** It stops, and starts anew with this. */
  | { readonly kind: 'restarting'; readonly next: Loaded }
  | { readonly kind: 'stopping' };

/**
 * Who holds the daemon. The first signal asks for an ordered stop, also of a daemon that is only starting; the second
 * ends all. A new start keeps the process, so that the terminal or service manager that holds it sees no end.
 */
class Holder implements DaemonHost {
  readonly #world: World;
  readonly #options: LoadOptions;
  #state: HoldState = { kind: 'starting' };
  #fail: (error: unknown) => void = () => {};
  /** Never settles but by rejecting, with what the ordered stop failed with. */
  readonly failure = new Promise<never>((_, reject) => {
    this.#fail = reject;
  });

  constructor(world: World, options: LoadOptions) {
    this.#world = world;
    this.#options = options;
  }

  signal(name: SignalName): void {
    if (this.#state.kind === 'stopping') {
      this.#world.exitNow(signalExitCode(name));
      return;
    }
    this.#world.err.write('clawmatrix: stopping; a second signal ends it at once\n');
    this.stop();
  }

  /** False when it is to stop again at once. */
  attach(daemon: Daemon): boolean {
    if (this.#state.kind !== 'starting') {
      this.#stop(daemon);
      return false;
    }
    this.#state = { kind: 'running', daemon };
    return true;
  }

  /** Stops for good, also where it was to start anew. */
  stop(): void {
    const state = this.#state;
    this.#state = { kind: 'stopping' };
    if (state.kind === 'running') this.#stop(state.daemon);
  }

  /** What was checked is what starts, whatever happens to the file meanwhile. */
  async restart(): Promise<RestartPlan> {
    try {
      const next = await load(this.#options);
      if (this.#state.kind === 'stopping') return { kind: 'stopping' };
      return { kind: 'accepted', bootEpoch: next.bootEpoch, go: () => this.#restart(next) };
    } catch (error) {
      if (error instanceof ConfigFaults) return { kind: 'faulty', text: error.message };
      throw error;
    }
  }

  /** What to start with, after a stop that was for a new start. */
  next(): Loaded | undefined {
    const state = this.#state;
    if (state.kind !== 'restarting') return undefined;
    this.#state = { kind: 'starting' };
    return state.next;
  }

  #restart(next: Loaded): void {
    const state = this.#state;
    if (state.kind === 'stopping') return;
    // Of two who ask, the later has read the newer configuration.
    this.#state = { kind: 'restarting', next };
    if (state.kind !== 'running') return;
    this.#world.err.write('clawmatrix: starting anew; running calls have their time to end\n');
    this.#stop(state.daemon);
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
