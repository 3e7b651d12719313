import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CONFIG_BYTES_MAX } from '../../src/core/limits.ts';
import { testHome } from './home.ts';

const KEY = 'openclaw-canary-0123456789';
const model = { id: 'qwen3:8b', provider: 'local' };

interface Given {
  /** As OpenClaw writes it; text for what is no JSON. */
  readonly openclaw?: unknown;
  readonly config?: object;
  readonly env?: Record<string, string>;
}

async function home({ openclaw, config = {} }: Given) {
  const made = await testHome();
  await mkdir(join(made.path, '.openclaw'));
  const text = typeof openclaw === 'string' ? openclaw : JSON.stringify(openclaw);
  if (openclaw !== undefined) await made.file('.openclaw/openclaw.json', text);
  await made.config({ models: [model], ...config });
  return made;
}

async function load(given: Given) {
  const made = await home(given);
  return made.load(given.env === undefined ? {} : { env: given.env });
}

/** OpenClaw's file with one provider, `local`. */
function provider(described: object, beside: object = {}): object {
  return {
    models: { providers: { local: { baseUrl: 'http://127.0.0.1:8000/v1', ...described } } },
    ...beside,
  };
}

async function only(given: Given) {
  const { offer, warnings } = await load(given);
  expect(warnings).toEqual([]);
  return offer.upstreams[0];
}

describe('what is taken of a provider', () => {
  test('address, key, headers, time and the model as it is described there', async () => {
    const described = {
      apiKey: KEY,
      api: 'openai-responses',
      authHeader: true,
      auth: 'api-key',
      timeoutSeconds: 300,
      headers: { 'X-Tenant': 'a', Accept: 'text/html' },
      injectNumCtxForOpenAICompat: true,
      models: [
        { id: 'other', contextWindow: 1 },
        {
          id: 'qwen3:8b',
          name: 'Qwen',
          headers: { 'x-tenant': 'b' },
          contextWindow: 32_768,
          maxTokens: 8_192,
          input: ['text', 'image', 'video'],
          reasoning: true,
          cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, tiers: [] },
          compat: {
            supportsStore: false,
            thinkingFormat: 'qwen',
            // Of another kind, of a form that is not known here, and of no effect here.
            maxTokensField: 5,
            reasoningEffortMap: { low: 1 },
            supportsTools: true,
          },
        },
      ],
    };
    expect(await only({ openclaw: provider(described, { agents: {}, $schema: 'x' }) })).toEqual({
      card: {
        ...model,
        dialect: 'responses',
        contextWindow: 32_768,
        maxTokens: 8_192,
        input: ['text', 'image'],
        reasoning: true,
        cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
      },
      baseUrl: 'http://127.0.0.1:8000/v1',
      apiKey: KEY,
      headers: { 'x-tenant': 'b' },
      silenceMs: 300_000,
      eventBytesMax: 1_048_576,
      compat: { supportsStore: false, thinkingFormat: 'qwen' },
    });
  });

  test('our own words about the model go first', async () => {
    const described = {
      apiKey: { source: 'exec', id: 'x' },
      api: 'anthropic-messages',
      timeoutSeconds: 300,
      headers: { 'x-tenant': 'a', 'x-other': 'a' },
      models: [
        {
          id: 'qwen3:8b',
          contextWindow: 32_768,
          maxTokens: 8_192,
          api: 'ollama',
          compat: { supportsStore: false, supportsTemperature: false },
        },
      ],
    };
    const own = {
      apiKey: 'own-key-0123456789',
      api: 'openai-completions',
      contextWindow: 4_096,
      timeouts: { upstreamMs: 7 },
      headers: { 'x-tenant': 'own' },
      compat: { supportsStore: true },
    };
    const config = { models: [{ ...model, ...own }] };
    expect(await only({ openclaw: provider(described), config })).toMatchObject({
      card: { dialect: 'chat', contextWindow: 4_096, maxTokens: 8_192 },
      apiKey: 'own-key-0123456789',
      headers: { 'x-tenant': 'own', 'x-other': 'a' },
      compat: { supportsStore: true, supportsTemperature: false },
      silenceMs: 7,
    });
  });

  test('a description that is nonsense is left out, and the model is offered all the same', async () => {
    const nonsense = {
      id: 'qwen3:8b',
      contextWindow: 'much',
      maxTokens: -1,
      input: 'text',
      reasoning: 1,
      cost: 5,
    };
    const spec = await only({ openclaw: provider({ models: [nonsense] }) });
    expect(spec?.card).toEqual({ ...model, dialect: 'chat' });
  });

  test.each([
    [undefined, 'chat'],
    ['openai-completions', 'chat'],
    ['openai-responses', 'responses'],
    ['openai-codex-responses', 'responses'],
    ['openai-chatgpt-responses', 'responses'],
  ])('its api %s is %s', async (api, dialect) => {
    const spec = await only({ openclaw: provider(api === undefined ? {} : { api }) });
    expect(spec?.card.dialect).toBe(dialect);
  });
});

