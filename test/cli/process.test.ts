/** The command as a process: its real streams and exit codes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { testHome } from '../config/home.ts';
import { fakeDaemon, model } from '../control/socket.ts';
import { within } from '../support/eventually.ts';

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;

function command(home: string, ...argv: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...argv], {
    env: { ...process.env, CLAWMATRIX_HOME: home },
  });
  child.stdin.end();
  const written = { out: '', err: '' };
  child.stderr.on('data', (chunk) => {
    written.err += chunk;
  });
  return { child, written, exit: once(child, 'exit') };
}

test('a reader that leaves early (`models | head -1`) is no error', async () => {
  const home = await testHome();
  const many = Array.from({ length: 20_000 }, (_, at) => model(`model-${at}`, {}));
  await fakeDaemon(`${home.path}/control.sock`, { models: () => many });
  const { child, written, exit } = command(home.path, 'models', '--json');
  await within('the first bytes', once(child.stdout, 'data'), 15_000);
  child.stdout.destroy();
  expect(await within('the end', exit, 15_000)).toEqual([0, null]);
  expect(written.err).toBe('');
});

test('a reader that is slow gets all of it', async () => {
  const home = await testHome();
  const many = Array.from({ length: 5_000 }, (_, at) => model(`model-${at}`, {}));
  await fakeDaemon(`${home.path}/control.sock`, { models: () => many });
  const { child, exit } = command(home.path, 'models', '--json');
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  expect(JSON.parse(text)).toHaveLength(5_000);
  expect(await exit).toEqual([0, null]);
});

test('the exit code reaches the shell', async () => {
  const home = await testHome();
  const { child, written, exit } = command(home.path, 'peers');
  child.stdout.resume();
  expect(await within('the end', exit, 15_000)).toEqual([3, null]);
  expect(written.err).toContain('no daemon is running');
});

test('a daemon outlives the reader of its log', async () => {
  const home = await testHome();
  await home.config({ proxy: { port: 0 } });
  const { child, exit } = command(home.path, 'start');
  try {
    const [ready] = await within('the ready line', once(child.stdout, 'data'), 15_000);
    child.stderr.destroy();
    const url = /http:\S+v1/.exec(String(ready))?.[0];
    const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'Still there?' }] });
    const headers = { 'content-type': 'application/json' };
    // Each call is a line of the log that nobody reads.
    for (const _ of ['first', 'second']) {
      const reply = await fetch(`${url}/chat/completions`, { method: 'POST', headers, body });
      expect(await reply.text()).toContain('Still there?');
    }
  } finally {
    child.kill('SIGTERM');
  }
  expect(await within('the end', exit, 15_000)).toEqual([0, null]);
});
