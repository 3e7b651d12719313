/** The processes of a benchmark but for the daemons: building them, starting them, their ports, ending them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import ts from 'typescript';
import type { Figures, Job, Said } from './job.ts';

export interface Part {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/** What the load generator does while this process looks on. */
export interface Watch {
  /** The span that counts begins: everything is open and warm. */
  onMeasuring(): void;
}

export interface Load {
  run(job: Job, watch: Watch): Promise<Figures>;
  stop(): Promise<void>;
}

/** Starts one of the files beside this one; its first line of output is its port. */
export async function startPart(
  folder: string,
  name: 'mock' | 'pipe',
  ...args: readonly string[]
): Promise<Part> {
  const child = spawn(process.execPath, [await build(folder, name), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(Number(line)));
    child.once('exit', () => reject(new Error(`the ${name} of the benchmark did not start`)));
  });
  return { pid: child.pid ?? 0, port, stop: () => end(child) };
}

/** One load generator for all jobs: it is warm from the second on. */
export async function startLoad(folder: string): Promise<Load> {
  const child = spawn(process.execPath, [await build(folder, 'load')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  return {
    run: (job, watch) =>
      new Promise((resolve, reject) => {
        const ended = () => reject(new Error('the load generator has ended'));
        const hear = (line: string) => {
          const said: Said = JSON.parse(line);
          if (said.kind === 'measuring') return watch.onMeasuring();
          lines.off('line', hear);
          child.off('exit', ended);
          resolve(said.figures);
        };
        child.once('exit', ended);
        lines.on('line', hear);
        child.stdin.write(`${JSON.stringify(job)}\n`);
      }),
    stop: () => end(child),
  };
}

/** Ends a process in order and waits for it. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** Plain JavaScript, as the daemons are: a loader in the process would be measured too. */
async function build(folder: string, name: string): Promise<string> {
  const source = await readFile(new URL(`./${name}.ts`, import.meta.url), 'utf8');
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
  });
  const file = join(folder, `${name}.mjs`);
  await writeFile(file, outputText);
  return file;
}
