import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkNode } from '../../src/cli/doctor/machine.ts';
import type { Finding, Level } from '../../src/cli/doctor/finding.ts';
import { type TestHome, testHome } from '../config/home.ts';
import { fakeDaemon, PEERS, STATUS } from '../control/socket.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { html, json, neverAnswers, raw, type Script, startUpstream } from '../support/scripted-upstream.ts';
import { type TestWorldOptions, testWorld } from './world.ts';

const KEY = 'sk-canary-0123456789abcdef';
/** Nothing that the machine of the test has open. */
const QUIET = { proxy: { port: 0 } };

async function findings(home: TestHome, options: TestWorldOptions = {}, ...argv: string[]) {
  const world = testWorld(home.path, options);
  const code = await world.run('doctor', '--json', ...argv);
  const all: readonly Finding[] = JSON.parse(world.written.out);
  expect(world.written.err).toBe('');
  expect(world.written.out).not.toContain(KEY);
  expect(code).toBe(all.some(({ level }) => level === 'problem') ? 1 : 0);
  // Every finding that is not good says how it gets so.
  for (const { level, fix } of all) if (level !== 'ok') expect(fix).toBeTruthy();
  return {
    all,
    about: (text: string | RegExp) =>
      all.filter(({ what }) => (typeof text === 'string' ? what.includes(text) : text.test(what))),
    levels: (level: Level) => all.filter((finding) => finding.level === level),
  };
}

