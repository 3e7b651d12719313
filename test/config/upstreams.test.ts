import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nodeIdOf } from '../../src/core/ids.ts';
import { testHome } from './home.ts';

async function load(config: object) {
  const home = await testHome();
  await home.config(config);
  return home.load();
}

const provider = {
  baseUrl: 'https://api.example.net/v1',
  apiKey: 'provider-key-1',
  api: 'openai-responses',
  headers: { 'x-a': 'provider', 'x-b': 'provider' },
  timeouts: { upstreamMs: 2_000 },
};

describe('an upstream is looked for in this order, and the first that is there has the last word', () => {
  const ways = {
    own: 'http://own.example.net/v1',
    provider: 'http://provider.example.net/v1',
    openclaw: 'http://openclaw.example.net/v1',
    gateway: 'http://127.0.0.1:18789/v1',
  };

  test.each([
    ['own', ['own', 'provider', 'openclaw', 'gateway']],
    ['own', ['own', 'gateway']],
    ['provider', ['provider', 'openclaw', 'gateway']],
    ['openclaw', ['openclaw', 'gateway']],
    ['gateway', ['gateway']],
    ['none', []],
    ['openclaw', ['openclaw']],
    ['own', ['own']],
  ] as const)('%s of %j', async (wanted, there) => {
    const has = (way: keyof typeof ways) => there.some((one) => one === way);
    const home = await testHome();
    const providers = (baseUrl: string) => ({ p: { baseUrl, apiKey: `key-of-${baseUrl}` } });
    await mkdir(join(home.path, '.openclaw'));
    await home.file(
      '.openclaw/openclaw.json',
      JSON.stringify({ models: { providers: has('openclaw') ? providers(ways.openclaw) : {} } }),
    );
    await home.config({
      models: [{ id: 'a', provider: 'p', ...(has('own') ? { baseUrl: ways.own } : {}) }],
      ...(has('provider') ? { providers: providers(ways.provider) } : {}),
      ...(has('gateway') ? { openclaw: { gateway: { token: `key-of-${ways.gateway}` } } } : {}),
    });
    const { offer, warnings } = await home.load();
    const [spec] = offer.upstreams;
    expect(spec?.baseUrl).toBe(wanted === 'none' ? undefined : ways[wanted]);
    // No way lends its key to another.
    expect(spec?.apiKey).toBe(wanted === 'none' || wanted === 'own' ? undefined : `key-of-${ways[wanted]}`);
    expect(spec?.gateway !== undefined).toBe(wanted === 'gateway');
    expect(offer.announced).toHaveLength(wanted === 'none' || wanted === 'gateway' ? 0 : 1);
    const told =
      wanted === 'none' ? ['has no upstream'] : has('own') && has('provider') ? ['is not sent there'] : [];
    expect(warnings).toEqual(told.map((text) => expect.stringContaining(text)));
  });
});

test('a model without its own takes all from its provider', async () => {
  const { upstreams } = (await load({ providers: { p: provider }, models: [{ id: 'a', provider: 'p' }] }))
    .offer;
  expect(upstreams).toEqual([
    {
      card: { id: 'a', provider: 'p', dialect: 'responses' },
      baseUrl: 'https://api.example.net/v1',
      apiKey: 'provider-key-1',
      headers: { 'x-a': 'provider', 'x-b': 'provider' },
      silenceMs: 2_000,
      eventBytesMax: 1_048_576,
    },
  ]);
});

test("a model's own values go before its provider's, header by header", async () => {
  const model = {
    id: 'a',
    provider: 'p',
    apiKey: 'model-key-1',
    api: 'openai-completions',
    headers: { 'X-B': 'model' },
    timeouts: { upstreamMs: 3_000 },
  };
  const { upstreams } = (await load({ providers: { p: provider }, models: [model] })).offer;
  expect(upstreams[0]).toMatchObject({
    card: { dialect: 'chat' },
    apiKey: 'model-key-1',
    headers: { 'x-a': 'provider', 'x-b': 'model' },
    silenceMs: 3_000,
  });
});

describe("a provider's key and headers", () => {
  test('are not sent to another host that a model names, and the model says so', async () => {
    const models = [{ id: 'a', provider: 'p', baseUrl: 'https://elsewhere.example.net/v1' }];
    const {
      offer: { upstreams },
      warnings,
    } = await load({ providers: { p: provider }, models });
    expect(upstreams[0]).toMatchObject({ card: { dialect: 'chat' }, headers: {}, silenceMs: 120_000 });
    expect(upstreams[0]).not.toHaveProperty('apiKey');
    expect(warnings).toEqual([expect.stringContaining('whose key is not sent there')]);
  });

  test('are sent to another path of the same host', async () => {
    const models = [{ id: 'a', provider: 'p', baseUrl: 'https://api.example.net/beta/' }];
    const {
      offer: { upstreams },
      warnings,
    } = await load({ providers: { p: provider }, models });
    expect(upstreams[0]).toMatchObject({ baseUrl: 'https://api.example.net/beta', apiKey: 'provider-key-1' });
    expect(warnings).toEqual([]);
  });
});

