import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Call } from '../../src/core/call.ts';
import { newCallId, nodeIdOf } from '../../src/core/ids.ts';
import { Upstreams } from '../../src/upstream/upstream.ts';
import { realClock } from '../support/real-clock.ts';
import * as scripted from '../support/scripted-upstream.ts';
import { testHome } from './home.ts';

const model = { id: 'qwen3:8b', provider: 'local' };
const KEY = 'canary-0123456789';

/** A configuration and OpenClaw's, both of which may name the server. */
type Way = (root: string) => { readonly config: object; readonly openclaw: object };

async function asked(baseUrl: string, way: Way) {
  const root = baseUrl.replace(/\/v1$/, '');
  const { config, openclaw } = way(root);
  const home = await testHome();
  await mkdir(join(home.path, '.openclaw'));
  await home.file('.openclaw/openclaw.json', JSON.stringify(openclaw));
  await home.config(config);
  const { offer, warnings } = await home.load({ env: { LOCAL_KEY: KEY } });
  expect(warnings).toEqual([]);
  const upstreams = new Upstreams(offer.upstreams, { nodeName: 'studio', clock: realClock });
  try {
    const call: Call = {
      id: newCallId(),
      origin: nodeIdOf(new Uint8Array(32)),
      dialect: offer.upstreams[0]?.card.dialect ?? 'chat',
      model,
      stream: false,
      headers: {},
      body: Buffer.from('{"model":"studio/qwen3:8b"}'),
      report: () => {},
    };
    const reply = await upstreams.answer(call, new AbortController().signal);
    for await (const _chunk of reply.body);
    return reply.status;
  } finally {
    await upstreams.close();
  }
}

const nobody = 'http://127.0.0.1:1/v1';
const headers = { 'x-tenant': 'a' };

const ways: readonly [
  string,
  Way,
  { url: string; model: string; openclaw: string | undefined; tenant: string | undefined },
][] = [
  [
    "the model's own address",
    (root) => ({
      config: {
        models: [{ ...model, baseUrl: `${root}/own`, apiKey: '${LOCAL_KEY}', headers }],
        providers: { local: { baseUrl: nobody } },
      },
      openclaw: { models: { providers: { local: { baseUrl: nobody } } } },
    }),
    { url: '/own/chat/completions', model: 'qwen3:8b', openclaw: undefined, tenant: 'a' },
  ],
  [
    "its provider's",
    (root) => ({
      config: {
        models: [model],
        providers: { local: { baseUrl: `${root}/v1`, apiKey: { env: 'LOCAL_KEY' }, headers } },
      },
      openclaw: { models: { providers: { local: { baseUrl: nobody } } } },
    }),
    { url: '/v1/chat/completions', model: 'qwen3:8b', openclaw: undefined, tenant: 'a' },
  ],
  [
    "that of OpenClaw's configuration",
    (root) => ({
      config: { models: [model], openclaw: { gateway: { url: nobody } } },
      openclaw: {
        models: {
          providers: {
            local: { baseUrl: `${root}/oc`, apiKey: '${LOCAL_KEY}', api: 'openai-codex-responses', headers },
          },
        },
      },
    }),
    { url: '/oc/responses', model: 'qwen3:8b', openclaw: undefined, tenant: 'a' },
  ],
  [
    "OpenClaw's gateway",
    (root) => ({
      config: { models: [model], openclaw: { gateway: { url: root, token: '${LOCAL_KEY}', agent: 'main' } } },
      openclaw: { models: { providers: {} } },
    }),
    { url: '/v1/chat/completions', model: 'openclaw/main', openclaw: 'local/qwen3:8b', tenant: undefined },
  ],
];

test.each(ways)(
  '%s: that server is asked, with that key, those headers and that model',
  async (_way, way, wanted) => {
    await using upstream = await scripted.startUpstream();
    expect(await asked(upstream.baseUrl, way)).toBe(200);
    expect(upstream.requests).toHaveLength(1);
    const request = await upstream.request(0);
    expect(request.url).toBe(wanted.url);
    expect(request.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(request.headers['x-tenant']).toBe(wanted.tenant);
    expect(request.headers['x-openclaw-model']).toBe(wanted.openclaw);
    expect(request.json()).toEqual({ model: wanted.model });
  },
);
