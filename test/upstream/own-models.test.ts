/** The models that a node answers itself: which they are as servers come, change and go. */
import { expect, onTestFinished, test } from 'vitest';
import type { Call } from '../../src/core/call.ts';
import type { Card } from '../../src/core/card.ts';
import { newCallId, nodeIdOf } from '../../src/core/ids.ts';
import {
  CARDS_PER_NODE_MAX,
  DISCOVERY_ANSWER_MS,
  DISCOVERY_MISSES_MAX,
  DISCOVERY_MS,
  DISCOVERY_START_MS,
} from '../../src/core/limits.ts';
import type { DiscoverySpec, Offer, UpstreamSpec } from '../../src/core/upstream-spec.ts';
import { LOCAL_SERVERS } from '../../src/upstream/local-servers.ts';
import { OwnModels, type OwnModelsParts } from '../../src/upstream/own-models.ts';
import { eventually, within } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { logLines } from '../support/log-lines.ts';
import {
  html,
  json,
  neverAnswers,
  type Script,
  type ScriptedUpstream,
  says,
  startUpstream,
} from '../support/scripted-upstream.ts';

const KEY = 'sk-canary-0123456789abcdef';
const CALL_BOUNDS = { silenceMs: 120_000, eventBytesMax: 1 << 20, note: () => {} };

async function server(): Promise<ScriptedUpstream> {
  const upstream = await startUpstream({ listsModels: true });
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  return upstream;
}

const rows = (...ids: readonly string[]) => ({
  object: 'list',
  data: ids.map((id) => ({ id, object: 'model' })),
});
const lists = (...ids: readonly string[]) => json(200, rows(...ids));
/** Lists its models, and says hello when one is called. */
const serves =
  (...ids: readonly string[]): Script =>
  (response, request) =>
    (request.method === 'GET' ? lists(...ids) : says('hello'))(response, request);

function discover(provider: string, { baseUrl }: ScriptedUpstream): DiscoverySpec {
  return { provider, baseUrl, apiKey: KEY, headers: {}, dialect: 'chat', ...CALL_BOUNDS };
}

function upstream(card: Pick<Card, 'id' | 'provider'> & Partial<Card>, baseUrl: string): UpstreamSpec {
  return { card: { dialect: 'chat', ...card }, baseUrl, headers: {}, ...CALL_BOUNDS };
}

const NOTHING: Offer = { upstreams: [], announced: [], discoveries: [], looksAround: false };
const BARE: Offer = { ...NOTHING, looksAround: true };
const at = (provider: string, { baseUrl }: ScriptedUpstream) => ({
  provider,
  port: Number(new URL(baseUrl).port),
});

function ownModels(offer: Partial<Offer>, parts: Partial<OwnModelsParts> = {}) {
  const clock = new FakeClock();
  const logged = logLines();
  const changes: string[][] = [];
  const own = new OwnModels(
    { ...NOTHING, ...offer },
    {
      nodeName: 'studio',
      clock,
      tools: {
        wall: () => clock.wall(),
        randomId: (prefix) => `${prefix}1`,
        eventBytesMax: 1 << 20,
        note: () => {},
      },
      log: logged.log,
      silenceMs: 120_000,
      proxyPort: 19_701,
      localServers: [],
      onChange: () => void changes.push(own.announced.map(({ id }) => id)),
      ...parts,
    },
  );
  onTestFinished(() => own.close());
  const ids = () => own.cards.map(({ provider, id }) => `${provider}/${id}`);
  /** Every timer but the one of the rounds is that of a question that is open. */
  const idle = () => eventually('all servers have answered', () => clock.pending === 1);
  const round = async () => {
    clock.advance(DISCOVERY_MS);
    await idle();
  };
  return { own, clock, logged, changes, ids, idle, round };
}

function call(id: string, provider: string): Call {
  return {
    id: newCallId(),
    origin: nodeIdOf(new Uint8Array(32)),
    dialect: 'chat',
    model: { id, provider },
    stream: false,
    headers: {},
    body: Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi.' }] })),
    report: () => {},
  };
}

