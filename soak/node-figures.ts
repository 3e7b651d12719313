/** What a daemon's process holds, as the system and the daemon itself tell it. Linux only: it reads /proc. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DemoNode } from '../demo/node.ts';
import { askDaemon } from '../src/control/client.ts';
import { SystemClock } from '../src/lib/clock.ts';

const clock = new SystemClock();

/** Options of Node for a daemon that is looked at. */
export const WATCHED = ['--expose-gc', '--import', fileURLToPath(new URL('./watched.mjs', import.meta.url))];

const QUIET_MS = 400;

function pidOf({ pid, name }: DemoNode): number {
  if (pid === undefined) throw new Error(`${name} does not run`);
  return pid;
}

function rssMiB(node: DemoNode): number {
  const status = readFileSync(`/proc/${pidOf(node)}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
}

/** The longest that the daemon's event loop was held up since this, or its memory, was asked for the last time. */
export async function lagMs(node: DemoNode): Promise<number> {
  process.kill(pidOf(node), 'SIGUSR2');
  await sleep(QUIET_MS);
  return Number(readFileSync(join(node.home, 'lag-ms'), 'utf8'));
}

/** After two forced collections, with a pause for what the first one set free to be closed. */
export async function quietRssMiB(node: DemoNode): Promise<number> {
  for (let round = 0; round < 2; round++) {
    process.kill(pidOf(node), 'SIGUSR2');
    await sleep(QUIET_MS);
  }
  return rssMiB(node);
}

export function descriptors(node: DemoNode): number {
  return readdirSync(`/proc/${pidOf(node)}/fd`).length;
}

function controlOf({ home }: DemoNode) {
  return { path: join(home, 'control.sock'), clock, ms: 30_000 };
}

/** Calls that the node counts as running, as entry and as owner. */
export async function callsInFlight(node: DemoNode): Promise<number> {
  const { calls } = await askDaemon('status', controlOf(node));
  return calls.entry + calls.owner;
}

/** How many of its peers a node has no link to, and how many it has. */
export async function peersOf(node: DemoNode): Promise<{ readonly direct: number; readonly down: number }> {
  const { peers } = await askDaemon('status', controlOf(node));
  return peers;
}

/** Polls until the check holds; the milliseconds that it took, or undefined where it never did. */
export async function until(check: () => Promise<boolean>, withinMs: number): Promise<number | undefined> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < withinMs) {
    if (await check()) return performance.now() - startedAt;
    await sleep(50);
  }
  return undefined;
}