describe('a key', () => {
  test.each([
    ['written out', KEY, KEY],
    ['in a variable', '${LOCAL_KEY}', KEY],
    ['beside text', 'sk-${LOCAL_KEY}', `sk-${KEY}`],
    ["in a variable that OpenClaw's own file sets", '${FROM_FILE}', 'from-file-0123456789'],
    ['that the process sets otherwise than the file', '${BOTH}', 'of-the-process-0123'],
    ['that only looks like a variable', '$${LOCAL_KEY}', '${LOCAL_KEY}'],
    ['for a server that wants none', 'ollama-local', 'ollama-local'],
    ['in capitals', 'LMSTUDIO', 'LMSTUDIO'],
  ])('%s is sent', async (_what, apiKey, sent) => {
    const beside = { env: { vars: { FROM_FILE: 'from-file-0123456789', BOTH: 'of-the-file' } } };
    const env = { LOCAL_KEY: KEY, BOTH: 'of-the-process-0123' };
    const { offer, secrets } = await load({ openclaw: provider({ apiKey }, beside), env });
    expect(offer.upstreams[0]?.apiKey).toBe(sent);
    expect(secrets.scrub(`x ${sent} x`)).toBe('x [secret] x');
  });

  test('is not needed', async () => {
    expect(await only({ openclaw: provider({}) })).not.toHaveProperty('apiKey');
    expect(await only({ openclaw: provider({ apiKey: '' }) })).not.toHaveProperty('apiKey');
  });
});

