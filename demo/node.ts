/** One daemon of the demo: a process of its own, in a home of its own, driven by the same commands that people type. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../bin/clawmatrix.js', import.meta.url));
const READY_MS = 15_000;

export class DemoNode {
  readonly name: string;
  readonly home: string;
  readonly #logFile: string;
  readonly #nodeArgs: readonly string[];
  #child: ChildProcess | undefined;

  /** `nodeArgs` are options of Node itself for the daemon. */
  constructor(name: string, parent: string, nodeArgs: readonly string[] = []) {
    this.name = name;
    this.home = join(parent, name);
    this.#logFile = join(parent, `${name}.log`);
    this.#nodeArgs = nodeArgs;
  }

  /** What it wrote to standard error: its log. */
  get log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** `clawmatrix init`, with the key of another node where there is one. */
  async init(keyOf?: DemoNode): Promise<void> {
    await mkdir(this.home, { mode: 0o700 });
    const key = keyOf === undefined ? [] : ['--key-file', join(keyOf.home, 'mesh.key')];
    const child = this.#spawn(['init', ...key]);
    child.stdout?.resume();
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`clawmatrix init for ${this.name} ended with ${code}:\n${this.log}`);
  }

  /** `clawmatrix start`; resolves with its ready line's addresses. */
  async start(config: object): Promise<{ readonly proxy: string; readonly mesh: string }> {
    await writeFile(join(this.home, 'clawmatrix.json'), JSON.stringify(config, undefined, 2), {
      mode: 0o600,
    });
    const child = this.#spawn(['start'], this.#nodeArgs);
    this.#child = child;
    const late = setTimeout(() => child.kill(), READY_MS);
    try {
      if (child.stdout === null) throw new Error('no standard output');
      for await (const line of createInterface({ input: child.stdout })) {
        const found = /ready: proxy (\S+?),? mesh (\S+?),/.exec(line);
        if (found?.[1] !== undefined && found[2] !== undefined) return { proxy: found[1], mesh: found[2] };
      }
    } finally {
      clearTimeout(late);
    }
    throw new Error(`node ${this.name} did not start:\n${this.log}`);
  }

  /** Sends a signal and waits for the end. With SIGTERM the daemon ends in order. Resolves with its exit code. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const ended = once(child, 'exit');
    child.kill(signal);
    const [code] = await ended;
    return code;
  }

  #spawn(args: readonly string[], nodeArgs: readonly string[] = []): ChildProcess {
    const env = { ...process.env, CLAWMATRIX_HOME: this.home, CLAWMATRIX_CONFIG: '' };
    const log = openSync(this.#logFile, 'a', 0o600);
    const child = spawn(process.execPath, [...nodeArgs, program, ...args], {
      env,
      // Straight into a file, as a service's log goes: nobody has to read it for the daemon to go on.
      stdio: ['ignore', 'pipe', log],
      // A process group of its own: Ctrl-C reaches the one who started it, who then stops it in order.
      detached: true,
    });
    closeSync(log);
    return child;
  }
}
