import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KEY_43, testHome } from './home.ts';

const CANARY = 'sk-canary-0123456789abcdef';

function oneModel(apiKey: unknown, more: object = {}): object {
  return { models: [{ id: 'a', provider: 'p', baseUrl: 'http://127.0.0.1:1/v1', apiKey }], ...more };
}

describe('a secret comes from', () => {
  test.each([
    ['the file itself', CANARY, {}],
    ['a variable in its text', `\${KEY}`, { KEY: CANARY }],
    ['a variable named by "env"', { env: 'KEY' }, { KEY: CANARY }],
    ['a variable that ends with a line break', { env: 'KEY' }, { KEY: `${CANARY}\r\n` }],
  ])('%s', async (_, apiKey, env) => {
    const home = await testHome();
    await home.config(oneModel(apiKey));
    const loaded = await home.load({ env });
    expect(loaded.offer.upstreams[0]?.apiKey).toBe(CANARY);
    expect(loaded.secrets.scrub(`key ${CANARY}`)).toBe('key [secret]');
  });

  test('a file beside the one that names it, without its final line break', async () => {
    const home = await testHome();
    await home.file('vllm.key', `${CANARY}\n`);
    await home.config(oneModel({ file: 'vllm.key' }));
    expect((await home.load()).offer.upstreams[0]?.apiKey).toBe(CANARY);
  });

  test("a file in the user's directory, written with ~/", async () => {
    const home = await testHome();
    await home.file('vllm.key', CANARY);
    await home.config(oneModel({ file: '~/vllm.key' }));
    expect((await home.load({ env: { HOME: home.path } })).offer.upstreams[0]?.apiKey).toBe(CANARY);
  });
});

describe('a secret that cannot be had is a fault that names the reference', () => {
  test.each([
    [{ env: 'KEY' }, {}, 'the environment variable KEY (named by "env") is not set'],
    [{ env: 'KEY' }, { KEY: '\n' }, 'the environment variable KEY (named by "env") is empty'],
    [`\${KEY}`, {}, 'the environment variable KEY is not set'],
    ['', {}, 'this is empty: write the secret, { "env" } or { "file" }'],
    [{ file: 'gone' }, {}, 'the file HOME/gone (named by "file") does not exist'],
    [{ file: 'empty' }, {}, 'the file HOME/empty (named by "file") is empty'],
    [{ file: 'open' }, {}, 'HOME/open can be read by others (mode 644): run chmod 600 HOME/open'],
    [{ file: 'link' }, {}, 'HOME/link is a symbolic link; put the file itself there'],
    [{ file: '.' }, {}, 'HOME is not a file'],
    [{ evn: 'KEY' }, {}, 'unknown key; did you mean "env"?'],
    [
      { env: 'KEY', file: 'empty' },
      { KEY: 'x' },
      'expected the secret as text, or either { "env": "NAME" } or { "file": "path" }',
    ],
    [{}, {}, 'expected the secret as text, or either { "env": "NAME" } or { "file": "path" }'],
    [{ env: 'two words' }, {}, 'expected the name of an environment variable'],
  ])('%j with %j', async (apiKey, env, wanted) => {
    const home = await testHome();
    await home.file('empty', '\n');
    await home.file('open', CANARY, 0o644);
    await symlink(join(home.path, 'empty'), join(home.path, 'link'));
    await home.config(oneModel(apiKey));
    const { faults, message } = await home.faults({ env });
    expect(faults.map((fault) => fault.message)).toEqual([wanted.replaceAll('HOME', home.path)]);
    expect(message).toContain('models[0].apiKey');
  });
});

test('an escaped reference is text, and a broken one is a fault', async () => {
  const home = await testHome();
  await home.config({ models: [{ id: 'a', provider: 'p', description: `costs $\${x} and $5` }] });
  expect((await home.load()).config.models[0]?.description).toBe(`costs \${x} and $5`);
  await home.config({ models: [{ id: `\${1x}`, provider: 'p' }] });
  expect((await home.faults()).faults).toMatchObject([{ path: ['models', 0, 'id'] }]);
});

test('no value of a secret is in any fault or warning', async () => {
  const home = await testHome();
  await home.file('open', CANARY, 0o644);
  await home.file('bad.key', `${CANARY} with a space`);
  await home.config(
    {
      secret: CANARY,
      nodeId: `\${CANARY}`,
      proxy: { host: '0.0.0.0', port: CANARY, apiKeys: ['short-canary', { file: 'bad.key' }] },
      peers: [`ws://user:${CANARY}@hub.lan`, `http://x/${CANARY}`],
      providers: {
        a: {
          baseUrl: `http://x/?key=${CANARY}`,
          apiKey: { env: 'CANARY' },
          api: `\${CANARY}`,
          headers: { host: CANARY, 'x-key': `${CANARY}\n` },
        },
        b: { baseUrl: `http://me:${CANARY}@x`, apiKey: [CANARY], apikey: CANARY },
      },
      models: [{ id: 'a', provider: 'a', apiKey: { file: 'open' } }],
    },
    0o644,
  );
  const { message } = await home.faults({ env: { CANARY } });
  expect(message.split('\n').length).toBeGreaterThan(12);
  expect(message).not.toContain('canary');
});

describe('a file that holds a key', () => {
  test('and can be read by others earns a warning that names the places and the mend', async () => {
    const home = await testHome();
    const path = await home.config(oneModel(CANARY, { secret: KEY_43, proxy: { apiKeys: ['abc'] } }), 0o644);
    expect((await home.load()).warnings).toEqual([
      `${path} holds a secret (models[0].apiKey, secret, proxy.apiKeys[0]) and can be read by others (mode 644): chmod 600 ${path}`,
    ]);
  });

  test('in a header that is one by its name earns it too, and no other header does', async () => {
    const home = await testHome();
    const headers = { 'x-api-key': CANARY, 'x-team': 'blue' };
    const provider = { baseUrl: 'http://127.0.0.1:1/v1', headers };
    await home.config({ providers: { a: provider } }, 0o644);
    const { warnings } = await home.load();
    expect(warnings).toEqual([
      expect.stringContaining('holds a secret (providers.a.headers.x-api-key) and can be read'),
    ]);
  });

  test.each([
    ['with mode 600 it earns none', CANARY, 0o600],
    ['with references only it earns none', { env: 'KEY' }, 0o644],
    ['with a variable only it earns none', `\${KEY}`, 0o644],
  ])('%s', async (_, apiKey, mode) => {
    const home = await testHome();
    await home.config(oneModel(apiKey), mode);
    expect((await home.load({ env: { KEY: CANARY } })).warnings).toEqual([]);
  });
});

test('headers that look like keys are kept out of the log, plain ones are not', async () => {
  const home = await testHome();
  const headers = { 'X-Api-Key': CANARY, 'X-Title': 'clawmatrix-studio', 'x-org': { env: 'ORG' } };
  await home.config({
    providers: { p: { baseUrl: 'http://x/v1', headers } },
    models: [{ id: 'a', provider: 'p' }],
  });
  const {
    offer: { upstreams },
    secrets,
  } = await home.load({ env: { ORG: 'organisation-1' } });
  expect(upstreams[0]?.headers).toEqual({
    'x-api-key': CANARY,
    'x-title': 'clawmatrix-studio',
    'x-org': 'organisation-1',
  });
  expect(secrets.scrub(`${CANARY} clawmatrix-studio organisation-1`)).toBe(
    '[secret] clawmatrix-studio [secret]',
  );
});
