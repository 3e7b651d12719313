/** The Portkey gateway, as others run it: installed on demand, its own Node server, one hop to the mock. */
import { execFile, spawn } from 'node:child_process';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { end, type Part } from './parts.ts';

const PACKAGE = {
  private: true,
  dependencies: { '@portkey-ai/gateway': '1.15.2' },
  // With the newest of these that it allows, every stream ends in its own 500 (`TypeError: immutable`).
  overrides: { '@hono/node-server': '1.13.8' },
};
const folder = fileURLToPath(new URL('./.portkey/', import.meta.url));
const program = join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js');
const READY_MS = 15_000;
const TRY_EVERY_MS = 50;

/** The headers that send a call to the mock. */
export function portkeyHeaders(mockPort: number): Readonly<Record<string, string>> {
  return {
    Authorization: 'Bearer any',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `http://127.0.0.1:${mockPort}/v1`,
  };
}

export async function startPortkey(): Promise<Part> {
  await install();
  const port = await freePort();
  const child = spawn(process.execPath, [program, `--port=${port}`, '--headless'], {
    env: { ...process.env, NODE_ENV: 'production' },
    // It writes whole stacks for what it does not understand; the load generator counts what is broken.
    stdio: 'ignore',
  });
  const deadline = performance.now() + READY_MS;
  while (!(await listens(port))) {
    if (child.exitCode === null && performance.now() < deadline) continue;
    await end(child);
    throw new Error(`it did not listen on port ${port}`);
  }
  return { pid: child.pid ?? 0, port, stop: () => end(child) };
}

async function install(): Promise<void> {
  if (
    await access(program).then(
      () => true,
      () => false,
    )
  )
    return;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify(PACKAGE));
  const quiet = ['--no-package-lock', '--no-audit', '--no-fund', '--omit=dev'];
  // Its install script only patches packages that it is built with.
  await promisify(execFile)('npm', ['install', '--ignore-scripts', ...quiet], { cwd: folder });
}

/** It takes no 0 for a port. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

async function listens(port: number): Promise<boolean> {
  const up = await fetch(`http://127.0.0.1:${port}/`).then(
    (reply) => reply.body?.cancel().then(() => true) ?? true,
    () => false,
  );
  if (!up) await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
  return up;
}
