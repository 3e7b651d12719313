/** What a server says of itself when it is asked for its models, and what its calls are sent as from then on. */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Call, Reply } from '../../../src/core/call.ts';
import type { Compat } from '../../../src/core/compat.ts';
import { LEFT_OUT_HEADER } from '../../../src/core/header-names.ts';
import { SERVER_PROBE_AGAIN_MS } from '../../../src/core/limits.ts';
import type { DiscoverySpec, Offer, UpstreamSpec } from '../../../src/core/upstream-spec.ts';
import { readerTools } from '../../../src/dialect/early-failure.ts';
import { OwnModels } from '../../../src/upstream/own-models.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { logLines } from '../../support/log-lines.ts';
import { chatEvents } from '../../support/openai-bodies.ts';
import * as scripted from '../../support/scripted-upstream.ts';
import { call, live, read, streamCall, upstreams } from '../one-upstream.ts';

const BOUNDS = { silenceMs: 120_000, eventBytesMax: 1 << 20, headers: {} };
/** With the chunk of the usage before the last. */
const EVENTS = chatEvents({ text: ['a', 'b'], usage: { input: 7, output: 5 } });

async function server(): Promise<scripted.ScriptedUpstream> {
  const made = await scripted.startUpstream({ listsModels: true });
  onTestFinished(() => made[Symbol.asyncDispose]());
  return made;
}

/** Says who it is where it is asked for its models, and what a test wants where it is called. */
function is(ownedBy: string, said: scripted.Script = scripted.says('hello')): scripted.Script {
  return (response, request) => {
    const row = { id: 'm', object: 'model', owned_by: ownedBy };
    const list = scripted.json(200, { object: 'list', data: [row] });
    (request.method === 'GET' ? list : said)(response, request);
  };
}

function spec(baseUrl: string, more: Partial<UpstreamSpec> = {}): UpstreamSpec {
  return { card: { id: 'm', provider: 'box', dialect: 'chat' }, baseUrl, ...BOUNDS, ...more };
}

function own(offer: Partial<Offer>) {
  const clock = new FakeClock();
  const logged = logLines();
  const changes: number[] = [];
  const made = new OwnModels(
    { upstreams: [], announced: [], discoveries: [], looksAround: false, ...offer },
    {
      nodeName: 'studio',
      clock,
      tools: readerTools(1 << 20),
      log: logged.log,
      silenceMs: 120_000,
      proxyPort: 19_701,
      localServers: [],
      onChange: () => void changes.push(made.cards.length),
    },
  );
  onTestFinished(() => made.close());
  /** What was logged of servers that nobody knows yet. */
  const missed = () => logged.said.filter((said) => said === 'server not known yet').length;
  return { made, clock, changes, missed };
}

const box = { model: { id: 'm', provider: 'box' } };
const asked = (made: OwnModels, body: object, more: Partial<Call> = {}): Promise<Reply> =>
  made.answer(call({ ...box, ...more, body: Buffer.from(JSON.stringify({ model: 'm', ...body })) }), live());
const gets = (at: scripted.ScriptedUpstream) => at.requests.filter(({ method }) => method === 'GET');
const posted = (at: scripted.ScriptedUpstream) =>
  at.requests
    .filter(({ method }) => method === 'POST')
    .at(-1)
    ?.json();

