import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { askDaemon } from '../../src/control/client.ts';
import { ControlFault } from '../../src/control/fault.ts';
import { restartDaemon } from '../../src/control/restart.ts';
import { type ControlHandlers, startControl } from '../../src/control/server.ts';
import { processIsAlive, stopDaemon } from '../../src/control/stop.ts';
import { CONTROL_BYTES_MAX, DRAIN_MS, SOCKET_PATH_BYTES_MAX, STOP_MS } from '../../src/core/limits.ts';
import { eventually, within } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { realClock } from '../support/real-clock.ts';
import { fakeDaemon, MODELS, PEERS, STATUS, socketPath } from './socket.ts';

const clock = realClock;

async function fault(promise: Promise<unknown>): Promise<ControlFault> {
  const result = await promise.catch((error: unknown) => error);
  if (result instanceof ControlFault) return result;
  throw new Error('expected a ControlFault', { cause: result });
}

/** Something on the socket that is no daemon of ours. */
async function impostor(path: string, listener: RequestListener): Promise<void> {
  const server = createServer(listener).listen(path);
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  await once(server, 'listening');
}

test('a running daemon says what it is asked', async () => {
  const path = await socketPath();
  await fakeDaemon(path);
  expect(await askDaemon('status', { path, clock })).toEqual(STATUS);
  expect(await askDaemon('peers', { path, clock })).toEqual(PEERS);
  expect(await askDaemon('models', { path, clock })).toEqual(MODELS);
  expect(await askDaemon('pid', { path, clock })).toEqual({ pid: process.pid });
});