test('a card has what the model says of itself and nothing else', async () => {
  const traits = {
    description: 'quick',
    contextWindow: 32_768,
    maxTokens: 8_192,
    input: ['text', 'image'],
    reasoning: false,
    cost: { input: 1, output: 2.5 },
  };
  const {
    offer: { upstreams, announced },
  } = await load({
    models: [{ id: 'a', provider: 'p', baseUrl: 'http://127.0.0.1:1', apiKey: 'model-key-1', ...traits }],
  });
  expect(upstreams[0]?.card).toEqual({ id: 'a', provider: 'p', dialect: 'chat', ...traits });
  expect(announced).toEqual([upstreams[0]?.card]);
});

test('a provider named like a part of every object is not found in it', async () => {
  const {
    offer: { upstreams },
    warnings,
  } = await load({ models: [{ id: 'a', provider: 'constructor' }] });
  expect(upstreams).toEqual([]);
  expect(warnings).toHaveLength(1);
});

test('events that no other node would take are told of', async () => {
  const { warnings } = await load({ proxyModels: [{ id: 'a' }], limits: { sseEventBytesMax: 2_000_000 } });
  expect(warnings).toEqual([expect.stringContaining('limits.sseEventBytesMax is over 1048576')]);
});

describe('what the owner knows of a server', () => {
  const compat = { supportsStore: false, maxTokensField: 'max_tokens' };
  const knowing = { ...provider, compat, repair: false, discover: true };

  test("is its models', found or configured", async () => {
    const { offer } = await load({ providers: { p: knowing }, models: [{ id: 'a', provider: 'p' }] });
    expect(offer.upstreams).toMatchObject([{ compat, repair: false }]);
    expect(offer.discoveries).toMatchObject([{ compat, repair: false }]);
  });

  test("a model's own word goes over the same word of its provider", async () => {
    const own = { id: 'a', provider: 'p', compat: { supportsStore: true, thinkTags: true }, repair: true };
    const { offer } = await load({ providers: { p: knowing }, models: [own] });
    expect(offer.upstreams[0]).toMatchObject({
      compat: { supportsStore: true, maxTokensField: 'max_tokens', thinkTags: true },
      repair: true,
    });
  });

  test('is not true of another server that a model names', async () => {
    const own = { id: 'a', provider: 'p', baseUrl: 'http://other.lan/v1', apiKey: 'k' };
    const { offer } = await load({ providers: { p: knowing }, models: [own] });
    expect(offer.upstreams[0]).not.toHaveProperty('compat');
    expect(offer.upstreams[0]).not.toHaveProperty('repair');
  });

  test('has names that are checked', async () => {
    const faulty = { ...provider, compat: { supportStore: false, maxTokensField: 'tokens' } };
    await expect(load({ providers: { p: faulty } })).rejects.toThrow(
      /maxTokensField[\s\S]*did you mean "supportsStore"|did you mean "supportsStore"[\s\S]*maxTokensField/,
    );
  });
});

test('each provider with "discover" is asked for its models, with its key and its headers', async () => {
  const providers = { p: { ...provider, discover: true }, q: { ...provider, discover: false }, r: provider };
  const { offer } = await load({ providers });
  expect(offer.discoveries).toEqual([
    {
      provider: 'p',
      baseUrl: 'https://api.example.net/v1',
      apiKey: 'provider-key-1',
      headers: { 'x-a': 'provider', 'x-b': 'provider' },
      dialect: 'responses',
      silenceMs: 2_000,
      eventBytesMax: 1_048_576,
    },
  ]);
});

test.each([
  [true, {}],
  [true, { nodeId: 'a', proxyModels: [] }],
  [false, { peers: ['ws://hub.lan:19700'] }],
  [false, { providers: { p: provider } }],
  [false, { models: [{ id: 'a', provider: 'p' }] }],
])('this machine is looked over for servers: %s with %j', async (looksAround, config) => {
  expect((await load(config)).offer.looksAround).toBe(looksAround);
});

