/** The processes of a benchmark: starting them, their ports, what they have used, ending them. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Figures, Job } from './job.ts';

const fileOf = (name: string) => fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
const run = promisify(execFile);

export interface Part {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts one of the files beside this one; its first line of output is its port. */
export async function startPart(name: 'mock' | 'pipe', ...args: readonly string[]): Promise<Part> {
  const child = spawn(process.execPath, ['--import', 'tsx', fileOf(name), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = Number(await firstLine(child));
  return { pid: child.pid ?? 0, port, stop: () => stop(child) };
}

/** Runs the load generator in a process of its own. */
export async function load(job: Job): Promise<Figures> {
  const { stdout } = await run(process.execPath, ['--import', 'tsx', fileOf('load'), JSON.stringify(job)]);
  return JSON.parse(stdout);
}

const TICKS_PER_SECOND = 100;

/** Processor seconds that a process has used so far. Linux only; elsewhere it is not a number. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident megabytes of a process. Linux only. */
export async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024;
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no standard output');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('a part of the benchmark did not start');
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