describe('what this version does not do is named, and the model is not offered, gateway or not', () => {
  const secretRef = { source: 'env', provider: 'default', id: 'LOCAL_KEY' };

  test.each([
    [{ apiKey: '${NOT_SET}' }, '"apiKey" needs the environment variable NOT_SET, which is not set'],
    [{ apiKey: '${EMPTY}' }, '"apiKey" needs the environment variable EMPTY'],
    [{ apiKey: '${lower}' }, '"apiKey" holds a "${" that names no variable'],
    [{ apiKey: '${NESTED}' }, '"apiKey" needs the environment variable NESTED'],
    [{ apiKey: secretRef }, '"apiKey" is a SecretRef'],
    [{ apiKey: 7 }, '"apiKey" is no text'],
    [{ apiKey: 'with a space' }, '"apiKey" is empty, or holds a letter that no HTTP header can carry'],
    [{ apiKey: 'OPENAI_API_KEY' }, '"apiKey" is a marker for a secret'],
    [{ apiKey: 'HF_TOKEN' }, '"apiKey" is a marker'],
    [{ apiKey: 'secretref-managed' }, '"apiKey" is a marker'],
    [{ apiKey: 'secretref-env:LOCAL_KEY' }, '"apiKey" is a marker'],
    [{ apiKey: 'oauth:chutes' }, '"apiKey" is a marker'],
    [{ apiKey: 'minimax-oauth' }, '"apiKey" is a marker'],
    [{ apiKey: '${MARKED}' }, '"apiKey" is a marker'],
    [
      { headers: { 'x-api-key': '${NOT_SET}' } },
      'the header "x-api-key" needs the environment variable NOT_SET',
    ],
    [{ headers: { 'x-tenant': 'secretref-env:T' } }, 'the header "x-tenant" is a marker'],
    [{ headers: { 'x-api-key': 'OPENAI_API_KEY' } }, 'the header "x-api-key" is a marker'],
    [{ headers: { 'x-api-key': secretRef } }, 'the header "x-api-key" is a SecretRef'],
    [{ headers: { Authorization: 'Bearer x' } }, 'the header "Authorization": write the key as "apiKey"'],
    [{ headers: { 'x-a': 'a\nb' } }, 'the header "x-a" holds a line break'],
    [{ api: 'anthropic-messages' }, 'it speaks anthropic-messages, which this version does not'],
    [{ api: 'ollama' }, 'it speaks ollama, which this version does not'],
    [{ api: { toString: 1 } }, 'it speaks no text'],
    [{ auth: 'oauth' }, '"auth" is oauth'],
    [{ authHeader: 'x-key' }, '"authHeader" is neither true nor false'],
    [{ request: { proxy: {} } }, '"request" is not done by this version'],
    [{ localService: { command: 'x' } }, '"localService" is not done by this version'],
    [{ $include: './p.json' }, '"$include" is not followed'],
    [{ $include: './p.json', baseUrl: undefined }, '"$include" is not followed'],
    [{ headers: { $include: './h.json' } }, '"$include" is not followed'],
    [{ models: [{ id: 'qwen3:8b', baseUrl: 'http://127.0.0.1:1' }] }, '"baseUrl" of its model is not done'],
    [{ baseUrl: 'ftp://x' }, '"baseUrl": expected an http:// or https:// address'],
    [{ baseUrl: 'http://u:p@x/v1' }, '"baseUrl": a user name or password in the address is refused'],
    [{ baseUrl: '${NOT_SET}/v1' }, '"baseUrl" needs the environment variable NOT_SET'],
  ])('%j', async (described, why) => {
    const { offer, warnings } = await load({
      openclaw: provider(described, { env: { NESTED: '${LOCAL_KEY}' } }),
      config: { openclaw: { gateway: {} } },
      env: { LOCAL_KEY: KEY, EMPTY: '', MARKED: 'secretref-managed' },
    });
    expect(offer.upstreams).toEqual([]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /^models\[0\] \(local\/qwen3:8b\) is not offered: models\.providers\.local in \//,
    );
    expect(warnings[0]).toContain(why);
    expect(warnings[0]).toContain('mend it there, or describe "local" in "providers"');
    expect(warnings[0]).not.toContain(KEY);
  });
});

