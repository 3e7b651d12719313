import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KEY_43, testHome } from '../config/home.ts';
import { type TestWorldOptions, testWorld } from './world.ts';

const OTHER_KEY = Buffer.alloc(32, 8).toString('base64url');

async function fresh(options: TestWorldOptions = {}) {
  const home = await testHome();
  const path = join(home.path, 'state');
  return { home, path, world: testWorld(path, options) };
}

async function keyIn(path: string): Promise<string> {
  return readFile(join(path, 'mesh.key'), 'utf8');
}

describe('init', () => {
  test('makes all that a node needs, private, and says what comes next without showing the key', async () => {
    const { path, world } = await fresh();
    expect(await world.run('init')).toBe(0);
    for (const name of ['identity.key', 'mesh.key', 'clawmatrix.json'])
      expect((await stat(join(path, name))).mode & 0o777).toBe(0o600);
    const { out, err } = world.written;
    expect(err).toBe('');
    expect(out).toMatch(/^made .*identity\.key {2}\(this node is [a-z2-7]{54}\)$/m);
    expect(out).toContain('clawmatrix start');
    expect(out).toContain(`ssh HOST cat ${path}/mesh.key | clawmatrix init --key-file -`);
    expect(out).not.toContain((await keyIn(path)).trim());
    expect(await readFile(join(path, 'clawmatrix.json'), 'utf8')).toContain('"nodeId": "studio"');
  });

  test('again overwrites nothing, and says what was there', async () => {
    const { home, path, world } = await fresh();
    await world.run('init');
    const before = [await keyIn(path), await readFile(join(path, 'identity.key'), 'hex')];
    await home.file('state/clawmatrix.json', '{ nodeId: "mine" }');
    world.written.out = '';
    expect(await world.run('init')).toBe(0);
    expect(world.written.out.match(/^was there/gm)).toHaveLength(3);
    expect([await keyIn(path), await readFile(join(path, 'identity.key'), 'hex')]).toEqual(before);
    expect(await readFile(join(path, 'clawmatrix.json'), 'utf8')).toBe('{ nodeId: "mine" }');
  });

  test('writes the configuration where --config says', async () => {
    const { home, path, world } = await fresh();
    const config = join(home.path, 'elsewhere.json');
    expect(await world.run('init', '--config', config)).toBe(0);
    expect(await readFile(config, 'utf8')).toContain('"nodeId"');
    await expect(stat(join(path, 'clawmatrix.json'))).rejects.toThrow('ENOENT');
  });

  test('refuses a directory for the configuration that is not there', async () => {
    const { world } = await fresh();
    expect(await world.run('init', '--config', '/nowhere/at/all.json')).toBe(2);
    expect(world.written.err).toBe('clawmatrix: /nowhere/at/all.json cannot be written (ENOENT)\n');
  });

  test('says so when the configuration takes its key from somewhere else', async () => {
    const { home, world } = await fresh();
    await world.run('init');
    await home.file('state/clawmatrix.json', JSON.stringify({ secret: { env: 'KEY' } }));
    await world.run('init');
    expect(world.written.out).toContain('decides which network key is used');
  });
});

describe('init --key-file', () => {
  test('takes the key of a mesh from a file', async () => {
    const { home, path, world } = await fresh();
    const file = await home.file('given', `${KEY_43}\n`);
    expect(await world.run('init', '--key-file', file)).toBe(0);
    expect(await keyIn(path)).toBe(`${KEY_43}\n`);
    expect(world.written.out).toMatch(/^taken over .*mesh\.key/m);
    expect(world.written.out).not.toContain(KEY_43);
  });

  test('takes it from standard input', async () => {
    const { path, world } = await fresh({ input: `  ${KEY_43}\r\n` });
    expect(await world.run('init', '--key-file', '-')).toBe(0);
    expect(await keyIn(path)).toBe(`${KEY_43}\n`);
  });

  test.each([
    ['nothing', ''],
    ['a passphrase', 'correct horse battery staple'],
    ['half a key', KEY_43.slice(0, 20)],
  ])('refuses %s, and leaves nothing behind', async (_, input) => {
    const { path, world } = await fresh({ input });
    expect(await world.run('init', '--key-file', '-')).toBe(2);
    expect(world.written.err).toContain('what came on standard input is no network key');
    if (input !== '') expect(world.written.err).not.toContain(input);
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  test('the same key again is fine; another one is refused, and replaced only with --force', async () => {
    const { home, path, world } = await fresh();
    const same = await home.file('same', KEY_43);
    const other = await home.file('other', OTHER_KEY);
    await world.run('init', '--key-file', same);
    expect(await world.run('init', '--key-file', same)).toBe(0);
    expect(await world.run('init', '--key-file', other)).toBe(2);
    expect(world.written.err).toContain('add --force to replace it');
    expect(await keyIn(path)).toBe(`${KEY_43}\n`);
    expect(await world.run('init', '--key-file', other, '--force')).toBe(0);
    expect(await keyIn(path)).toBe(`${OTHER_KEY}\n`);
    expect(world.written.out).toContain('until it is started again');
    expect((await stat(join(path, 'mesh.key'))).mode & 0o777).toBe(0o600);
  });

  test('a file that others can read is refused with its mend, a missing one by name', async () => {
    const { home, world } = await fresh();
    const open = await home.file('open', KEY_43, 0o644);
    expect(await world.run('init', '--key-file', open)).toBe(2);
    expect(world.written.err).toContain(`run chmod 600 ${open}`);
    expect(await world.run('init', '--key-file', `${open}.gone`)).toBe(2);
    expect(world.written.err).toContain(`${open}.gone does not exist`);
  });
});
