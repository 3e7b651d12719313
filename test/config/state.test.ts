import { chmod, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { publicKeyOf } from '../../src/core/ids.ts';
import { KEY_43, testHome } from './home.ts';

test('a second start is the same node with the same key', async () => {
  const home = await testHome();
  const first = await home.load();
  const second = await home.load();
  expect(second.identity).toEqual(first.identity);
  expect(second.nodeId).toBe(first.nodeId);
  expect(second.networkKey).toEqual(first.networkKey);
  expect(publicKeyOf(first.nodeId)).toHaveLength(32);
});

test('first starts at once end with one identity and one network key', async () => {
  const home = await testHome();
  const loaded = await Promise.all(Array.from({ length: 8 }, () => home.load()));
  expect(new Set(loaded.map(({ nodeId }) => nodeId)).size).toBe(1);
  expect(new Set(loaded.map(({ networkKey }) => networkKey.toString('hex'))).size).toBe(1);
});

test('the directory is 0700 and the files are 0600, whatever the umask', async () => {
  const home = await testHome();
  const path = join(home.path, 'deeper', 'home');
  const before = process.umask(0);
  try {
    await home.load({ home: path });
  } finally {
    process.umask(before);
  }
  const modes = await Promise.all(
    ['.', 'identity.key', 'mesh.key', 'boot-epoch'].map(
      async (name) => (await stat(join(path, name))).mode & 0o777,
    ),
  );
  expect(modes).toEqual([0o700, 0o600, 0o600, 0o600]);
});

describe('a state directory that is not private is refused with its mend', () => {
  test('a directory with mode 755', async () => {
    const home = await testHome();
    await chmod(home.path, 0o755);
    expect((await home.faults()).message).toContain(`run chmod 700 ${home.path}`);
  });

  test.each(['identity.key', 'mesh.key', 'boot-epoch'])('%s with mode 644', async (name) => {
    const home = await testHome();
    await home.load();
    const path = join(home.path, name);
    await chmod(path, 0o644);
    expect((await home.faults()).faults).toEqual([
      { path: [], message: `${path} can be read by others (mode 644): run chmod 600 ${path}` },
    ]);
  });

  test('identity.key as a symbolic link', async () => {
    const home = await testHome();
    await home.load();
    const path = join(home.path, 'identity.key');
    await writeFile(join(home.path, 'else'), await readFile(path), { mode: 0o600 });
    await rm(path);
    await symlink('else', path);
    expect((await home.faults()).message).toContain('is a symbolic link');
  });

  test('both keys at once are in one list, together with the faults of the file', async () => {
    const home = await testHome();
    await home.load();
    await chmod(join(home.path, 'identity.key'), 0o644);
    await chmod(join(home.path, 'mesh.key'), 0o644);
    expect((await home.faults()).faults).toHaveLength(2);
    await home.config('{ "nope": 1 }');
    expect((await home.faults()).message).toMatch(/line 1, nope: .*identity\.key can be read/s);
  });
});

test.each([
  ['identity.key', 'half a key', "is not this node's Ed25519 key"],
  ['mesh.key', 'passphrase', 'a passphrase will not do'],
])('a broken %s is refused, and stays as it is', async (name, content, wanted) => {
  const home = await testHome();
  const path = await home.file(name, content);
  expect((await home.faults()).message).toContain(wanted);
  expect(await readFile(path, 'utf8')).toBe(content);
});

test('with a directory where a file should be, the list says so', async () => {
  const home = await testHome();
  await mkdir(join(home.path, 'mesh.key'), { mode: 0o700 });
  expect((await home.faults()).message).toContain('mesh.key is not a file');
});

describe('the boot epoch', () => {
  test('rises by one at each start, and is on disk before it is used', async () => {
    const home = await testHome();
    const epochs: number[] = [];
    for (let start = 0; start < 3; start++) {
      const { bootEpoch } = await home.load();
      expect(await readFile(join(home.path, 'boot-epoch'), 'utf8')).toBe(`${bootEpoch}\n`);
      epochs.push(bootEpoch);
    }
    const [first = 0] = epochs;
    expect(epochs).toEqual([first, first + 1, first + 2]);
  });

  test.each([['is lost'], ['is broken']])('does not fall behind when its file %s', async (how) => {
    const home = await testHome();
    const { bootEpoch } = await home.load();
    if (how === 'is lost') await rm(join(home.path, 'boot-epoch'));
    else await home.file('boot-epoch', '12x');
    expect((await home.load()).bootEpoch).toBeGreaterThanOrEqual(bootEpoch);
  });

  test('does not rise, and no network key is made, when the configuration is refused', async () => {
    const home = await testHome();
    await home.config('{ "secert": 1 }');
    await home.faults();
    await expect(stat(join(home.path, 'boot-epoch'))).rejects.toThrow('ENOENT');
    await expect(stat(join(home.path, 'mesh.key'))).rejects.toThrow('ENOENT');
  });
});

test('the network key is known to the log, made or configured', async () => {
  const home = await testHome();
  const made = await home.load();
  expect(made.secrets.scrub(made.networkKey.toString('base64url'))).toBe('[secret]');
  await home.config({ secret: KEY_43 });
  expect((await home.load()).secrets.scrub(KEY_43)).toBe('[secret]');
});