async function answered(
  own: OwnModels,
  id: string,
  provider: string,
  by: 'answer' | 'answerShared' = 'answer',
) {
  const reply = await own[by](call(id, provider), new AbortController().signal);
  const chunks: Uint8Array[] = [];
  for await (const chunk of reply.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('what a server lists stands beside what is configured, which stays as it was written', async () => {
  const ollama = await server();
  ollama.always(
    json(200, { object: 'list', data: [{ id: 'a', max_model_len: 9 }, { id: 'b' }, { id: 'b' }] }),
  );
  const mine = upstream({ id: 'a', provider: 'ollama', contextWindow: 32_768 }, ollama.baseUrl);
  const { own, ids } = ownModels({
    upstreams: [mine],
    announced: [mine.card],
    discoveries: [discover('ollama', ollama)],
  });
  expect(ids()).toEqual(['ollama/a']);
  await own.start();
  expect(ids()).toEqual(['ollama/a', 'ollama/b']);
  expect(own.cards[0]).toEqual(mine.card);
  expect(own.announced).toEqual(own.cards);
});

test('a found model answers, under the key of its provider', async () => {
  const ollama = await server();
  ollama.always(serves('qwen3:8b'));
  const { own } = ownModels({ discoveries: [discover('ollama', ollama)] });
  await own.start();
  expect(await answered(own, 'qwen3:8b', 'ollama')).toContain('hello');
  const request = await ollama.request(1);
  expect(request.url).toBe('/v1/chat/completions');
  expect(request.headers.authorization).toBe(`Bearer ${KEY}`);
  expect(request.json()).toMatchObject({ model: 'qwen3:8b' });
});

test('others may call what is found while it is there, and what is configured only where it is shared', async () => {
  const ollama = await server();
  ollama.always(serves('found'));
  const mine = upstream({ id: 'private', provider: 'ollama' }, ollama.baseUrl);
  const { own, round } = ownModels({ upstreams: [mine], discoveries: [discover('ollama', ollama)] });
  await own.start();
  expect(await answered(own, 'found', 'ollama', 'answerShared')).toContain('hello');
  expect(await answered(own, 'private', 'ollama')).toContain('hello');
  const refused = { code: 'model_not_found' };
  await expect(answered(own, 'private', 'ollama', 'answerShared')).rejects.toMatchObject(refused);
  ollama.always(serves());
  await round();
  await expect(answered(own, 'found', 'ollama', 'answerShared')).rejects.toMatchObject(refused);
  await expect(answered(own, 'found', 'ollama')).rejects.toMatchObject(refused);
});

test('a model that is pulled or removed shows within a round, and the others are told only of changes', async () => {
  const ollama = await server();
  const { own, changes, round, logged } = ownModels({ discoveries: [discover('ollama', ollama)] });
  ollama.always(lists('a'));
  await own.start();
  ollama.always(lists('b', 'a'));
  await round();
  ollama.always(lists('a', 'b'));
  await round();
  ollama.always(lists('b'));
  await round();
  expect(changes).toEqual([['a'], ['a', 'b'], ['b']]);
  expect(logged.said).toEqual(['models found', 'models found', 'models found']);
});

test('a server that restarts keeps its models; one that stays away loses them, and gets them back', async () => {
  const ollama = await server();
  const { own, changes, ids, round, logged } = ownModels({ discoveries: [discover('ollama', ollama)] });
  ollama.always(lists('a'));
  await own.start();
  ollama.always(html(502));
  for (let miss = 0; miss < DISCOVERY_MISSES_MAX; miss++) {
    await round();
    expect(ids()).toEqual(['ollama/a']);
  }
  for (const _ of ['gone', 'still gone']) {
    await round();
    expect(ids()).toEqual([]);
  }
  ollama.always(lists('a'));
  await round();
  expect(changes).toEqual([['a'], [], ['a']]);
  expect(logged.said).toEqual([
    'models found',
    'no list of models: the last one counts for a while',
    'models lost: their server is gone',
    'models found',
  ]);
});

test('with nothing configured and nothing found there is echo, for this node alone, and the log says so', async () => {
  const gone = await server();
  await gone.stop();
  const { own, ids, logged, changes } = ownModels(BARE, { localServers: [at('ollama', gone)] });
  await own.start();
  expect(ids()).toEqual(['builtin/echo']);
  expect(own.announced).toEqual([]);
  expect(await answered(own, 'echo', 'builtin')).toContain('Hi.');
  await expect(answered(own, 'echo', 'builtin', 'answerShared')).rejects.toThrow('shares no model');
  expect(logged.said).toEqual(['no models found on this machine yet: the built-in model echo is there']);
  expect(changes).toEqual([]);
});

test('a server on a usual port takes the place of echo, also one that starts later, and gives it back', async () => {
  const [ollama, vllm] = [await server(), await server()];
  ollama.always(html(404));
  vllm.always(html(404));
  const localServers = [at('ollama', ollama), at('vllm', vllm)];
  const { own, ids, round, changes, logged } = ownModels(BARE, { localServers });
  await own.start();
  expect(ids()).toEqual(['builtin/echo']);
  vllm.always(serves('qwen'));
  await round();
  expect(ids()).toEqual(['vllm/qwen']);
  expect(await answered(own, 'qwen', 'vllm', 'answerShared')).toContain('hello');
  expect(vllm.requests.at(-1)?.headers.authorization).toBeUndefined();
  vllm.always(html(502));
  for (let miss = 0; miss <= DISCOVERY_MISSES_MAX; miss++) await round();
  expect(ids()).toEqual(['builtin/echo']);
  expect(changes).toEqual([['qwen'], []]);
  const found = logged.lines.find(({ msg }) => msg === 'models found');
  expect(found).toMatchObject({ provider: 'vllm', at: new URL(vllm.baseUrl).origin, models: 1 });
});

test('the usual ports are those of Ollama, LM Studio, llama.cpp and vLLM', () => {
  expect(Object.fromEntries(LOCAL_SERVERS.map(({ provider, port }) => [provider, port]))).toEqual({
    ollama: 11_434,
    lmstudio: 1_234,
    llamacpp: 8_080,
    vllm: 8_000,
  });
});

test.each<[string, Script]>([
  ['a web page', html(200)],
  ['some other list', json(200, { data: [{ id: '1' }] })],
  ['bare rows', json(200, [{ id: '1' }])],
  [
    'a ClawMatrix node',
    json(200, { object: 'list', data: [{ id: 'm', owned_by: 'p', node_id: 'n', reachable: true }] }),
  ],
  ['an Ollama without models', json(200, { object: 'list', data: null })],
])('%s on a usual port leaves echo where it is', async (_name, script) => {
  const other = await server();
  other.always(script);
  const { own, ids } = ownModels(BARE, { localServers: [at('llamacpp', other)] });
  await own.start();
  expect(other.requests).toHaveLength(1);
  expect(ids()).toEqual(['builtin/echo']);
});

test('the port of its own proxy is not looked at', async () => {
  const proxy = await server();
  proxy.always(lists('a'));
  const local = at('vllm', proxy);
  const { own, ids } = ownModels(BARE, { localServers: [local], proxyPort: local.port });
  await own.start();
  expect(proxy.requests).toEqual([]);
  expect(ids()).toEqual(['builtin/echo']);
});

test('where something is configured nothing is looked for, and no timer runs', async () => {
  const ollama = await server();
  ollama.always(lists('a'));
  const { own, clock, ids } = ownModels({}, { localServers: [at('ollama', ollama)] });
  await own.start();
  expect(ollama.requests).toEqual([]);
  expect(clock.pending).toBe(0);
  expect(ids()).toEqual([]);
});

test('a server that hangs holds up neither the start nor the models of another, and counts when it answers', async () => {
  const [slow, quick] = [await server(), await server()];
  const held = slow.nextStream([JSON.stringify(rows('late'))], {
    headers: { 'content-type': 'application/json' },
  });
  quick.always(lists('soon'));
  const discoveries = [discover('slow', slow), discover('quick', quick)];
  const { own, clock, ids, idle, changes } = ownModels({ discoveries });
  const start = own.start();
  await eventually('the quick one is in', () => ids().length === 1);
  await slow.request(0);
  clock.advance(DISCOVERY_START_MS);
  await within('the start', start);
  expect(ids()).toEqual(['quick/soon']);
  await held.finish();
  await idle();
  expect(ids()).toEqual(['slow/late', 'quick/soon']);
  expect(changes).toEqual([['soon'], ['late', 'soon']]);
});

test('rounds do not pile up on a server that hangs: one question is open at a time, each with its end', async () => {
  const slow = await server();
  slow.always(neverAnswers);
  const { own, clock, idle } = ownModels({ discoveries: [discover('slow', slow)] });
  const start = own.start();
  await slow.request(0);
  clock.advance(DISCOVERY_ANSWER_MS);
  await start;
  await idle();
  clock.advance(DISCOVERY_MS - DISCOVERY_ANSWER_MS);
  await slow.request(1);
  expect(clock.pending).toBe(2);
  // The timers of a machine that slept are due all at once.
  clock.sleep(DISCOVERY_MS);
  await idle();
  expect(slow.requests).toHaveLength(2);
});

test('a close cuts what is being asked, and nothing is asked after it', async () => {
  const slow = await server();
  slow.always(neverAnswers);
  const { own, clock, changes, logged } = ownModels({ discoveries: [discover('slow', slow)] });
  const start = own.start();
  const request = await slow.request(0);
  await within('the close', own.close());
  await within('the start', start);
  await eventually('the server sees it', () => request.closedAt);
  expect(clock.pending).toBe(0);
  clock.advance(DISCOVERY_MS);
  expect(slow.requests).toHaveLength(1);
  expect(changes).toEqual([]);
  expect(logged.lines).toEqual([]);
});

test('a node has only so many models: the configured first, and the log says once that some were left out', async () => {
  const big = await server();
  big.always(lists(...Array.from({ length: CARDS_PER_NODE_MAX + 8 }, (_, index) => `m${index}`)));
  const mine = upstream({ id: 'mine', provider: 'other' }, big.baseUrl);
  const { own, ids, round, logged } = ownModels({ upstreams: [mine], discoveries: [discover('big', big)] });
  await own.start();
  await round();
  expect(ids()).toHaveLength(CARDS_PER_NODE_MAX);
  expect(ids()[0]).toBe('other/mine');
  const told = logged.lines.filter(({ msg }) => msg.startsWith('models left out'));
  expect(told).toMatchObject([{ leftOut: 9, of: 'big' }]);
});