/** An address that refuses connections. */
async function closedPort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function openPort(answer?: string): Promise<number> {
  const server = createServer((_, response) => void response.end(answer ?? 'hello')).listen(0, '127.0.0.1');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('doctor', () => {
  test('on a fresh machine finds no problem, says what comes first, and makes nothing', async () => {
    const home = await testHome();
    const path = join(home.path, 'state');
    const world = testWorld(path, { env: { CLAWMATRIX_CONFIG: await home.config(QUIET) } });
    expect(await world.run('doctor')).toBe(0);
    expect(world.written.out).toContain('! warning  there is no state directory yet');
    expect(world.written.out).toContain('\n           fix: clawmatrix init\n');
    expect(world.written.out).toMatch(/\n0 problems, 2 warnings\.\n$/);
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  test('changes nothing on disk where there is something, and makes no key that is not there', async () => {
    const home = await testHome();
    await home.config({ ...QUIET, secret: { file: 'mesh.key' } });
    await home.file('boot-epoch', '7\n');
    const before = await readdir(home.path);
    const { all } = await findings(home);
    expect(await readdir(home.path)).toEqual(before);
    expect(await readFile(join(home.path, 'boot-epoch'), 'utf8')).toBe('7\n');
    expect(all.filter(({ level }) => level === 'problem')).toEqual([]);
  });

  test('says in words and signs how each stands, in colour on a terminal', async () => {
    const home = await testHome();
    await home.config(QUIET);
    const plain = testWorld(home.path);
    await plain.run('doctor');
    expect(plain.written.out).toMatch(/^✓ ok {7}Node \d/);
    const colour = testWorld(home.path, { columns: 80 });
    await colour.run('doctor');
    expect(colour.written.out).toMatch(/^\x1b\[32m✓ ok {5}\x1b\[0m {2}Node/);
  });

  test('is told where all is in order', async () => {
    const home = await testHome();
    await home.config(QUIET);
    await fakeDaemon(`${home.path}/control.sock`, {
      status: () => ({ ...STATUS, warnings: [] }),
      peers: () => [],
    });
    const world = testWorld(home.path);
    expect(await world.run('doctor')).toBe(0);
    expect(world.written.out).toMatch(/\nEverything is in order\.\n$/);
  });
});

describe('the configuration', () => {
  test('has every fault told with its line', async () => {
    const home = await testHome();
    const path = await home.config('{\n "nodeID": "x",\n "log": { "level": "loud" } }');
    const { levels } = await findings(home);
    expect(levels('problem')).toEqual([
      {
        level: 'problem',
        what: 'the configuration, line 2, nodeID: unknown key; did you mean "nodeId"?',
        fix: `edit ${path}, line 2`,
      },
      {
        level: 'problem',
        what: expect.stringContaining('line 3, log.level: expected "trace"'),
        fix: `edit ${path}, line 3`,
      },
    ]);
  });

  test('that is no JSON, or names what is not there, is told as one', async () => {
    const home = await testHome();
    await home.config('{ oops');
    expect((await findings(home)).about('not JSON')).toHaveLength(1);
    await home.config({
      ...QUIET,
      providers: { x: { baseUrl: 'http://127.0.0.1:9/v1', apiKey: { env: 'NO_KEY' } } },
    });
    expect((await findings(home)).about('NO_KEY')).toMatchObject([{ level: 'problem' }]);
  });

  test('has the warnings of a start told, with their mend', async () => {
    const home = await testHome();
    await home.config({ ...QUIET, proxy: { port: 0, apiKeys: [KEY] } }, 0o644);
    const { about } = await findings(home);
    expect(about('can be read by others')).toMatchObject([
      { level: 'warning', fix: `chmod 600 ${home.path}/clawmatrix.json` },
    ]);
  });
});

describe('permissions', () => {
  test('that are too open are told once, and mended with --fix', async () => {
    const home = await testHome();
    const config = await home.config({ proxy: { port: 0, apiKeys: [KEY] } }, 0o666);
    const key = await home.file('mesh.key', Buffer.alloc(32, 8).toString('base64url'), 0o644);
    const before = await findings(home);
    expect(before.about(key)).toEqual([
      {
        level: 'problem',
        what: `${key} can be read by others (mode 644)`,
        fix: `chmod 600 ${key} (or clawmatrix doctor --fix)`,
      },
    ]);
    expect(before.about('written by others')).toHaveLength(1);
    const after = await findings(home, {}, '--fix');
    expect(after.about(/^mended: chmod 600/)).toHaveLength(2);
    for (const path of [config, key]) expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await findings(home)).levels('problem')).toEqual([]);
  });

  test('that are in order are counted', async () => {
    const home = await testHome();
    await home.config(QUIET);
    const { about } = await findings(home);
    expect(about('yours alone')).toMatchObject([{ what: expect.stringContaining(' and 1 file in use are') }]);
  });

  test('of the state directory count too', async () => {
    const home = await testHome();
    await home.config(QUIET);
    const { chmod } = await import('node:fs/promises');
    await chmod(home.path, 0o755);
    expect((await findings(home)).about('can be read by others')).toMatchObject([
      { level: 'problem', fix: expect.stringContaining(`chmod 700 ${home.path}`) },
    ]);
  });

  test('a control socket whose path is too long is a problem', async () => {
    const home = await testHome();
    const world = testWorld(join(home.path, 'x'.repeat(120)), {
      env: { CLAWMATRIX_CONFIG: await home.config(QUIET) },
    });
    expect(await world.run('doctor')).toBe(1);
    expect(world.written.out).toContain('fix: set CLAWMATRIX_HOME to a shorter path');
  });
});

describe('ports', () => {
  test.each([
    ['a program', undefined, 'taken by another program'],
    ['a daemon of another home', '{"status":"ok"}', 'taken by another clawmatrix daemon, of another home'],
  ])('that %s holds are problems', async (_, health, words) => {
    const home = await testHome();
    const port = await openPort(health);
    await home.config({ proxy: { port } });
    expect((await findings(home)).about(words)).toMatchObject([
      { level: 'problem', fix: 'set proxy.port to another one, or end that program' },
    ]);
  });

  test('that are free, or not of this machine, are told', async () => {
    const home = await testHome();
    await home.config({ proxy: { port: await closedPort() }, listen: { host: '192.0.2.1', port: 19_700 } });
    const { about } = await findings(home);
    expect(about('the proxy port')).toMatchObject([{ level: 'ok', what: expect.stringMatching(/is free$/) }]);
    expect(about('the mesh port')).toMatchObject([
      { level: 'problem', fix: 'set listen.host to 127.0.0.1 or 0.0.0.0' },
    ]);
  });

  test('of the running daemon are its own; one that was configured since wants a restart', async () => {
    const home = await testHome();
    await fakeDaemon(`${home.path}/control.sock`);
    await home.config({ proxy: { port: 19_701 } });
    expect((await findings(home)).about('held by this daemon')).toHaveLength(1);
    await home.config({ proxy: { port: 19_701 }, listen: true });
    expect((await findings(home)).about('does not listen')).toMatchObject([
      { level: 'warning', fix: 'clawmatrix restart' },
    ]);
    await home.config({ proxy: { port: 19_799 } });
    expect((await findings(home)).about('127.0.0.1:19799')).toMatchObject([
      { level: 'warning', fix: 'clawmatrix restart' },
    ]);
  });
});

describe('a server of models', () => {
  const list = (...ids: string[]) => json(200, { object: 'list', data: ids.map((id) => ({ id })) });

  async function server(script: Script, more: { apiKey?: string; models?: string[] } = {}) {
    const home = await testHome();
    const upstream = await startUpstream({ listsModels: true });
    onTestFinished(() => upstream.stop());
    upstream.always(script);
    const { apiKey, models = [] } = more;
    await home.config({
      ...QUIET,
      providers: { box: { baseUrl: upstream.baseUrl, ...(apiKey === undefined ? {} : { apiKey }) } },
      models: models.map((id) => ({ id, provider: 'box' })),
    });
    return { home, upstream };
  }

  test('is asked once for its models, with its key, and answers', async () => {
    const { home, upstream } = await server(list('a', 'b:latest'), { apiKey: KEY, models: ['a', 'b'] });
    const { about } = await findings(home);
    expect(about('the server of "box"')).toEqual([
      {
        level: 'ok',
        what: `the server of "box" (${new URL(upstream.baseUrl).origin}) answers, with 2 models`,
      },
    ]);
    expect(upstream.requests).toHaveLength(1);
    expect(upstream.requests[0]).toMatchObject({
      method: 'GET',
      url: '/v1/models',
      headers: { authorization: `Bearer ${KEY}` },
    });
  });

  test('that lacks a configured model is a warning with the nearest name', async () => {
    const { home } = await server(list('qwen3:8b', 'llama'), { models: ['qwen3-8b'] });
    expect((await findings(home)).about('does not list qwen3-8b')).toMatchObject([
      { level: 'warning', fix: 'did you mean qwen3:8b?' },
    ]);
  });

  const login = raw({ headers: { 'content-type': 'text/html' } }, '<!doctype html>');
  const moved = raw({ status: 302, headers: { location: 'http://127.0.0.1:1/' } }, '');
  test.each<[string, Script, string | undefined, Level, string, RegExp]>([
    [
      'wants a key',
      json(401, {}),
      undefined,
      'problem',
      'refuses to answer without a key (401)',
      /give "box" an "apiKey"/,
    ],
    [
      'refuses the key',
      json(403, { key: KEY }),
      KEY,
      'problem',
      'refuses the key (403)',
      /check the "apiKey" of "box"/,
    ],
    [
      'has no such path',
      json(404, {}),
      KEY,
      'problem',
      'answers with status 404',
      /correct the baseUrl of "box"/,
    ],
    ['is a web page', html(200), KEY, 'problem', 'a web page', /correct the baseUrl/],
    ['is a login page', login, KEY, 'problem', 'a web page', /correct the baseUrl/],
    ['sends elsewhere, where nobody follows', moved, KEY, 'problem', 'status 302', /correct the baseUrl/],
    ['says something else', json(200, ['x']), KEY, 'warning', 'no list of models', /correct the baseUrl/],
    ['is ill', json(500, { error: KEY }), KEY, 'warning', 'status 500', /its own log/],
  ])('that %s is told with its mend', async (_, script, apiKey, level, words, fix) => {
    const { home } = await server(script, apiKey === undefined ? {} : { apiKey });
    expect((await findings(home)).about(words)).toMatchObject([{ level, fix: expect.stringMatching(fix) }]);
  });

  test('that is down is a problem', async () => {
    const { home, upstream } = await server(list());
    await upstream.stop();
    expect((await findings(home)).about('refuses connections')).toMatchObject([
      { level: 'problem', fix: expect.stringContaining('start it') },
    ]);
  });

  test('that says nothing is given up after 3 s', async () => {
    const { home, upstream } = await server(neverAnswers);
    const clock = new FakeClock();
    const found = findings(home, { clock });
    await upstream.request(0);
    await eventually('all else is done', () => clock.pending === 1);
    clock.advance(3_000);
    expect((await found).about('did not answer in 3 s')).toMatchObject([{ level: 'problem' }]);
    expect(clock.pending).toBe(0);
  });

  test('whose clock is far from this one is a warning', async () => {
    const { home } = await server(json(200, { data: [] }, { date: 'Thu, 01 Jan 2015 00:00:00 GMT' }));
    expect((await findings(home)).about('minutes apart')).toMatchObject([
      { level: 'warning', fix: expect.stringContaining('NTP') },
    ]);
  });
});

describe('the OpenClaw gateway', () => {
  test.each<[string, Script, Level, string, string]>([
    ['that answers is in order', json(200, { data: [] }), 'ok', 'answers', ''],
    [
      'with its API off',
      json(404, {}),
      'problem',
      'switched off',
      'gateway.http.endpoints.chatCompletions.enabled',
    ],
    ['with another token', json(401, {}), 'problem', 'refuses the token (401)', 'openclaw.gateway.token'],
    ['that has locked us out', json(429, {}), 'warning', '429', 'check the token'],
  ])('%s', async (_, script, level, words, fix) => {
    const home = await testHome();
    await using gateway = await startUpstream({ listsModels: true });
    gateway.always(script);
    await home.config({ ...QUIET, openclaw: { gateway: { url: gateway.baseUrl, token: KEY } } });
    const { about } = await findings(home);
    const [found, ...more] = about('the OpenClaw gateway');
    expect(more).toEqual([]);
    expect(found).toMatchObject({ level, what: expect.stringContaining(words) });
    expect(found?.fix ?? '').toContain(fix);
    expect(gateway.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  });
});

describe('peers', () => {
  test('of a running daemon are as it sees them; one that is down is a warning beside one that is up', async () => {
    const home = await testHome();
    await home.config(QUIET);
    await fakeDaemon(`${home.path}/control.sock`);
    const { about } = await findings(home);
    expect(about('peer ')).toMatchObject([
      { level: 'ok', what: 'peer hub is connected (1.2 ms)' },
      {
        level: 'warning',
        what: expect.stringContaining(PEERS[1]?.reason ?? '?'),
        fix: expect.stringContaining('network key'),
      },
    ]);
  });

  test('are a problem where none is up', async () => {
    const home = await testHome();
    await home.config(QUIET);
    await fakeDaemon(`${home.path}/control.sock`, { peers: () => PEERS.slice(1) });
    expect((await findings(home)).about('peer ')).toMatchObject([{ level: 'problem' }]);
  });

  test('are dialled where no daemon runs', async () => {
    const home = await testHome();
    const [open, closed] = [await openPort(), await closedPort()];
    await home.config({ ...QUIET, peers: [`ws://127.0.0.1:${open}`, `ws://127.0.0.1:${closed}`] });
    expect((await findings(home)).about('peer ')).toMatchObject([
      { level: 'ok', what: `peer 127.0.0.1:${open} takes connections` },
      {
        level: 'warning',
        what: `peer 127.0.0.1:${closed} refuses connections`,
        fix: expect.stringContaining('firewall'),
      },
    ]);
  });
});

describe('the machine', () => {
  test.each([
    ['18.20.1', 'problem'],
    ['20.18.9', 'problem'],
    ['20.19.0', 'ok'],
    ['24.1.0', 'ok'],
  ])('Node %s is %s', (version, level) => {
    expect(checkNode(version).level).toBe(level);
  });

  test('with a clock that was never set is a problem', async () => {
    const home = await testHome();
    await home.config(QUIET);
    const clock = Object.assign(new FakeClock(), { wall: () => 0 });
    expect((await findings(home, { clock })).about('says that it is 1970')).toMatchObject([
      { level: 'problem' },
    ]);
  });

  test('with a daemon of another version, or one that started with warnings, wants a new start', async () => {
    const home = await testHome();
    await home.config(QUIET);
    const views = { status: { ...STATUS, version: '9.9.9' } };
    await fakeDaemon(`${home.path}/control.sock`, { status: () => views.status });
    expect((await findings(home)).about('9.9.9')).toMatchObject([{ level: 'warning' }]);
    views.status = STATUS;
    expect((await findings(home)).about('something to mend')).toMatchObject([
      { level: 'warning', fix: 'clawmatrix restart' },
    ]);
  });
});
