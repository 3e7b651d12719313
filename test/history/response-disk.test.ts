/** Remembered over a restart: private files, whole or not there, and no more of them than there may be. */
import { createHash } from 'node:crypto';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ResponseMemory } from '../../src/history/response-memory.ts';
import type { StoreLimits } from '../../src/history/response-store.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { first } from '../support/identities.ts';
import { type LogLines, logLines } from '../support/log-lines.ts';
import { asked, CHAT, callOf, homeOf, json, LIMITS, MINUTE, response, said, sent } from './world.ts';

const POSIX = process.platform !== 'win32';

let folder: string;
let path: string;
let clock: FakeClock;
let log: LogLines;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clawmatrix-history-'));
  path = join(folder, 'responses');
  clock = new FakeClock();
  log = logLines();
});

afterEach(() => rm(folder, { recursive: true }));

async function started(limits: StoreLimits = LIMITS): Promise<ResponseMemory> {
  const targets = () => [{ node: first.id, card: { id: 'm', provider: 'chatty', dialect: 'chat' as const } }];
  const memory = new ResponseMemory({ keep: 'disk', path, ...limits }, { clock, log: log.log, targets });
  await memory.start();
  return memory;
}

function turn({ history }: ResponseMemory, body: object, id: string): void {
  const whole = { model: 'm', ...body };
  const told = {
    bytes: [json(response({ id, output: [said(id, `msg_${id}`)] }))],
    upstreamId: 'resp_theirs',
  };
  history.open(callOf(whole), whole).keep(homeOf(CHAT), told);
}

function goneOn({ history }: ResponseMemory, id: string): unknown {
  const whole = { model: 'm', input: 'on', previous_response_id: id };
  return sent(history.open(callOf(whole), whole).call).input;
}

const filesIn = async () => (await readdir(path)).filter((name) => name.endsWith('.response'));

test('a conversation goes on after a restart', async () => {
  const before = await started();
  turn(before, { input: 'one' }, 'resp_1');
  turn(before, { input: 'two', previous_response_id: 'resp_1' }, 'resp_2');
  await before.close();
  const after = await started();
  const all = [
    asked('one'),
    said('resp_1', 'msg_resp_1'),
    asked('two'),
    said('resp_2', 'msg_resp_2'),
    asked('on'),
  ];
  expect(goneOn(after, 'resp_2')).toEqual(all);
  expect(after.history.find('resp_2')?.response).toMatchObject({ id: 'resp_2', object: 'response' });
  await after.close();
  expect(clock.pending).toBe(0);
});

test.runIf(POSIX)('nobody else can read what was said', async () => {
  const memory = await started();
  turn(memory, { input: 'one' }, 'resp_1');
  await memory.close();
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  const [name = ''] = await filesIn();
  expect((await stat(join(path, name))).mode & 0o777).toBe(0o600);
});

test('what was not to be stored is not on disk, and what is deleted is not there any more', async () => {
  const memory = await started();
  turn(memory, { input: 'one', store: false }, 'resp_1');
  turn(memory, { input: 'one' }, 'resp_2');
  expect(memory.history.delete('resp_2')).toBe(true);
  await memory.close();
  expect(await readdir(path)).toEqual([]);
});

test('what has expired in the meantime is not remembered, and its file goes', async () => {
  const before = await started();
  turn(before, { input: 'one' }, 'resp_1');
  await before.close();
  const [name = ''] = await filesIn();
  const old = (clock.wall() - 11 * MINUTE) / 1000;
  await utimes(join(path, name), old, old);
  const after = await started();
  await after.close();
  expect(after.history.find('resp_1')).toBeUndefined();
  expect(await filesIn()).toEqual([]);
});

test('a restart does not make anything last longer', async () => {
  const before = await started();
  turn(before, { input: 'one' }, 'resp_1');
  await before.close();
  const [name = ''] = await filesIn();
  const used = (clock.wall() - 8 * MINUTE) / 1000;
  await utimes(join(path, name), used, used);
  const after = await started();
  clock.advance(3 * MINUTE);
  expect(after.history.find('resp_1')).toBeUndefined();
  await after.close();
});

