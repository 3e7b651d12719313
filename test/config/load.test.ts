import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nameOf } from '../../src/config/load.ts';
import { CONFIG_BYTES_MAX } from '../../src/core/limits.ts';
import { KEY_43, testHome } from './home.ts';

const fixtures = new URL('../../fixtures/config/', import.meta.url);

async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(new URL(folder, fixtures));
  return names.filter((name) => name.endsWith('.json'));
}

describe('every fault of a file is in one list, with its line, its path and what was expected', async () => {
  test.each(await namesIn('invalid/'))('%s', async (name) => {
    const home = await testHome();
    const path = new URL(`invalid/${name}`, fixtures).pathname;
    const { message } = await home.faults({ configPath: path });
    const wanted = await readFile(new URL(`invalid/${name.replace('.json', '.txt')}`, fixtures), 'utf8');
    expect(`${message}\n`).toBe(wanted.replace(name, path));
  });
});

test('every form that JSON5 allows is taken, and addresses lose their final slash', async () => {
  const home = await testHome();
  const loaded = await home.load({ configPath: new URL('valid/json5.json', fixtures).pathname });
  expect(loaded.listen).toEqual({ host: '0.0.0.0', port: 19_700 });
  expect(loaded.peers).toEqual([{ url: 'ws://hub.lan:19700' }, { url: 'wss://relay.example.net/mesh' }]);
  expect(loaded.offer.upstreams.map(({ card, baseUrl }) => [card.id, card.dialect, baseUrl])).toEqual([
    ['Qwen/Qwen3-8B', 'chat', 'http://127.0.0.1:11434/v1'],
    ['llama', 'responses', 'http://127.0.0.1:11434/v1'],
  ]);
  expect(loaded.offer.announced.map(({ id }) => id)).toEqual(['Qwen/Qwen3-8B']);
  expect(loaded.warnings).toEqual([
    'models[2] (nowhere/opus) has no upstream and is not offered: give it a "baseUrl", or describe "nowhere" in "providers"',
  ]);
});

describe('with no file at all', () => {
  test('the daemon starts: with defaults, its own identity and key, and nothing configured', async () => {
    const home = await testHome();
    const loaded = await home.load();
    expect(loaded).toMatchObject({
      configPath: null,
      name: 'studio',
      offer: { upstreams: [], announced: [], discoveries: [], looksAround: true },
      listen: null,
      peers: [],
      warnings: [],
      logLevel: 'info',
      home: home.path,
      controlPath: join(home.path, 'control.sock'),
    });
    expect(loaded.proxy).toMatchObject({ host: '127.0.0.1', port: 19_701, apiKeys: [] });
    expect(loaded.networkKey).toHaveLength(32);
  });

  test('an empty one says the same, and that it was read', async () => {
    const home = await testHome();
    const path = new URL('valid/empty.json', fixtures).pathname;
    expect(await home.load({ configPath: path })).toMatchObject({
      configPath: path,
      offer: { upstreams: [] },
    });
  });
});

describe('which file is read', () => {
  async function three() {
    const home = await testHome();
    await home.config({ nodeId: 'from-home' });
    const byEnv = await home.file('env.json', '{ nodeId: "from-env" }');
    const byOption = await home.file('option.json', '{ nodeId: "from-option" }');
    return { home, byEnv, byOption };
  }

  test('--config goes before $CLAWMATRIX_CONFIG, and that before the file in the home', async () => {
    const { home, byEnv, byOption } = await three();
    expect(await home.load()).toMatchObject({ name: 'from-home' });
    expect(await home.load({ env: { CLAWMATRIX_CONFIG: byEnv } })).toMatchObject({ name: 'from-env' });
    expect(await home.load({ env: { CLAWMATRIX_CONFIG: byEnv }, configPath: byOption })).toMatchObject({
      name: 'from-option',
      configPath: byOption,
    });
  });

  test('--home goes before $CLAWMATRIX_HOME; a variable set to nothing is not set', async () => {
    const { home } = await three();
    const env = { CLAWMATRIX_HOME: '/nowhere', CLAWMATRIX_CONFIG: '' };
    expect(await home.load({ home: home.path, env })).toMatchObject({ name: 'from-home' });
  });

  test.each([['option'], ['env']])('a file named by %s that is not there is a fault', async (how) => {
    const { home } = await three();
    const path = join(home.path, 'gone.json');
    const faults = await home.faults(
      how === 'option' ? { configPath: path } : { env: { CLAWMATRIX_CONFIG: path } },
    );
    expect(faults.message).toBe(
      `the configuration has one fault in ${path}:\n  the file does not exist; "clawmatrix init" makes one`,
    );
  });
});