test('the socket has mode 0600 whatever the umask, and the umask is as before', async () => {
  const path = await socketPath();
  const before = process.umask(0);
  try {
    await fakeDaemon(path);
    expect(process.umask()).toBe(0);
  } finally {
    process.umask(before);
  }
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('closed, it takes its file away; closed again, it does nothing', async () => {
  const path = await socketPath();
  const control = await fakeDaemon(path);
  await control.close();
  await control.close();
  await expect(stat(path)).rejects.toThrow('ENOENT');
  expect(await fault(askDaemon('status', { path, clock }))).toMatchObject({ kind: 'not_running' });
});

test('who is cut off by a daemon that starts anew is answered by the new start', async () => {
  const path = await socketPath();
  const old = await fakeDaemon(path, {
    restart: async () => {
      await old.close();
      await fakeDaemon(path, { restart: async () => ({ kind: 'faulty', text: 'of the new start' }) });
      return { kind: 'stopping' };
    },
  });
  expect(await askDaemon('restart', { path, clock })).toMatchObject({ text: 'of the new start' });
});

test('an asker that says nothing does not hold up the close', async () => {
  const path = await socketPath();
  const control = await fakeDaemon(path);
  const idle = connect(path);
  onTestFinished(() => void idle.destroy());
  await once(idle, 'connect');
  await within('the close', control.close());
});

test('a question that the daemon fails at does not end it', async () => {
  const path = await socketPath();
  await fakeDaemon(path, {
    peers: () => {
      throw new Error('a defect');
    },
  });
  expect(await fault(askDaemon('peers', { path, clock }))).toMatchObject({ kind: 'garbled' });
  expect(await askDaemon('status', { path, clock })).toEqual(STATUS);
});

describe('a second daemon', () => {
  test('on the same socket is refused, with the pid of the first', async () => {
    const path = await socketPath();
    await fakeDaemon(path);
    expect(await fault(fakeDaemon(path))).toMatchObject({
      kind: 'already_running',
      pid: process.pid,
      message: `a daemon is running already on ${path}: pid ${process.pid}`,
    });
    expect(await askDaemon('status', { path, clock })).toEqual(STATUS);
  });

  test('takes over the socket file of one that was killed', async () => {
    const path = await socketPath();
    await deadSocket(path);
    expect((await stat(path)).isSocket()).toBe(true);
    await fakeDaemon(path);
    expect(await askDaemon('status', { path, clock })).toEqual(STATUS);
  });

  test('wins against a dead one together with no other: of several at once, one starts', async () => {
    const path = await socketPath();
    await deadSocket(path);
    const results = await Promise.allSettled([1, 2, 3, 4].map(() => fakeDaemon(path)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await askDaemon('status', { path, clock })).toEqual(STATUS);
  });

  test('takes over a plain file that lies there, which answers nothing', async () => {
    const path = await socketPath();
    await writeFile(path, '');
    await fakeDaemon(path);
    expect(await askDaemon('status', { path, clock })).toEqual(STATUS);
  });

  test('is refused by a directory that is in the way, which stays', async () => {
    const path = await socketPath();
    await mkdir(path);
    const { kind, message } = await fault(startControl({ path, clock, handlers: NO_HANDLERS }));
    expect(kind).toBe('unusable');
    expect(message).toMatch(/control\.sock is in the way of the control socket \(\w+\): remove it$/);
    expect((await stat(path)).isDirectory()).toBe(true);
  });

  test('does not push aside one that hangs', async () => {
    const path = await socketPath();
    await impostor(path, () => {});
    const fake = new FakeClock();
    const refused = fault(startControl({ path, clock: fake, handlers: NO_HANDLERS }));
    await eventually('the question is asked', () => fake.pending === 1);
    fake.advance(5_000);
    const { kind, message } = await refused;
    expect(kind).toBe('already_running');
    expect(message).toMatch(/no answer within 5000 ms/);
  });
});

describe('a path', () => {
  test('over what a socket takes is refused, with the mend', async () => {
    const directory = await socketPath();
    const path = join(directory, 'x'.repeat(SOCKET_PATH_BYTES_MAX));
    const { kind, message } = await fault(startControl({ path, clock, handlers: NO_HANDLERS }));
    expect(kind).toBe('unusable');
    expect(message).toMatch(/set CLAWMATRIX_HOME to a shorter one$/);
  });

  test('of the very longest works', async () => {
    const short = await socketPath();
    const path = short.replace(
      'control.sock',
      'x'.repeat(SOCKET_PATH_BYTES_MAX - short.length + 'control.sock'.length),
    );
    expect(Buffer.byteLength(path)).toBe(SOCKET_PATH_BYTES_MAX);
    await fakeDaemon(path);
    expect(await askDaemon('pid', { path, clock })).toEqual({ pid: process.pid });
  });

  test('in a directory that is not there is refused', async () => {
    const path = join(await socketPath(), 'control.sock');
    expect(await fault(startControl({ path, clock, handlers: NO_HANDLERS }))).toMatchObject({
      kind: 'unusable',
    });
  });
});

describe('an answer', () => {
  test('that does not come in time ends the question', async () => {
    const path = await socketPath();
    await impostor(path, (_, response) => void response.writeHead(200).write('{'));
    const fake = new FakeClock();
    const asked = fault(askDaemon('status', { path, clock: fake }));
    await eventually('the question is asked', () => fake.pending === 1);
    fake.advance(5_000);
    expect(await asked).toMatchObject({ kind: 'silent' });
    expect(fake.pending).toBe(0);
  });

  test('over the size limit is cut off', async () => {
    const path = await socketPath();
    await impostor(path, (_, response) => void response.end(`"${'x'.repeat(CONTROL_BYTES_MAX - 1)}"`));
    expect((await fault(askDaemon('status', { path, clock }))).message).toContain(
      `over ${CONTROL_BYTES_MAX} bytes`,
    );
  });

  test.each([
    ['of another form', '{"pid":"1"}'],
    ['that is no JSON', 'hello'],
    ['with an id that is none', JSON.stringify({ ...STATUS, id: 'x'.repeat(54) })],
  ])('%s is refused with what to do', async (_, text) => {
    const path = await socketPath();
    await impostor(path, (_request, response) => void response.end(text));
    expect(await fault(askDaemon('status', { path, clock }))).toMatchObject({
      kind: 'garbled',
      message: expect.stringContaining('stop it and start this version'),
    });
  });

  test('of a newer daemon may have more in it', async () => {
    const path = await socketPath();
    await impostor(path, (_, response) => void response.end(JSON.stringify({ ...STATUS, mood: 'good' })));
    expect(await askDaemon('status', { path, clock })).toEqual(STATUS);
  });
});

describe('stop', () => {
  test('is answered first and done after, and waits until daemon and process are gone', async () => {
    const path = await socketPath();
    const order: string[] = [];
    let alive = true;
    const control = await fakeDaemon(path, {
      stop: () => {
        order.push('stop');
        void control.close().then(() => {
          order.push('closed');
          alive = false;
        });
      },
    });
    expect(await stopDaemon({ path, clock, isAlive: () => alive })).toBe(process.pid);
    expect(order).toEqual(['stop', 'closed']);
  });

  test('does not return while the process is still there', async () => {
    const path = await socketPath();
    await fakeDaemon(path);
    const { kind, message } = await fault(stopDaemon({ path, clock, ms: 120, isAlive: () => true }));
    expect(kind).toBe('silent');
    expect(message).toContain(`pid ${process.pid}`);
  });

  test('says once that it takes long', async () => {
    const path = await socketPath();
    await fakeDaemon(path, { stop: () => {} });
    const fake = new FakeClock();
    let told = 0;
    const isAlive = () => true;
    const stopped = fault(stopDaemon({ path, clock: fake, isAlive, ms: 3_000, onWait: () => told++ }));
    const look = () => eventually('it waits for its next look', () => fake.pending > 0);
    await eventually('it waits', () => fake.pending === 2);
    fake.advance(999);
    expect(told).toBe(0);
    for (const ms of [1, 1_000, 1_000, 1_000]) {
      await look();
      fake.advance(ms);
    }
    await stopped;
    expect(told).toBe(1);
    expect(fake.pending).toBe(0);
  });

  test('waits as long as the daemon may take for its running calls', async () => {
    const path = await socketPath();
    await fakeDaemon(path, { stop: () => {} });
    const fake = new FakeClock();
    let alive = true;
    const stopped = stopDaemon({ path, clock: fake, isAlive: () => alive });
    await eventually('it waits', () => fake.pending === 2);
    fake.advance(DRAIN_MS + STOP_MS);
    await eventually('it looks again', () => fake.pending === 1);
    alive = false;
    fake.advance(100);
    await eventually('it asks whether the socket is gone', () => fake.pending === 1);
    expect(fake.now()).toBeGreaterThan(35_000);
    fake.advance(10_000);
    await expect(stopped).rejects.toThrow('kill it if it hangs');
  });

  test('of a home that is a plain file is not_running', async () => {
    const file = await socketPath();
    await writeFile(file, '');
    const path = join(file, 'control.sock');
    expect(await fault(askDaemon('status', { path, clock }))).toMatchObject({ kind: 'not_running' });
  });

  test('without a daemon is not_running', async () => {
    expect(await fault(stopDaemon({ path: await socketPath(), clock }))).toMatchObject({
      kind: 'not_running',
    });
  });

  test('knows a process that is there from one that has ended', async () => {
    expect(processIsAlive(process.pid)).toBe(true);
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    expect(processIsAlive(child.pid ?? 0)).toBe(false);
  });
});

describe('restart', () => {
  const accepted = (go: () => void) => ({
    restart: async () => ({ kind: 'accepted', bootEpoch: 2, go }) as const,
  });

  test('is answered first and done after, and waits until the new start is ready', async () => {
    const path = await socketPath();
    const order: string[] = [];
    let view = STATUS;
    const go = () => {
      order.push('go');
      view = { ...STATUS, bootEpoch: 2, proxy: '' };
    };
    await fakeDaemon(path, { ...accepted(go), status: () => view });
    const restarted = restartDaemon({ path, clock }).then((status) => {
      order.push('told');
      return status;
    });
    await eventually('it goes', () => order.length > 0);
    order.push('ready');
    view = { ...view, proxy: 'http://127.0.0.1:4' };
    expect(await restarted).toEqual(view);
    expect(order).toEqual(['go', 'ready', 'told']);
  });

  test('says that the old daemon goes on, with every fault, where the configuration has some', async () => {
    const path = await socketPath();
    await fakeDaemon(path, { restart: async () => ({ kind: 'faulty', text: 'two faults:\n  one\n  two' }) });
    const { kind, message } = await fault(restartDaemon({ path, clock }));
    expect(kind).toBe('faulty');
    expect(message).toBe(`two faults:\n  one\n  two\nThe daemon (pid ${process.pid}) goes on as before.`);
  });

  test('of a daemon that stops is not_running', async () => {
    const path = await socketPath();
    await fakeDaemon(path);
    expect(await fault(restartDaemon({ path, clock }))).toMatchObject({ kind: 'not_running' });
    expect(await fault(restartDaemon({ path: `${path}.none`, clock }))).toMatchObject({
      kind: 'not_running',
    });
  });

  test('says so when the daemon stopped and is not there again', async () => {
    const path = await socketPath();
    const control = await fakeDaemon(
      path,
      accepted(() => void control.close()),
    );
    const { message } = await fault(restartDaemon({ path, clock, isAlive: () => false }));
    expect(message).toMatch(/stopped and is not there again: if nobody stopped it, its log says why$/);
  });

  test('gives up on one that never gets ready', async () => {
    const path = await socketPath();
    await fakeDaemon(
      path,
      accepted(() => {}),
    );
    const { kind, message } = await fault(restartDaemon({ path, clock, ms: 120 }));
    expect(kind).toBe('silent');
    expect(message).toContain('"clawmatrix status" shows when it is');
  });

  test('that the daemon fails at does not end it', async () => {
    const path = await socketPath();
    await fakeDaemon(path, { restart: () => Promise.reject(new Error('a defect')) });
    expect(await fault(restartDaemon({ path, clock }))).toMatchObject({ kind: 'garbled' });
    expect(await askDaemon('status', { path, clock })).toEqual(STATUS);
  });
});

const NO_HANDLERS: ControlHandlers = {
  status: () => STATUS,
  peers: () => PEERS,
  models: () => MODELS,
  stop: () => {},
  restart: async () => ({ kind: 'stopping' }),
};

/** The socket file that a killed process leaves behind. */
async function deadSocket(path: string): Promise<void> {
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', script]), 'exit');
}