test.each([
  ['is cut', (file: string) => truncate(file, 200)],
  ['is empty', (file: string) => truncate(file, 0)],
  ['is something else', (file: string) => writeFile(file, 'not\nthis', { mode: 0o600 })],
])('a file that %s is left out and told of; the others are there', async (_name, spoil) => {
  const before = await started();
  turn(before, { input: 'one' }, 'resp_1');
  await before.close();
  const [name = ''] = await filesIn();
  turn(before, { input: 'two' }, 'resp_2');
  await before.close();
  await spoil(join(path, name));
  const after = await started();
  await after.close();
  expect(after.history.find('resp_1')).toBeUndefined();
  expect(after.history.find('resp_2')).toBeDefined();
  expect(log.said).toContain('a kept response cannot be read, and is left out');
  expect(log.text).not.toContain('one');
});

test('what a crash left half written goes', async () => {
  await (await started()).close();
  await writeFile(join(path, 'abc.response.0123.tmp'), 'half', { mode: 0o600 });
  await (await started()).close();
  expect(await readdir(path)).toEqual([]);
});

test.skipIf(!POSIX)('what is no file is left alone, and keeps nothing from being remembered', async () => {
  const before = await started();
  turn(before, { input: 'one' }, 'resp_1');
  await before.close();
  await symlink(join(folder, 'nowhere'), join(path, 'a.response'));
  await mkdir(join(path, 'b.response'));
  await mkdir(join(path, 'c.tmp'));
  const after = await started();
  await after.close();
  expect(after.history.find('resp_1')).toBeDefined();
  expect(await readdir(path)).toHaveLength(4);
  const told = log.said.filter((text) => text === 'a kept response cannot be read, and is left out');
  expect(told).toHaveLength(2);
});

test('a file that is larger than all of them may be goes, and takes no other with it', async () => {
  const before = await started();
  turn(before, { input: 'one' }, 'resp_1');
  await before.close();
  await writeFile(join(path, 'large.response'), '', { mode: 0o600 });
  await truncate(join(path, 'large.response'), LIMITS.bytesMax + 1);
  const after = await started();
  await after.close();
  expect(after.history.find('resp_1')).toBeDefined();
  expect(await filesIn()).toHaveLength(1);
});

test('only as much as may be remembered is read: the latest used', async () => {
  const before = await started();
  for (const id of ['resp_1', 'resp_2', 'resp_3']) {
    turn(before, { input: 'x'.repeat(2_000) }, id);
    await before.close();
    for (const [index, name] of (await filesIn()).entries()) {
      const text = await readFile(join(path, name), 'utf8');
      const at = Number(/resp_(\d)/.exec(text)?.[1] ?? index);
      const seconds = clock.wall() / 1000 - 60 + at;
      await utimes(join(path, name), seconds, seconds);
    }
  }
  const after = await started({ keepMs: 10 * MINUTE, bytesMax: 6_000 });
  await after.close();
  expect(['resp_1', 'resp_2', 'resp_3'].map((id) => after.history.find(id) !== undefined)).toEqual([
    false,
    true,
    true,
  ]);
  expect(await filesIn()).toHaveLength(2);
});

test('what could not be written leaves no half of it behind', async () => {
  const memory = await started();
  const name = `${createHash('sha256').update('resp_1').digest('hex')}.response`;
  await mkdir(join(path, name, 'in the way'), { recursive: true });
  turn(memory, { input: 'one' }, 'resp_1');
  await memory.close();
  expect(log.said).toContain('a response could not be kept on disk');
  expect(await readdir(path)).toEqual([name]);
});

test('a disk that takes nothing costs the memory nothing, and is told of', async () => {
  const memory = await started();
  await rm(path, { recursive: true });
  turn(memory, { input: 'one' }, 'resp_1');
  await memory.close();
  expect(memory.history.find('resp_1')).toBeDefined();
  expect(log.said).toContain('a response could not be kept on disk');
});