describe('a file that cannot be one', () => {
  test('over the size limit it is not read', async () => {
    const home = await testHome();
    await home.config(`"${'x'.repeat(CONFIG_BYTES_MAX)}"`);
    expect((await home.faults()).message).toContain(`at most ${CONFIG_BYTES_MAX} bytes are read`);
    await home.config(`{}${' '.repeat(CONFIG_BYTES_MAX - 2)}`);
    await home.load();
  });

  test.runIf(process.platform !== 'win32')('without end it is read no further than that', async () => {
    const home = await testHome();
    const { message } = await home.faults({ configPath: '/dev/zero' });
    expect(message).toContain(`at most ${CONFIG_BYTES_MAX} bytes are read`);
  });

  test('nested without end it is refused with the line, not with a broken stack', async () => {
    const home = await testHome();
    await home.config(`{\n"models": ${'['.repeat(100_000)}${']'.repeat(100_000)} }`);
    expect((await home.faults()).faults).toEqual([
      { path: [], line: 2, message: 'nested deeper than 64 levels' },
    ]);
  });

  test('bytes that are no UTF-8 are a fault', async () => {
    const home = await testHome();
    await home.file('clawmatrix.json', Buffer.from([0x7b, 0xff, 0x7d]));
    expect((await home.faults()).message).toContain('not text in UTF-8');
  });

  test('a directory in its place is a fault', async () => {
    const home = await testHome();
    expect((await home.faults({ configPath: home.path })).message).toContain('cannot be read (EISDIR)');
  });

  test('a password in an address is refused with what to write instead', async () => {
    const home = await testHome();
    const address = '//me:secret@gpu.lan';
    await home.config({ peers: [`ws:${address}`], providers: { p: { baseUrl: `http:${address}` } } });
    const { message } = await home.faults();
    expect(message).toMatch(/peers\[0\]: .* refused: the network key is what lets a node in\n/);
    expect(message).toMatch(/providers\.p\.baseUrl: .* refused: write "apiKey" beside it$/m);
    expect(message).not.toContain('secret');
  });

  test('__proto__ is an unknown key like any other', async () => {
    const home = await testHome();
    await home.config('{ "__proto__": { "nodeId": "x" }, "log": { "__proto__": { "level": "debug" } } }');
    const { faults } = await home.faults();
    expect(faults.map(({ path }) => path.join('.')).toSorted()).toEqual(['__proto__', 'log.__proto__']);
  });
});

describe('a proxy that others can reach', () => {
  const load = async (proxy: object) => {
    const home = await testHome();
    await home.config({ proxy });
    return home;
  };

  test.each(['0.0.0.0', '::', '192.168.1.4', 'studio.lan', '[::]'])(
    '%s without a key is refused',
    async (host) => {
      const { message } = await (await load({ host })).faults();
      expect(message).toMatch(
        /proxy\.host: .*has no "apiKeys".*openssl rand -hex 32.*bind it to 127\.0\.0\.1/,
      );
    },
  );

  test('a key of 21 characters is refused, one of 22 is enough', async () => {
    expect(
      (await (await load({ host: '0.0.0.0', apiKeys: ['k'.repeat(22), 'k'.repeat(21)] })).faults()).faults,
    ).toEqual([
      expect.objectContaining({
        path: ['proxy', 'apiKeys', 1],
        message: expect.stringContaining('too short'),
      }),
    ]);
    await (await load({ host: '0.0.0.0', apiKeys: ['k'.repeat(22)] })).load();
  });

  test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1', '[::1]'])('%s needs none', async (host) => {
    expect((await (await load({ host })).load()).proxy.host).toBe(host.replace(/[[\]]/g, ''));
  });

  test('a short key is told of together with every other fault of the proxy', async () => {
    const { faults } = await (await load({ host: '0.0.0.0', apiKeys: ['short'], prot: 1 })).faults();
    expect(faults.map(({ path }) => path.join('.')).toSorted()).toEqual(['proxy.apiKeys.0', 'proxy.prot']);
  });
});

describe('the network key', () => {
  test.each([
    ['a passphrase', 'correct horse battery staple'],
    ['31 bytes', Buffer.alloc(31, 1).toString('base64url')],
    ['33 bytes', Buffer.alloc(33, 1).toString('base64url')],
    ['base64 with other letters', Buffer.alloc(32, 0xff).toString('base64').replace('=', '')],
    ['hexadecimal digits', Buffer.alloc(32, 1).toString('hex')],
  ])('is refused as %s, with the command that makes one', async (_, secret) => {
    const home = await testHome();
    await home.config({ secret });
    const { message } = await home.faults();
    expect(message).toContain('"clawmatrix init" makes a key');
    expect(message).not.toContain(secret);
  });

  test('as a reference with a slip in it is one fault', async () => {
    const home = await testHome();
    await home.config({ secret: { fiel: 'mesh.key' } });
    expect((await home.faults()).faults).toMatchObject([{ path: ['secret', 'fiel'] }]);
  });

  test('written out, it is used and none is made', async () => {
    const home = await testHome();
    await home.config({ secret: KEY_43 });
    expect((await home.load()).networkKey).toEqual(Buffer.alloc(32, 7));
    await expect(stat(join(home.path, 'mesh.key'))).rejects.toThrow('ENOENT');
  });

  test('named as the very file where it is kept by default, it is made as by default', async () => {
    const home = await testHome();
    await home.config({ secret: { file: 'mesh.key' } });
    const { networkKey } = await home.load();
    expect((await readFile(join(home.path, 'mesh.key'), 'utf8')).trim()).toBe(
      networkKey.toString('base64url'),
    );
  });
});

test.each([
  ['Studio.local', 'studio'],
  ['DESKTOP_4F 2', 'desktop-4f-2'],
  ['-x-', 'x'],
  ['…', 'node'],
  ['', 'node'],
])('the host name %j makes the node name %j', (host, name) => {
  expect(nameOf(host)).toBe(name);
});
