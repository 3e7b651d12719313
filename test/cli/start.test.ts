import { describe, expect, test } from 'vitest';
import type { Loaded } from '../../src/config/load.ts';
import type { World } from '../../src/cli/world.ts';
import type { DaemonHost } from '../../src/daemon.ts';
import { askDaemon } from '../../src/control/client.ts';
import { ControlFault } from '../../src/control/fault.ts';
import { startControl } from '../../src/control/server.ts';
import { testHome } from '../config/home.ts';
import { fakeDaemon, STATUS } from '../control/socket.ts';
import { eventually } from '../support/eventually.ts';
import { realClock } from '../support/real-clock.ts';
import { lettingGo, type TestWorld, testWorld } from './world.ts';

interface FakeOptions {
  readonly listenUrl?: string | null;
  readonly fails?: Error;
  /** What its stop waits for. */
  readonly drain?: Promise<void>;
}

/** A daemon that is only its control socket. */
function daemon({ listenUrl = null, fails, drain }: FakeOptions = {}) {
  const started: Loaded[] = [];
  const stops: number[] = [];
  const start = async (loaded: Loaded, host: DaemonHost) => {
    started.push(loaded);
    let settle = () => {};
    const stopped = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const stop = async () => {
      stops.push(stops.length);
      await drain;
      await control.close();
      if (fails !== undefined) throw fails;
      settle();
    };
    const handlers = {
      status: () => ({ ...STATUS, bootEpoch: loaded.bootEpoch }),
      peers: () => [],
      models: () => [],
      stop: () => host.stop(),
      restart: () => host.restart(),
    };
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
      startDaemon: async (loaded, host) => {
        await held;
        return fake.start(loaded, host);
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

describe('restart', () => {
  /** A daemon that runs in `world`, and another command line beside it. */
  async function running(options: FakeOptions = {}) {
    const home = await testHome();
    await home.config({ nodeId: 'before' });
    const fake = daemon(options);
    const world = testWorld(home.path, { startDaemon: fake.start });
    const code = world.run('start');
    await eventually('the ready line', () => world.written.out !== '');
    const beside = testWorld(home.path, { isAlive: true });
    return { home, fake, world, code, beside };
  }

  test('starts anew in the same process, with the configuration as it is now', async () => {
    const { home, fake, world, code, beside } = await running();
    await home.config({ nodeId: 'after' });
    expect(await beside.run('restart')).toBe(0);
    expect(beside.written).toEqual({
      out: `started anew (pid ${process.pid}): proxy http://127.0.0.1:19701/v1\n`,
      err: '',
    });
    expect(fake.started.map(({ name }) => name)).toEqual(['before', 'after']);
    const [first, second] = fake.started.map(({ bootEpoch }) => bootEpoch);
    expect(second).toBeGreaterThan(first ?? Infinity);
    await eventually(
      'a second ready line',
      () => world.written.out.match(/^clawmatrix ready/gm)?.length === 2,
    );
    world.signal('SIGTERM');
    expect(await code).toBe(0);
    expect(fake.stops).toHaveLength(2);
  });

  test('with faults in the configuration lists them, is 2, and the daemon goes on', async () => {
    const { home, fake, world, code, beside } = await running();
    await home.config({ nodeID: 'after' });
    expect(await beside.run('restart')).toBe(2);
    expect(beside.written.out).toBe('');
    expect(beside.written.err).toMatch(
      /^clawmatrix: the configuration has one fault.*did you mean "nodeId"\?\nThe daemon .* goes on as before\.\n$/s,
    );
    expect(await beside.run('status')).toBe(0);
    expect(fake.stops).toEqual([]);
    world.signal('SIGTERM');
    expect(await code).toBe(0);
  });

  test('of a daemon that is only starting is done as soon as it has started', async () => {
    const home = await testHome();
    const fake = daemon();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const startDaemon: World['startDaemon'] = async (loaded, host) => {
      const started = await fake.start(loaded, host);
      await held;
      return started;
    };
    const world = testWorld(home.path, { startDaemon });
    const code = world.run('start');
    const path = `${home.path}/control.sock`;
    await eventually('it is asked', async () => askDaemon('restart', { path, clock: realClock }));
    release();
    await eventually('it has started twice', () => fake.started.length === 2);
    await eventually('it is ready', () => world.written.out.includes('ready'));
    world.signal('SIGTERM');
    expect(await code).toBe(0);
  });

  test('that cannot start again ends the process with the reason, and says so', async () => {
    const home = await testHome();
    const fake = daemon();
    const startDaemon: World['startDaemon'] = async (loaded, host) => {
      if (fake.started.length > 0) throw new Error('the port is taken');
      return fake.start(loaded, host);
    };
    const world = testWorld(home.path, { startDaemon });
    const code = world.run('start');
    await eventually('the ready line', () => world.written.out !== '');
    const beside = testWorld(home.path);
    expect(await beside.run('restart')).toBe(1);
    expect(beside.written.err).toContain('its log says why');
    expect(await code).toBe(1);
    expect(world.written.err).toMatch(/clawmatrix: the port is taken\n$/);
  });

  test.each([
    ['a signal', async (world: TestWorld) => world.signal('SIGTERM')],
    ['stop', async (_: TestWorld, beside: TestWorld) => void beside.run('stop')],
  ])('is overruled by %s while it waits for running calls', async (_, overrule) => {
    let release = () => {};
    const drain = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { fake, world, code, beside } = await running({ drain });
    const restarting = beside.run('restart');
    await eventually('it stops', () => fake.stops.length === 1);
    await overrule(world, testWorld(beside.env.CLAWMATRIX_HOME ?? ''));
    // What is told later comes later on the one socket.
    await eventually('a restart is refused', async () => (await beside.run('restart')) === 3);
    release();
    expect(await code).toBe(0);
    expect(fake.started).toHaveLength(1);
    expect(world.exits).toEqual([]);
    beside.signal('SIGINT');
    expect(await restarting).toBe(130);
    await lettingGo();
  });
});

describe('stop', () => {
  test('waits no longer after Ctrl-C, with 130; the daemon stops all the same', async () => {
    const home = await testHome();
    const fake = daemon();
    const world = testWorld(home.path, { startDaemon: fake.start });
    const code = world.run('start');
    await eventually('the ready line', () => world.written.out !== '');
    const beside = testWorld(home.path, { isAlive: true });
    const stopped = beside.run('stop');
    expect(await code).toBe(0);
    beside.signal('SIGINT');
    expect(await stopped).toBe(130);
    await lettingGo();
    expect(beside.written.err).toBe('clawmatrix: not waiting any more; the daemon goes on stopping\n');
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