test('how long a stream call waits for its reply can be set', async () => {
  expect((await load({})).config.timeouts.holdMs).toBe(10_000);
  expect((await load({ timeouts: { holdMs: 500 } })).config.timeouts.holdMs).toBe(500);
});

test('a peer can be given with the id that it must prove, in whatever case it was copied', async () => {
  const id = nodeIdOf(Buffer.alloc(32, 9));
  const { peers } = await load({ peers: [{ url: 'wss://hub.example.net', id: id.toUpperCase() }] });
  expect(peers).toEqual([{ url: 'wss://hub.example.net', id }]);
});

test.each([
  ['proxy.allowedOrigins', { proxy: { allowedOrigins: ['*'] } }],
  ['proxy.allowedOrigins', { proxy: { allowedOrigins: ['null'] } }],
  ['proxy.allowedOrigins', { proxy: { allowedOrigins: ['http://x/path'] } }],
  ['proxy.allowedHosts', { proxy: { allowedHosts: ['http://x'] } }],
  ['proxy.trustedProxies', { proxy: { trustedProxies: ['10.0.0.0/8'] } }],
  ['proxy.trustedProxies', { proxy: { trustedProxies: ['hub.lan'] } }],
  ['listen.host', { listen: { host: 'http://x' } }],
  ['listen.host', { listen: { host: '' } }],
])('%s refuses %j', async (path, config) => {
  const home = await testHome();
  await home.config(config);
  const { faults } = await home.faults();
  expect(faults.map((fault) => fault.path.slice(0, 2).join('.'))).toEqual([path]);
});

test('addresses that the proxy is told of come out as they are compared', async () => {
  const proxy = {
    allowedHosts: ['Studio.LAN:19701', '[::1]:1'],
    allowedOrigins: ['http://localhost:3000'],
    trustedProxies: ['10.0.0.7', '0:0:0:0:0:0:0:A'],
  };
  expect((await load({ proxy })).proxy).toMatchObject({
    ...proxy,
    allowedHosts: ['studio.lan:19701', '[::1]:1'],
    trustedProxies: ['10.0.0.7', '::a'],
  });
});

describe('a node does not ask itself', () => {
  const models = [{ id: 'm', provider: 'p' }];

  test.each([
    ['http://127.0.0.1:19701/v1', {}],
    ['http://localhost:19701', {}],
    ['http://[::1]:19701/v1', {}],
    ['http://127.0.0.1:80/v1', { port: 80 }],
    ['http://127.0.0.1/v1', { port: 80 }],
    ['http://127.0.0.1:19701/v1', { host: '0.0.0.0', apiKeys: ['a-key-of-22-letters-or-more'] }],
    ['http://192.0.2.7:19701/v1', { host: '192.0.2.7', apiKeys: ['a-key-of-22-letters-or-more'] }],
  ])('%s is its proxy, with %j', async (baseUrl, proxy) => {
    const { offer, warnings } = await load({ proxy, models, providers: { p: { baseUrl, discover: true } } });
    expect(offer).toMatchObject({ upstreams: [], announced: [], discoveries: [], looksAround: false });
    expect(warnings[0]).toContain("providers.p is this node's own proxy, whose models are not discovered");
    expect(warnings[1]).toContain('models[0] (p/m) is not offered: http://');
    expect(warnings[1]).toContain("is this node's own proxy, which would ask itself");
  });

  test.each([
    ['http://127.0.0.1:19702/v1', {}],
    ['https://127.0.0.1:19701/v1', {}],
    ['http://gpu.lan:19701/v1', {}],
    ['http://127.0.0.1:19701/v1', { port: 19_703 }],
    ['http://127.0.0.1:19701/v1', { host: '192.0.2.7', apiKeys: ['a-key-of-22-letters-or-more'] }],
  ])('%s is another server, with %j', async (baseUrl, proxy) => {
    const { offer, warnings } = await load({ proxy, models, providers: { p: { baseUrl, discover: true } } });
    expect(warnings).toEqual([]);
    expect([offer.upstreams.length, offer.discoveries.length]).toEqual([1, 1]);
  });

  test("OpenClaw's provider for the mesh is its proxy too", async () => {
    const home = await testHome();
    await mkdir(join(home.path, '.openclaw'));
    const providers = { clawmatrix: { baseUrl: 'http://127.0.0.1:19701/v1', apiKey: 'any' } };
    await home.file('.openclaw/openclaw.json', JSON.stringify({ models: { providers } }));
    await home.config({ models: [{ id: 'm', provider: 'clawmatrix' }] });
    const { offer, warnings } = await home.load();
    expect(offer.upstreams).toEqual([]);
    expect(warnings[0]).toContain("is this node's own proxy");
  });
});
