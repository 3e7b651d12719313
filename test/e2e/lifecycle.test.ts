import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DemoNode } from '../../demo/node.ts';
import { eventually } from '../support/eventually.ts';
import { chatEvents } from '../support/openai-bodies.ts';
import { ask, cli, MODELS, modelIds, post, startTwoNodes } from '../support/two-nodes.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clawmatrix-life-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('a daemon with nothing configured answers with the built-in echo, streamed and not', async () => {
  const node = new DemoNode('fresh', folder);
  await node.init();
  const { proxy } = await node.start({ proxy: { port: 0 } });
  try {
    expect(await modelIds(proxy)).toEqual(['echo']);
    const whole = JSON.parse(await (await post(`${proxy}/chat/completions`, ask('echo'))).text());
    expect(whole.choices[0].message.content).toBe('Say it.');
    const streamed = await (
      await post(`${proxy}/responses`, { model: 'echo', input: 'Say it.', stream: true })
    ).text();
    expect(streamed).toContain('event: response.completed');
  } finally {
    expect(await node.stop()).toBe(0);
  }
});

test('a second daemon in the same home is refused with the pid of the first, which goes on', async () => {
  const node = new DemoNode('single', folder);
  await node.init();
  const { proxy } = await node.start({ proxy: { port: 0 } });
  try {
    const second = await cli(node.home, 'start');
    expect(second.code).not.toBe(0);
    expect(second.stderr).toContain(String(node.pid));
    expect((await fetch(proxy.replace(/\/v1$/, '/health'))).status).toBe(200);
  } finally {
    await node.stop();
  }
});

test('a mesh port that is taken ends the start with the address and the mend', async () => {
  const [first, second] = [new DemoNode('first', folder), new DemoNode('second', folder)];
  await first.init();
  await second.init(first);
  const { mesh } = await first.start({ proxy: { port: 0 }, listen: { host: '127.0.0.1', port: 0 } });
  try {
    const listen = { host: '127.0.0.1', port: Number(new URL(mesh).port) };
    await expect(second.start({ proxy: { port: 0 }, listen })).rejects.toThrow(
      `the mesh cannot listen on ${mesh}: listen EADDRINUSE`,
    );
    expect(second.log).toContain('set listen.host and listen.port');
  } finally {
    await first.stop();
  }
});

test('stop ends the daemon, and status then says that none is running', async () => {
  const node = new DemoNode('ending', folder);
  await node.init();
  await node.start({ proxy: { port: 0 } });
  expect((await cli(node.home, 'stop')).code).toBe(0);
  expect(await node.stop()).toBe(0);
  const status = await cli(node.home, 'status');
  expect(status.code).toBe(3);
  expect(status.stderr).toMatch(/clawmatrix start/);
});

test('a configuration with faults is refused with one list that names each and the nearest key', async () => {
  const node = new DemoNode('faulty', folder);
  await node.init();
  const file = join(node.home, 'clawmatrix.json');
  await writeFile(
    file,
    JSON.stringify({ proxi: {}, models: [{ id: 'a', providr: 'b' }], proxy: { host: '0.0.0.0' } }),
  );
  const { code, stderr } = await cli(node.home, 'start');
  expect(code).toBe(2);
  for (const word of ['proxi', 'proxy', 'models[0]', 'provider', 'apiKeys']) expect(stderr).toContain(word);
});

test('an owner that is told to stop lets a running call of another node end, and takes no new one', async () => {
  await using nodes = await startTwoNodes();
  const stream = nodes.upstream.nextStream(chatEvents({ text: ['Hel', 'lo'] }));
  const running = post(`${nodes.url}/chat/completions`, ask(MODELS.chat, { stream: true }));
  await stream.send(2);
  const text = (await running).text();
  const stopped = nodes.bravo.stop();
  await eventually('alpha has heard that bravo stops', async () => {
    const refused = await post(`${nodes.url}/chat/completions`, ask(MODELS.chat));
    return refused.status === 503 && (await refused.text()).includes('no_owner');
  });
  await stream.finish();
  expect(await text).toMatch(/data: \[DONE\]\n\n$/);
  expect(await stopped).toBe(0);
});

test('an owner that comes back is found again by itself', async () => {
  await using nodes = await startTwoNodes();
  nodes.tap.cut();
  await eventually(
    'alpha has lost and found bravo',
    async () => {
      const reply = await post(`${nodes.url}/chat/completions`, ask(MODELS.chat));
      return reply.ok && JSON.parse(await reply.text()).choices[0].message.content === 'hello';
    },
    10_000,
  );
});
