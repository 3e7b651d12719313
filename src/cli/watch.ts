/** `--watch`: a listing again and again until Ctrl-C, over any number of restarts of the daemon. */
import { ControlFault } from '../control/fault.ts';
import { pause } from '../control/patience.ts';
import { WATCH_MS } from '../core/limits.ts';
import { EXIT } from './exit.ts';
import type { Listing, ShowOptions } from './show.ts';
import { jsonLine } from './table.ts';
import { untilSignal, type World } from './world.ts';

/** Returns the exit code. A first look that finds no daemon throws, as without `--watch`. */
export function watch<View>(world: World, listing: Listing<View>, options: ShowOptions): Promise<number> {
  const screen = options.json || world.out.columns === undefined ? new Lines(world) : new Screen(world);
  const { path, json } = options;
  return untilSignal(
    world,
    async (signal) => {
      let seen = false;
      // The abort comes from outside.
      while (!isOver(signal)) {
        try {
          const view = await listing.ask({ path, clock: world.clock });
          seen = true;
          if (isOver(signal)) break;
          const gist = JSON.stringify(listing.gist(view));
          screen.show(json ? jsonLine(listing.json(view)) : listing.text(view, world), gist);
        } catch (error) {
          if (!seen || !(error instanceof ControlFault)) throw error;
          if (!isOver(signal)) screen.lost(`${error.message}; waiting for it to come back`);
        }
        await pause(world.clock, WATCH_MS, signal);
      }
      return EXIT.ok;
    },
    // Ctrl-C is how one ends a look, and no failure.
    () => EXIT.ok,
  );
}

function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** A terminal: always the present state, in place. */
class Screen {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  show(text: string): void {
    const lines = text.trimEnd().split('\n');
    // A line more than the terminal has would scroll, and the next drawing would miss its place.
    const room = Math.max(1, (this.#world.out.rows ?? Infinity) - 2);
    const shown = lines.length <= room ? lines : [...lines.slice(0, room), `… ${lines.length - room} more`];
    this.#draw(shown);
  }

  lost(why: string): void {
    this.#draw([why]);
  }

  /** Home, each line over the old one, and all below cleared: without the flicker of an empty screen. */
  #draw(lines: readonly string[]): void {
    this.#world.out.write(`\x1b[H${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`);
  }
}

/** A file or a program: a block for each change. */
class Lines {
  readonly #world: World;
  #gist = '';

  constructor(world: World) {
    this.#world = world;
  }

  show(text: string, gist: string): void {
    if (gist === this.#gist) return;
    const isBlock = text.indexOf('\n') < text.length - 1;
    if (this.#gist !== '' && isBlock) this.#world.out.write('\n');
    this.#gist = gist;
    this.#world.out.write(text);
  }

  lost(why: string): void {
    if (this.#gist === LOST) return;
    this.#gist = LOST;
    this.#world.err.write(`clawmatrix: ${why}\n`);
  }
}

/** No JSON is this. */
const LOST = 'lost';
