import { describe, expect, test } from 'vitest';
import type { Loaded } from '../../src/config/load.ts';
import { ControlFault } from '../../src/control/fault.ts';
import { startControl } from '../../src/control/server.ts';
import { testHome } from '../config/home.ts';
import { fakeDaemon, STATUS } from '../control/socket.ts';
import { eventually } from '../support/eventually.ts';
import { realClock } from '../support/real-clock.ts';
import { testWorld } from './world.ts';

/** A daemon that is only its control socket. */
function daemon({ listenUrl = null, fails }: { listenUrl?: string | null; fails?: Error } = {}) {
  const started: Loaded[] = [];
  const stops: number[] = [];
  const start = async (loaded: Loaded) => {
    started.push(loaded);
    let settle = () => {};
    const stopped = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const stop = async () => {
      stops.push(stops.length);
      await control.close();
      if (fails !== undefined) throw fails;
      settle();
    };
    const handlers = { status: () => STATUS, peers: () => [], models: () => [], stop: () => void stop() };
    const control = await startControl({ path: loaded.controlPath, clock: realClock, handlers });
    return { ...handlers, stop, stopped, proxyUrl: 'http://127.0.0.1:19701', listenUrl };
  };
  return { start, started, stops };
}

describe('start', () => {
  test('prints one ready line with the addresses and the name, and ends with 0 when it is told to stop', async () => {
    const home = await testHome();
    const fake = daemon({ listenUrl: 'ws://0.0.0.0:19700' });
    const world = testWorld(home.path, { startDaemon: fake.start });
    const code = world.run('start');
    await eventually('the ready line', () => world.written.out !== '');
    expect(world.written.out).toBe(
      `clawmatrix ready: proxy http://127.0.0.1:19701/v1, mesh ws://0.0.0.0:19700, node studio (${STATUS.id.slice(0, 8)}), pid ${process.pid}\n`,
    );
    expect(world.written.err).toBe('');
    expect(await testWorld(home.path).run('stop')).toBe(0);
    expect(await code).toBe(0);
    expect(world.listening()).toBe(0);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s stops it in order, with 0', async (name) => {
    const home = await testHome();
    const fake = daemon();
    const world = testWorld(home.path, { startDaemon: fake.start });
    const code = world.run('start');
    await eventually('the ready line', () => world.written.out.includes('mesh dial-only'));
    world.signal(name);
    expect(await code).toBe(0);
    expect(fake.stops).toHaveLength(1);
    expect(world.exits).toEqual([]);
  });

  test('a signal while it starts stops it as soon as it has started, without a ready line', async () => {
    const home = await testHome();
    const fake = daemon();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const world = testWorld(home.path, {
      startDaemon: async (loaded) => {
        await held;
        return fake.start(loaded);
      },
    });
    const code = world.run('start');
    await eventually('it listens for signals', () => world.listening() === 1);
    world.signal('SIGTERM');
    release();
    expect(await code).toBe(0);
    expect(world.written.out).toBe('');
    expect(fake.stops).toHaveLength(1);
  });

  test('a second signal ends it at once, with the code of a signal', async () => {
    const home = await testHome();
    const world = testWorld(home.path, { startDaemon: () => new Promise(() => {}) });
    void world.run('start');
    await eventually('it listens for signals', () => world.listening() === 1);
    world.signal('SIGTERM');
    expect(world.exits).toEqual([]);
    world.signal('SIGINT');
    expect(world.exits).toEqual([130]);
  });

  test('a stop that fails ends it with 1 and the reason', async () => {
    const home = await testHome();
    const fake = daemon({ fails: new Error('a socket would not close') });
    const world = testWorld(home.path, { startDaemon: fake.start });
    const code = world.run('start');
    await eventually('the ready line', () => world.written.out !== '');
    world.signal('SIGTERM');
    expect(await code).toBe(1);
    expect(world.written.err).toMatch(/clawmatrix: a socket would not close\n$/);
  });

  test('faults of the configuration are the list, on standard error, with 2', async () => {
    const home = await testHome();
    const path = await home.config('{ "nodeID": "x", "log": { "level": "loud" } }');
    const world = testWorld(home.path);
    expect(await world.run('start')).toBe(2);
    expect(world.written.err).toBe(
      `clawmatrix: the configuration has 2 faults in ${path}:
  line 1, log.level: expected "trace", "debug", "info", "warn", "error" or "silent"
  line 1, nodeID: unknown key; did you mean "nodeId"?
`,
    );
    expect(world.written.out).toBe('');
  });

  test('warnings go to standard error, before the daemon starts', async () => {
    const home = await testHome();
    await home.config({ models: [{ id: 'opus', provider: 'anthropic' }] });
    const world = testWorld(home.path);
    expect(await world.run('start')).toBe(1);
    expect(world.written.err).toMatch(
      /^warning: models\[0\] .*not offered.*\nclawmatrix: no daemon in this test\n$/,
    );
  });

  test('a daemon that runs already is 4, with its pid', async () => {
    const home = await testHome();
    await fakeDaemon(`${home.path}/control.sock`);
    const world = testWorld(home.path, { startDaemon: daemon().start });
    expect(await world.run('start')).toBe(4);
    expect(world.written.err).toContain(`pid ${process.pid}`);
  });

  test('it is 4 as well when the daemon wraps the refusal', async () => {
    const home = await testHome();
    const cause = new ControlFault('already_running', 'a daemon is running already');
    const world = testWorld(home.path, {
      startDaemon: () => Promise.reject(new Error('cannot start', { cause })),
    });
    expect(await world.run('start')).toBe(4);
  });
});

describe('an error on the way up', () => {
  const key = 'sk-canary-0123456789';
  const failing = () => Promise.reject(new Error(`cannot reach it with ${key}`));

  test('is one line without a stack, and without a secret', async () => {
    const home = await testHome();
    await home.config({ proxy: { apiKeys: [key] } });
    const world = testWorld(home.path, { startDaemon: failing });
    expect(await world.run('start')).toBe(1);
    expect(world.written.err).toBe('clawmatrix: cannot reach it with [secret]\n');
  });

  test('has its stack at log level debug', async () => {
    const home = await testHome();
    await home.config({ proxy: { apiKeys: [key] }, log: { level: 'debug' } });
    const world = testWorld(home.path, { startDaemon: failing });
    expect(await world.run('start')).toBe(1);
    expect(world.written.err).toContain('    at ');
    expect(world.written.err).not.toContain(key);
  });
});
