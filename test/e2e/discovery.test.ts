/** Models that nobody wrote down, from the owner's server to the entry's client. */
import { expect, onTestFinished, test } from 'vitest';
import { DISCOVERY_MS } from '../../src/core/limits.ts';
import { type Daemon, type DaemonHost, startDaemon } from '../../src/daemon.ts';
import { type Cancel, SystemClock } from '../../src/lib/clock.ts';
import { KEY_43, testHome } from '../config/home.ts';
import { eventually } from '../support/eventually.ts';
import {
  json,
  type Script,
  type ScriptedUpstream,
  says,
  startUpstream,
} from '../support/scripted-upstream.ts';
import { ask, MODELS, modelIds, post, startTwoNodes } from '../support/two-nodes.ts';

const rows = (ids: readonly string[]) => ({
  object: 'list',
  data: ids.map((id) => ({ id, object: 'model' })),
});

/** Lists its models, and says hello when one is called. */
const serves =
  (...ids: readonly string[]): Script =>
  (response, request) =>
    (request.method === 'GET' ? json(200, rows(ids)) : says('hello'))(response, request);

async function server(): Promise<ScriptedUpstream> {
  const upstream = await startUpstream({ listsModels: true });
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  return upstream;
}

/** Real time, but for the rounds of asking: those come when the test says so. */
class TurnedClock extends SystemClock {
  readonly #rounds = new Set<() => void>();

  override every(ms: number, run: () => void): Cancel {
    if (ms !== DISCOVERY_MS) return super.every(ms, run);
    this.#rounds.add(run);
    return () => void this.#rounds.delete(run);
  }

  turn(): void {
    for (const run of this.#rounds) run();
  }
}

async function start(config: object, clock = new TurnedClock()): Promise<Daemon> {
  const home = await testHome();
  await home.config({ secret: KEY_43, proxy: { port: 0 }, log: { level: 'silent' }, ...config });
  const nobody: DaemonHost = {
    stop: () => {},
    restart: () => Promise.resolve({ kind: 'stopping' }),
  };
  const daemon = await startDaemon(await home.load(), nobody, clock);
  onTestFinished(async () => {
    await daemon.stop();
    expect(clock.pending).toBe(0);
  });
  return daemon;
}

test('what a server lists turns up at another node and answers there, also where its first list comes late', async () => {
  const [quick, slow] = [await server(), await server()];
  quick.always(serves(MODELS.chat));
  let answerLate = () => {};
  slow.next((response) => {
    answerLate = () => json(200, rows(['late-model']))(response);
  });
  slow.always(serves('late-model'));
  await using nodes = await startTwoNodes({
    bravo: {
      providers: {
        quick: { baseUrl: quick.baseUrl, discover: true },
        slow: { baseUrl: slow.baseUrl, discover: true },
      },
      models: [],
    },
  });
  const reply = await post(`${nodes.url}/chat/completions`, ask(MODELS.chat));
  expect(await reply.text()).toContain('hello');
  expect(reply.headers.get('x-clawmatrix-route')).toMatch(/^alpha>bravo; model=.*; upstream=quick/);
  expect(await modelIds(nodes.url)).not.toContain('late-model');
  answerLate();
  // Where the machine is so slow that this list came too late, the next one counts.
  await eventually(
    'alpha lists the late model',
    async () => (await modelIds(nodes.url)).includes('late-model'),
    DISCOVERY_MS + 10_000,
  );
  expect(await (await post(`${nodes.url}/chat/completions`, ask('late-model'))).text()).toContain('hello');
}, 60_000);

test('a model that is pulled on the owner turns up on the entry and answers; one that is removed goes', async () => {
  const ollama = await server();
  ollama.always(serves('old'));
  const clock = new TurnedClock();
  const owner = await start(
    {
      nodeId: 'owner',
      listen: { host: '127.0.0.1', port: 0 },
      providers: { ollama: { baseUrl: ollama.baseUrl, discover: true } },
    },
    clock,
  );
  const entry = await start({ nodeId: 'entry', peers: [owner.listenUrl] });
  const url = `${entry.proxyUrl}/v1`;
  const listed = (...ids: readonly string[]) =>
    eventually(`the entry lists ${ids.join(', ') || 'nothing'}`, async () => {
      expect(await modelIds(url)).toEqual(ids);
      return true;
    });

  await listed('old');
  ollama.always(serves('new'));
  clock.turn();
  await listed('new');
  expect(await (await post(`${url}/chat/completions`, ask('new'))).text()).toContain('hello');
  const gone = await post(`${url}/chat/completions`, ask('old'));
  expect(gone.status).toBe(404);
  expect(await gone.text()).toContain('model_not_found');

  await ollama.stop();
  // Not after one miss; how many it takes is the owner's.
  await eventually('the owner has lost it', () => {
    clock.turn();
    return owner.models().length === 0;
  });
  await listed();
});