describe('the file', () => {
  const elsewhere = provider({ apiKey: 'from-elsewhere-012' });

  test('is where OpenClaw keeps it: OPENCLAW_CONFIG_PATH, OPENCLAW_STATE_DIR, ~/.openclaw', async () => {
    const made = await home({ openclaw: provider({ apiKey: 'from-its-home-012' }) });
    await mkdir(join(made.path, 'state'));
    await made.file('state/openclaw.json', JSON.stringify(provider({ apiKey: 'from-its-state-012' })));
    const OPENCLAW_CONFIG_PATH = await made.file('other.json', JSON.stringify(elsewhere));
    const OPENCLAW_STATE_DIR = '~/state';
    const key = async (env: Record<string, string>) => (await made.load({ env })).offer.upstreams[0]?.apiKey;
    expect(await key({})).toBe('from-its-home-012');
    expect(await key({ OPENCLAW_STATE_DIR })).toBe('from-its-state-012');
    expect(await key({ OPENCLAW_STATE_DIR, OPENCLAW_CONFIG_PATH })).toBe('from-elsewhere-012');
  });

  test('is the one that ours names, relative to ours', async () => {
    const made = await home({ openclaw: provider({}), config: { openclaw: { config: 'other.json' } } });
    await made.file('other.json', JSON.stringify(elsewhere));
    expect((await made.load()).offer.upstreams[0]?.apiKey).toBe('from-elsewhere-012');
  });

  test('may be anything that JSON5 allows', async () => {
    const openclaw =
      "{ // mine\n models: { providers: { 'local': { baseUrl: 'http://127.0.0.1:8000/v1/', }, } } }";
    expect(await only({ openclaw })).toMatchObject({ baseUrl: 'http://127.0.0.1:8000/v1' });
  });

  test('is not opened where no model needs it', async () => {
    const models = [{ ...model, baseUrl: 'http://127.0.0.1:1' }];
    const { warnings } = await load({ openclaw: '{ broken', config: { models } });
    expect(warnings).toEqual([]);
  });

  test.each([
    ['{ broken', 'line 1: '],
    ['[]', 'it holds no object'],
    [`"${'x'.repeat(CONFIG_BYTES_MAX)}"`, `at most ${CONFIG_BYTES_MAX} bytes are read`],
    [{ $include: './a.json' }, 'all of it is taken from another file by "$include"'],
    [{ models: { $include: './a.json' } }, 'models is taken from another file by "$include"'],
    [{ models: { providers: { $include: ['./a.json'] } } }, 'models.providers is taken from another file'],
  ])('at fault takes the models that need it away, and nothing else: %.30j', async (openclaw, why) => {
    const models = [model, { id: 'b', provider: 'p', baseUrl: 'http://127.0.0.1:1' }];
    const { offer, warnings } = await load({ openclaw, config: { models, openclaw: { gateway: {} } } });
    expect(offer.upstreams.map(({ card }) => card.id)).toEqual(['b']);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('models[0] (local/qwen3:8b) is not offered');
    expect(warnings[0]).toContain(why);
  });

  test('named, at fault and needed by nobody, it is told of', async () => {
    const config = { models: [], openclaw: { config: '~/.openclaw/openclaw.json' } };
    const { warnings } = await load({ openclaw: '{ broken', config });
    expect(warnings).toEqual([
      expect.stringMatching(/openclaw\.json cannot be used: .*; no model needs it yet$/),
    ]);
  });

  test('named and not there is a fault of our configuration, with its line', async () => {
    const made = await home({});
    await made.config('{\n"openclaw": {\n"config": "gone.json" } }');
    const { faults } = await made.faults();
    expect(faults).toEqual([
      {
        path: ['openclaw', 'config'],
        line: 3,
        message: `${join(made.path, 'gone.json')}: there is no such file`,
      },
    ]);
  });

  test('named and not readable is one too', async () => {
    const made = await home({ config: { openclaw: { config: '.openclaw' } } });
    expect((await made.faults()).message).toMatch(/\.openclaw: the file cannot be read \(EISDIR\)/);
  });
});

