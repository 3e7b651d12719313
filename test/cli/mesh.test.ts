/** The built command line on two daemons: what a person sees of a model on another machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { eventually, within } from '../support/eventually.ts';
import { chatEvents } from '../support/openai-bodies.ts';
import { MODELS, startTwoNodes, UPSTREAM_KEY } from '../support/two-nodes.ts';

const program = fileURLToPath(new URL('../../bin/clawmatrix.js', import.meta.url));

function run(home: string, ...argv: string[]) {
  const env = { ...process.env, CLAWMATRIX_HOME: home, CLAWMATRIX_CONFIG: '' };
  const child = spawn(process.execPath, [program, ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const written = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    written.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    written.err += chunk;
  });
  const exit = once(child, 'close').then(([code]: unknown[]) => code);
  return { written, exit: () => within(`the end of ${argv[0]}`, exit, 15_000) };
}

test('chat is answered by the other node, in either dialect, and says over which way', async () => {
  await using nodes = await startTwoNodes();
  for (const [model, provider] of [
    [MODELS.chat, 'chatty'],
    [MODELS.responses, 'responder'],
  ] as const) {
    const chat = run(nodes.alpha.home, 'chat', model, 'Hi', '--route');
    expect(await chat.exit()).toBe(0);
    expect(chat.written.out).toBe('hello\n');
    expect(chat.written.err).toBe(`alpha>bravo; model=${model}; upstream=${provider}; attempts=1\n`);
  }
});

test('chat over a link that is cut writes what came, says that it is not whole, and is 5', async () => {
  await using nodes = await startTwoNodes();
  const answer = nodes.upstream.nextStream(chatEvents({ text: ['Hel', 'lo'] }));
  const chat = run(nodes.alpha.home, 'chat', MODELS.chat, 'Hi');
  await answer.send(2);
  await eventually('the first piece is out', () => chat.written.out === 'Hel', 15_000);
  nodes.tap.cut();
  expect(await chat.exit()).toBe(5);
  expect(chat.written.out).toBe('Hel\n');
  expect(chat.written.err).toMatch(/^clawmatrix: the answer is not whole: .*bravo.*\n$/);
});

test('a restart of the owner lets a running answer of another node end', async () => {
  await using nodes = await startTwoNodes();
  const answer = nodes.upstream.nextStream(chatEvents({ text: ['Hel', 'lo'] }));
  const chat = run(nodes.alpha.home, 'chat', MODELS.chat, 'Hi');
  await answer.send(2);
  await eventually('the first piece is out', () => chat.written.out === 'Hel', 15_000);
  const restarted = run(nodes.bravo.home, 'restart');
  await eventually('it waits', () => restarted.written.err.includes('waiting for running calls'), 15_000);
  await answer.finish();
  expect(await chat.exit()).toBe(0);
  expect(chat.written.out).toBe('Hello\n');
  expect(await restarted.exit()).toBe(0);
  expect(restarted.written.out).toContain(`started anew (pid ${nodes.bravo.pid})`);
});

test('doctor finds two sound nodes in order, and shows no key', async () => {
  await using nodes = await startTwoNodes();
  for (const node of [nodes.alpha, nodes.bravo]) {
    const doctor = run(node.home, 'doctor');
    await doctor.exit();
    expect(doctor.written.out).toMatch(/ok +the daemon runs/);
    expect(doctor.written.out).toMatch(/ok +the configuration .* is sound/);
    expect(doctor.written.out).not.toContain(UPSTREAM_KEY);
    expect(doctor.written.err).toBe('');
  }
  const peers = run(nodes.alpha.home, 'doctor', '--json');
  expect(await peers.exit()).toBe(0);
  expect(JSON.parse(peers.written.out)).toContainEqual({
    level: 'ok',
    what: expect.stringMatching(/^peer bravo is connected/),
  });
});
