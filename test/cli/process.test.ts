/** The command as a process: its real streams and exit codes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { testHome } from '../config/home.ts';
import { fakeDaemon, model } from '../control/socket.ts';
import { eventually, within } from '../support/eventually.ts';
import { chatEvents } from '../support/openai-bodies.ts';
import { says, startUpstream } from '../support/scripted-upstream.ts';

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;

function command(home: string, ...argv: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...argv], {
    env: { ...process.env, CLAWMATRIX_HOME: home },
  });
  if (argv[0] !== 'chat') child.stdin.end();
  const written = { out: '', err: '' };
  child.stderr.on('data', (chunk) => {
    written.err += chunk;
  });
  return { child, written, exit: once(child, 'exit') };
}

/** As `command`, with all that it writes kept. */
function whole(home: string, ...argv: string[]) {
  const run = command(home, ...argv);
  run.child.stdout.on('data', (chunk) => {
    run.written.out += chunk;
  });
  return run;
}

/** A daemon in a process of its own, and the model server that it calls. */
async function running() {
  const home = await testHome();
  const upstream = await startUpstream();
  const config = (id: string) =>
    home.config({
      proxy: { port: 0, apiKeys: ['sk-canary-0123456789abcdef'] },
      providers: { box: { baseUrl: upstream.baseUrl } },
      models: [{ id, provider: 'box' }],
    });
  await config('first');
  const daemon = whole(home.path, 'start');
  await eventually('the ready line', () => daemon.written.out.includes('ready'), 15_000);
  return {
    home: home.path,
    upstream,
    config,
    daemon,
    async [Symbol.asyncDispose]() {
      daemon.child.kill('SIGTERM');
      await within('the daemon ends', daemon.exit, 15_000);
      await upstream.stop();
    },
  };
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

describe('chat, through a daemon', () => {
  test('streams to a pipe as the answer comes, with what is piped in below the prompt', async () => {
    await using it = await running();
    const answer = it.upstream.nextStream(chatEvents({ text: ['Hel', 'lo'] }));
    const { child, written, exit } = whole(it.home, 'chat', 'first', 'Greet them:', '--route');
    child.stdin.end('Ada\n');
    await answer.send(2);
    await eventually('the first piece is out', () => written.out === 'Hel', 15_000);
    await answer.finish();
    expect(await within('the end', exit, 15_000)).toEqual([0, null]);
    expect(written.out).toBe('Hello\n');
    expect(written.err).toMatch(/; model=first; upstream=box; attempts=1\n$/);
    expect(it.upstream.requests[0]?.json()).toMatchObject({ messages: [{ content: 'Greet them:\n\nAda' }] });
  });

  test.each([
    ['Ctrl-C, with 130', 130, (child: ReturnType<typeof whole>['child']) => void child.kill('SIGINT')],
    [
      'a reader that leaves, with 0',
      0,
      (child: ReturnType<typeof whole>['child']) => void child.stdout.destroy(),
    ],
  ])('stops the model at %s, and quietly', async (_, code, leave) => {
    await using it = await running();
    const answer = it.upstream.nextStream(chatEvents({ text: ['Hel', 'lo', '!'] }));
    const { child, written, exit } = whole(it.home, 'chat', 'first', '-');
    child.stdin.end('Hi');
    await answer.send(2);
    await eventually('the first piece is out', () => written.out === 'Hel', 15_000);
    leave(child);
    await answer.send(1);
    expect(await within('the end', exit, 15_000)).toEqual([code, null]);
    const request = await it.upstream.request(0);
    await eventually('the model is left', () => request.leftAt !== undefined);
    expect(written.err).toBe('');
  });
});

test('Ctrl-C ends a command that writes to a reader who has stopped reading', async () => {
  await using it = await running();
  it.upstream.next(says(...Array.from({ length: 200 }, () => 'x'.repeat(10_000))));
  const { child, exit } = command(it.home, 'chat', 'first', 'Hi');
  child.stdin.end();
  await within('the first bytes', once(child.stdout, 'readable'), 15_000);
  child.kill('SIGINT');
  expect(await within('the end', exit, 15_000)).toEqual([130, null]);
  child.stdout.resume();
});

test('a daemon outlives the reader of its ready line (`start | head -1`), also over a restart', async () => {
  await using node = await running();
  node.daemon.child.stdout.destroy();
  for (let time = 0; time < 2; time++) {
    const restart = whole(node.home, 'restart');
    expect(await within('the restart', restart.exit, 15_000)).toEqual([0, null]);
    expect(restart.written.err).toBe('');
  }
});

test('restart takes up a changed configuration in the same process, and lets a running answer end', async () => {
  await using it = await running();
  const answer = it.upstream.nextStream(chatEvents({ text: ['Hel', 'lo'] }));
  const chat = whole(it.home, 'chat', 'first', 'Hi');
  chat.child.stdin.end();
  await answer.send(2);
  await eventually('the first piece is out', () => chat.written.out === 'Hel', 15_000);
  await it.config('second');
  const restarted = whole(it.home, 'restart');
  await eventually('it waits', () => restarted.written.err.includes('waiting for running calls'), 15_000);
  await answer.finish();
  expect(await within('the end of the chat', chat.exit, 15_000)).toEqual([0, null]);
  expect(chat.written.out).toBe('Hello\n');
  expect(await within('the new start', restarted.exit, 15_000)).toEqual([0, null]);
  expect(restarted.written.out).toContain(
    `started anew (pid ${it.daemon.child.pid}): proxy http://127.0.0.1:`,
  );
  it.upstream.next(says('From the second.'));
  const after = whole(it.home, 'chat', 'second', 'Hi');
  after.child.stdin.end();
  expect(await within('the end', after.exit, 15_000)).toEqual([0, null]);
  expect(after.written.out).toBe('From the second.\n');
});

test('--watch goes on over a stop and a new start', async () => {
  const home = await testHome();
  await home.config({ proxy: { port: 0 } });
  const first = whole(home.path, 'start');
  await eventually('the ready line', () => first.written.out.includes('ready'), 15_000);
  const watch = whole(home.path, 'status', '--watch', '--json');
  await eventually('the first look', () => watch.written.out !== '', 15_000);
  first.child.kill('SIGTERM');
  await within('the end', first.exit, 15_000);
  await eventually('it says so', () => watch.written.err.includes('waiting for it to come back'), 15_000);
  const second = whole(home.path, 'start');
  try {
    await eventually(
      'it shows the second',
      () => watch.written.out.includes(`"pid":${second.child.pid}`),
      15_000,
    );
  } finally {
    second.child.kill('SIGTERM');
    await within('the end', second.exit, 15_000);
    watch.child.kill('SIGINT');
  }
  expect(await within('the end', watch.exit, 15_000)).toEqual([0, null]);
});