describe('the gateway', () => {
  async function opened(gateway: object, given: Given = {}) {
    const { offer, warnings, secrets } = await load({
      openclaw: {},
      ...given,
      config: { openclaw: { gateway }, ...given.config },
    });
    return { spec: offer.upstreams[0], announced: offer.announced, warnings, secrets };
  }

  test('answers as an agent, and is nobody else\'s unless "share" says so', async () => {
    const { spec, announced } = await opened({ token: KEY });
    expect(spec).toEqual({
      card: { ...model, dialect: 'chat', agent: true },
      baseUrl: 'http://127.0.0.1:18789/v1',
      apiKey: KEY,
      headers: {},
      silenceMs: 120_000,
      eventBytesMax: 1_048_576,
      gateway: { agent: 'openclaw/default' },
    });
    expect(announced).toEqual([]);
    const shared = await opened({}, { config: { models: [{ ...model, share: 'mesh' }] } });
    expect(shared.announced).toEqual([shared.spec?.card]);
  });

  test.each([
    ['http://127.0.0.1:1', 'http://127.0.0.1:1/v1'],
    ['http://127.0.0.1:1/', 'http://127.0.0.1:1/v1'],
    ['http://127.0.0.1:1/v1', 'http://127.0.0.1:1/v1'],
    ['https://hub.lan/openclaw/v1/', 'https://hub.lan/openclaw/v1'],
  ])('at %s is called at %s', async (url, baseUrl) => {
    expect((await opened({ url })).spec?.baseUrl).toBe(baseUrl);
  });

  test.each([
    ['main', 'openclaw/main'],
    ['openclaw', 'openclaw'],
    ['openclaw/main', 'openclaw/main'],
    ['openclaw:main', 'openclaw:main'],
    ['agent:main', 'agent:main'],
  ])('is asked for the agent %s as %s', async (agent, asked) => {
    expect((await opened({ agent })).spec?.gateway).toEqual({ agent: asked });
  });

  test.each([['a b'], ['a/b'], ['openclaw/'], ['']])('has no agent named %j', async (agent) => {
    const made = await home({ config: { openclaw: { gateway: { agent } } } });
    expect((await made.faults()).message).toContain('expected an agent of OpenClaw');
  });

  const written = { gateway: { port: 20_001, auth: { token: 'of-the-file-0123456' } } };
  const password = { gateway: { auth: { mode: 'password', password: '${PASS}' } } };

  test.each([
    ["OpenClaw's file", {}, written, {}, 20_001, 'of-the-file-0123456'],
    [
      'the environment',
      {},
      written,
      { OPENCLAW_GATEWAY_PORT: '20002', OPENCLAW_GATEWAY_TOKEN: KEY },
      20_002,
      KEY,
    ],
    [
      'our own configuration',
      { url: 'http://[::1]:20003', token: KEY },
      written,
      { OPENCLAW_GATEWAY_TOKEN: 'x' },
      20_003,
      KEY,
    ],
    ['a password', {}, password, { PASS: KEY }, 18_789, KEY],
    ['nowhere', {}, {}, {}, 18_789, undefined],
    [
      'nowhere, as none is asked for',
      {},
      { gateway: { auth: { mode: 'none', token: KEY } } },
      {},
      18_789,
      undefined,
    ],
  ])('is reached with the port and the key from %s', async (_where, gateway, openclaw, env, port, key) => {
    const { spec, warnings, secrets } = await opened(gateway, { openclaw, env });
    expect(new URL(spec?.baseUrl ?? '').port).toBe(String(port));
    expect(spec?.apiKey).toBe(key);
    expect(warnings).toEqual([]);
    if (key !== undefined) expect(secrets.scrub(key)).toBe('[secret]');
  });

  test("on another machine is not sent this one's token", async () => {
    const env = { OPENCLAW_GATEWAY_TOKEN: KEY };
    const { spec } = await opened({ url: 'http://hub.lan:18789' }, { openclaw: written, env });
    expect(spec).not.toHaveProperty('apiKey');
  });

  test.each([
    [{ source: 'exec', id: 'x' }, 'is a SecretRef'],
    ['secretref-managed', 'is a marker'],
    ['${NOT_SET}', 'needs the environment variable NOT_SET'],
  ])('is called without a token that cannot be read, and says so: %j', async (token, why) => {
    const { spec, warnings } = await opened({}, { openclaw: { gateway: { auth: { token } } } });
    expect(spec).not.toHaveProperty('apiKey');
    expect(warnings).toEqual([expect.stringContaining(`the gateway's token ${why}`)]);
    expect(warnings[0]).toMatch(/\(gateway\.auth\.token in .*openclaw\.json\)/);
  });

  test('is called without a token that no header can carry, and the variable that holds it is named', async () => {
    const { spec, warnings } = await opened(
      {},
      { openclaw: {}, env: { OPENCLAW_GATEWAY_TOKEN: 'Schlüssel' } },
    );
    expect(spec).not.toHaveProperty('apiKey');
    expect(warnings).toEqual([expect.stringContaining('(OPENCLAW_GATEWAY_TOKEN)')]);
  });

  test("gets neither the model's key nor its headers, and says so", async () => {
    const models = [{ ...model, apiKey: KEY, headers: { 'x-api-key': KEY } }];
    const { spec, warnings } = await opened({}, { config: { models } });
    expect(JSON.stringify(spec)).not.toContain(KEY);
    expect(warnings).toEqual([
      expect.stringContaining('gets neither the model\'s "apiKey" nor its "headers"'),
    ]);
  });

  test('is not offered for a name that no header can carry', async () => {
    const { spec, warnings } = await opened({}, { config: { models: [{ ...model, id: 'модель' }] } });
    expect(spec).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining("OpenClaw's gateway takes no such letters")]);
  });

  test('is told of where OpenClaw is there and could answer', async () => {
    const { warnings } = await load({ openclaw: {} });
    expect(warnings).toEqual([expect.stringContaining('"openclaw": { "gateway": {} }')]);
  });
});
