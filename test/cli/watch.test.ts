import { describe, expect, test } from 'vitest';
import { WATCH_MS } from '../../src/core/limits.ts';
import type { Cancel } from '../../src/lib/clock.ts';
import { testHome } from '../config/home.ts';
import { fakeDaemon, MODELS, PEERS, STATUS } from '../control/socket.ts';
import { eventually, within } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type TestWorldOptions, testWorld } from './world.ts';

/** Counts the pauses between two looks. */
class WatchClock extends FakeClock {
  pauses = 0;

  override after(ms: number, run: () => void): Cancel {
    if (ms === WATCH_MS) this.pauses++;
    return super.after(ms, run);
  }
}

/** A watch that looks when the test says so. */
async function watching(argv: readonly string[], options: TestWorldOptions = {}) {
  const home = await testHome();
  const socket = `${home.path}/control.sock`;
  const views = { status: STATUS, peers: PEERS };
  const handlers = { status: () => views.status, peers: () => views.peers };
  const daemon = await fakeDaemon(socket, handlers);
  const clock = new WatchClock();
  const world = testWorld(home.path, { clock, ...options });
  const code = world.run(...argv, '--watch');
  const pause = (number: number) =>
    eventually(`pause ${number} between two looks`, () => clock.pauses === number);
  return {
    views,
    daemon,
    world,
    code,
    again: () => fakeDaemon(socket, handlers),
    first: () => pause(1),
    async look() {
      const next = clock.pauses + 1;
      clock.advance(WATCH_MS);
      await pause(next);
    },
    async end() {
      world.signal('SIGINT');
      return within('the end', code);
    },
  };
}

describe('--watch on a terminal', () => {
  test('draws the present state in place, each second, until Ctrl-C, which is 0', async () => {
    const it = await watching(['peers'], { columns: 80, env: { NO_COLOR: '1' } });
    await it.first();
    expect(it.world.written.out).toMatch(/^\x1b\[HNAME .*\x1b\[K\nhub .*1\.2 ms.*\x1b\[K\n.*\x1b\[J$/s);
    it.world.written.out = '';
    it.views.peers = PEERS.slice(0, 1).map((peer) => ({ ...peer, rttMs: 88 }));
    await it.look();
    expect(it.world.written.out).toContain('88 ms');
    expect(await it.end()).toBe(0);
    expect(it.world.listening()).toBe(0);
  });

  test('never draws more lines than there are', async () => {
    const it = await watching(['status'], { columns: 80, rows: 6 });
    await it.first();
    expect(it.world.written.out.match(/\n/g)).toHaveLength(5);
    expect(it.world.written.out).toContain('… 5 more');
    await it.end();
  });

  test('says that the daemon is gone, and goes on when it is back', async () => {
    const it = await watching(['status'], { columns: 80 });
    await it.first();
    await it.daemon.close();
    await it.look();
    expect(it.world.written.out).toContain('waiting for it to come back');
    it.world.written.out = '';
    await it.again();
    await it.look();
    expect(it.world.written.out).toContain('studio');
    expect(await it.end()).toBe(0);
  });
});

describe('--watch into a pipe', () => {
  test('writes a block only where something has changed, be it not the time', async () => {
    const it = await watching(['status']);
    await it.first();
    const first = it.world.written.out;
    it.views.status = { ...STATUS, uptimeSeconds: 99_999 };
    await it.look();
    it.views.status = { ...STATUS, calls: { entry: 7, owner: 0 } };
    await it.look();
    expect(it.world.written.out).toContain('7 from clients');
    expect(it.world.written.out.startsWith(`${first}\nnode `)).toBe(true);
    expect(it.world.written.out.match(/^node /gm)).toHaveLength(2);
    expect(it.world.written.out).not.toContain('\x1b');
    await it.end();
  });

  test('--json writes one document a line', async () => {
    const it = await watching(['peers', '--json']);
    await it.first();
    it.views.peers = [];
    await it.look();
    expect(it.world.written.out).toMatch(/\[\]\n$/);
    const lines = it.world.written.out.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([PEERS, []]);
    await it.end();
  });

  test('tells once on standard error that the daemon is gone, and writes again when it is back', async () => {
    const it = await watching(['models']);
    await it.first();
    await it.daemon.close();
    await it.look();
    await it.look();
    expect(it.world.written.err).not.toBe('');
    await it.again();
    await it.look();
    const rows = new RegExp(`^${MODELS[0]?.id}`, 'gm');
    expect(it.world.written.out.match(rows)).toHaveLength(2);
    expect(it.world.written.err).toMatch(
      /^clawmatrix: no daemon is running.*; waiting for it to come back\n$/,
    );
    expect(await it.end()).toBe(0);
  });
});

test('--watch without a daemon is 3, as without it', async () => {
  const home = await testHome();
  const world = testWorld(home.path);
  expect(await world.run('peers', '--watch')).toBe(3);
  expect(world.written.out).toBe('');
});