describe('a configured server', () => {
  test('is asked once what it is, and its calls fit it from then on', async () => {
    const vllm = await server();
    vllm.always(is('vllm'));
    const { made, changes } = own({
      upstreams: [
        spec(vllm.baseUrl),
        spec(vllm.baseUrl, { card: { id: 'n', provider: 'box', dialect: 'chat' } }),
      ],
    });
    await made.start();
    await eventually('it is known', async () => {
      await read(await asked(made, { max_completion_tokens: 3 }));
      return JSON.stringify(posted(vllm)).includes('"max_tokens":3');
    });
    expect(gets(vllm)).toHaveLength(1);
    expect(gets(vllm)[0]?.url).toBe('/v1/models');
    // Nothing that others are told of has changed.
    expect(changes).toEqual([]);
  });

  test('what is configured goes over what it is', async () => {
    const vllm = await server();
    vllm.always(is('vllm'));
    const { made } = own({ upstreams: [spec(vllm.baseUrl, { compat: { supportsStore: true } })] });
    await made.start();
    await eventually('it is known', async () => {
      await read(await asked(made, { store: true, max_completion_tokens: 3 }));
      return JSON.stringify(posted(vllm)).includes('"max_tokens":3');
    });
    expect(posted(vllm)).toMatchObject({ store: true });
  });

  test('is asked again when it could not be asked, and no start waits for it', async () => {
    const slow = await server();
    slow.always(scripted.html(503));
    const { made, clock, missed } = own({ upstreams: [spec(slow.baseUrl)] });
    await made.start();
    await eventually('it was asked, and a timer waits', () => missed() === 1 && clock.pending === 1);
    slow.always(is('llamacpp'));
    clock.advance(SERVER_PROBE_AGAIN_MS);
    await eventually(
      'it was asked again, and nothing waits',
      () => gets(slow).length === 2 && clock.pending === 0,
    );
    await read(await asked(made, { max_completion_tokens: 3 }));
    expect(posted(slow)).toMatchObject({ max_tokens: 3 });
  });

  test.each([
    ['has no list', scripted.refuses(404, {})],
    ['wants another key', scripted.refuses(401, {})],
    ['is nobody that is known', is('acme')],
    ['answers with a page', scripted.html(200)],
  ])('that %s is asked no more, and its calls pass as they are', async (_, script) => {
    const other = await server();
    other.next(script);
    const { made, clock } = own({ upstreams: [spec(other.baseUrl)] });
    await made.start();
    await eventually(
      'it was asked, and nothing waits',
      () => gets(other).length === 1 && clock.pending === 0,
    );
    await read(await asked(made, { max_completion_tokens: 3, store: true }));
    expect(posted(other)).toEqual({ model: 'm', max_completion_tokens: 3, store: true });
  });

  test('is not asked where it is asked for its models anyway, nor a gateway', async () => {
    const ollama = await server();
    ollama.always(is('library'));
    const { baseUrl } = ollama;
    const discovery: DiscoverySpec = { provider: 'box', baseUrl, dialect: 'chat', ...BOUNDS };
    const { made } = own({
      upstreams: [
        spec(baseUrl),
        spec(`${baseUrl}/gateway`, {
          card: { id: 'a', provider: 'claw', dialect: 'chat' },
          gateway: { agent: 'openclaw' },
        }),
      ],
      discoveries: [discovery],
    });
    await made.start();
    expect(gets(ollama).map(({ url }) => url)).toEqual(['/v1/models']);
    // And what the list says counts for the configured model too.
    await read(await asked(made, { store: true }));
    expect(posted(ollama)).not.toHaveProperty('store');
  });
});

test('a found model is called as its server is known to want it', async () => {
  const lmstudio = await server();
  lmstudio.always(is('organization_owner'));
  const { made } = own({
    discoveries: [{ provider: 'box', baseUrl: lmstudio.baseUrl, dialect: 'chat', ...BOUNDS }],
  });
  await made.start();
  await read(
    await asked(made, { messages: [{ role: 'developer', content: 'a' }], reasoning_effort: 'xhigh' }),
  );
  expect(posted(lmstudio)).toEqual({
    model: 'm',
    messages: [{ role: 'system', content: 'a' }],
    reasoning_effort: 'high',
  });
});

describe('a call', () => {
  const compat: Compat = {
    supportsUsageInStreaming: true,
    supportsStore: false,
    requiresStringContent: true,
  };

  test('whose client did not ask for usage is counted all the same, and the client sees none', async () => {
    await using upstream = await scripted.startUpstream();
    await using ours = upstreams(upstream.baseUrl, { spec: { compat } });
    void upstream.nextStream(EVENTS).finish();
    const reply = await ours.answer(streamCall(), live());
    expect(await read(reply)).toBe([...EVENTS.slice(0, -2), ...EVENTS.slice(-1)].join(''));
    expect(await reply.ended).toMatchObject({
      kind: 'complete',
      usage: { inputTokens: 7, outputTokens: 5 },
    });
    expect((await upstream.request(0)).json()).toMatchObject({ stream_options: { include_usage: true } });
  });

  test('whose client asked for usage gets it', async () => {
    await using upstream = await scripted.startUpstream();
    await using ours = upstreams(upstream.baseUrl, { spec: { compat } });
    void upstream.nextStream(EVENTS).finish();
    const body = Buffer.from('{"model":"m","stream":true,"stream_options":{"include_usage":true}}');
    expect(await read(await ours.answer(streamCall({ body }), live()))).toBe(EVENTS.join(''));
  });

  test('is told of what its server was not', async () => {
    await using upstream = await scripted.startUpstream();
    await using ours = upstreams(upstream.baseUrl, { spec: { compat } });
    const body = Buffer.from('{"model":"m","store":true,"metadata":{"a":"b"}}');
    const { headers } = await ours.answer(call({ body }), live());
    expect(headers[LEFT_OUT_HEADER]).toBe('store, metadata');
    expect((await ours.answer(call(), live())).headers).not.toHaveProperty(LEFT_OUT_HEADER);
  });

  test('with what its server cannot take is refused before anything is sent', async () => {
    await using upstream = await scripted.startUpstream();
    await using ours = upstreams(upstream.baseUrl, { spec: { compat } });
    const messages = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }];
    const body = Buffer.from(JSON.stringify({ model: 'm', messages }));
    await expect(ours.answer(call({ body }), live())).rejects.toMatchObject({
      code: 'unsupported_parameter',
      param: 'messages[0].content[0]',
    });
    expect(upstream.requests).toHaveLength(0);
  });
});
