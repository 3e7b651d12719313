/** What every client must get from two daemons, whatever the upstream behind them speaks. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { chatEvents, dataEvent, namedEvent, responsesEvents, type Said } from '../support/openai-bodies.ts';
import { answers, cutsAfter, raw, refuses, type Script } from '../support/scripted-upstream.ts';
import { MODELS, startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';
import { startTap, type WireTap } from '../support/wire-tap.ts';
import { type Ability, CITY, type Client, type Failure, type Place, type Question } from './client.ts';

type Upstream = keyof typeof MODELS;

const UPSTREAMS: readonly Upstream[] = ['chat', 'responses'];

/** One client at one model of the two daemons. */
interface Scene {
  readonly client: Client;
  readonly upstream: Upstream;
  readonly place: Place;
  readonly nodes: TwoNodes;
}

interface Promised {
  readonly name: string;
  /** Nothing is promised to a client without it. */
  readonly needs?: Ability;
  readonly holds: (scene: Scene) => Promise<void>;
}

const OSLO = { id: 'call_1', name: 'get_weather', arguments: '{"city":"Oslo"}' };
const BERGEN = { id: 'call_2', name: 'get_weather', arguments: '{"city":"Bergen"}' };
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const EVENT_STREAM = { 'content-type': 'text/event-stream' };

/** The start of a stream in the upstream's own dialect, with some text in it. */
const BEGUN: Readonly<Record<Upstream, string>> = {
  chat: chatEvents({ text: ['Half of', ' it'] })
    .slice(0, 2)
    .join(''),
  responses: responsesEvents({ text: ['Half of', ' it'] })
    .slice(0, 5)
    .join(''),
};

/** How a server of that dialect tells that it broke. */
const BROKEN: Readonly<Record<Upstream, string>> = {
  chat: dataEvent({ error: { message: 'out of memory', type: 'server_error', param: null, code: 'oom' } }),
  responses: namedEvent(
    Object.assign(
      { type: 'error', sequence_number: 5 },
      { code: 'oom', message: 'out of memory', param: null },
    ),
  ),
};

/** What the last request said to the upstream. */
function sent({ upstream }: TwoNodes): string {
  return upstream.requests.at(-1)?.body.toString() ?? '';
}

async function heard(scene: Scene, question: Question, ...said: readonly Said[]) {
  for (const one of said) scene.nodes.upstream.next(answers(one));
  return scene.client.ask(scene.place, question);
}

/** What the library's own error says of a call that has to fail. */
async function failure({ client, place, nodes }: Scene, script?: Script): Promise<Failure> {
  if (script !== undefined) nodes.upstream.next(script);
  const error: unknown = await client.ask(place, { text: 'Hi' }).then(
    (whole) => expect.fail(`a whole answer: ${JSON.stringify(whole)}`),
    (reason: unknown) => reason,
  );
  return client.failure(error) ?? expect.fail(`not an error of the library: ${String(error)}`);
}

const ANSWERS: readonly Promised[] = [
  {
    name: 'text streams piece by piece, and the usage is seen',
    async holds(scene) {
      const usage = { input: 11, output: 3 };
      const got = await heard(scene, { text: 'Say it.' }, { text: ['Hel', 'lo', ' you'], usage });
      expect(got).toMatchObject({ text: 'Hello you', pieces: ['Hel', 'lo', ' you'], usage, ending: 'stop' });
      expect(sent(scene.nodes)).toContain('Say it.');
    },
  },
  {
    name: 'a whole answer has its text and its usage',
    needs: 'whole answers',
    async holds(scene) {
      const usage = { input: 11, output: 3 };
      const got = await heard(scene, { text: 'Say it.', isWhole: true }, { text: ['Hello'], usage });
      expect(got).toMatchObject({ text: 'Hello', usage, ending: 'stop' });
    },
  },
  {
    name: 'reasoning is shown, and is no part of the text',
    needs: 'reasoning',
    async holds(scene) {
      const said = { reasoning: ['It is ', 'wet.'], text: ['Rain.'] };
      const got = await heard(scene, { text: 'Weather?' }, said);
      expect(got).toMatchObject({ text: 'Rain.', reasoning: 'It is wet.' });
    },
  },
  {
    name: 'JSON of a schema: the upstream has the schema, the client the JSON',
    needs: 'JSON of a schema',
    async holds(scene) {
      const got = await heard(scene, { text: 'Where?', asJson: true }, { text: ['{"city":', '"Oslo"}'] });
      expect(JSON.parse(got.text)).toEqual({ city: 'Oslo' });
      const body = JSON.parse(sent(scene.nodes));
      const schema: unknown =
        scene.upstream === 'chat' ? body.response_format.json_schema.schema : body.text.format.schema;
      expect(schema).toMatchObject({ properties: CITY.properties, required: CITY.required });
    },
  },
  {
    name: 'an answer that is cut by its length says so',
    needs: 'length as an ending',
    async holds(scene) {
      const got = await heard(scene, { text: 'Say it.' }, { text: ['Half'], cutBy: 'length' });
      expect(got).toMatchObject({ text: 'Half', ending: 'length' });
    },
  },
  {
    name: 'an answer that a filter ended says so',
    needs: 'a filter as an ending',
    async holds(scene) {
      const got = await heard(scene, { text: 'Say it.' }, { text: ['Half'], cutBy: 'content_filter' });
      expect(got).toMatchObject({ text: 'Half', ending: 'content_filter' });
    },
  },
  {
    name: 'a refusal is a refusal, not text',
    needs: 'refusals',
    async holds(scene) {
      const got = await heard(scene, { text: 'Say it.' }, { refusal: 'I will not.' });
      expect(got).toMatchObject({ refusal: 'I will not.', text: '' });
    },
  },
  {
    name: 'an image reaches the upstream',
    async holds(scene) {
      const got = await heard(scene, { text: 'What is it?', image: PIXEL }, { text: ['A pixel.'] });
      expect(got.text).toBe('A pixel.');
      expect(sent(scene.nodes)).toContain(`data:image/png;base64,${PIXEL}`);
    },
  },
];

const TURNS: readonly Promised[] = [
  {
    name: 'two tools are called at once, their results go back, the final answer comes',
    async holds(scene) {
      const cities: string[] = [];
      const weather = (city: string) => {
        cities.push(city);
        return `rain in ${city}`;
      };
      const calls = { text: ['Let me look.'], toolCalls: [OSLO, BERGEN] };
      const final = { text: ['It rains', ' in both.'] };
      const got = await heard(scene, { text: 'Weather?', weather }, calls, final);
      expect(cities).toEqual(['Oslo', 'Bergen']);
      expect(got.text).toBe('It rains in both.');
      const parts = ['Weather?', 'Let me look.', 'Oslo', 'rain in Oslo', 'Bergen', 'rain in Bergen'];
      for (const part of parts) expect(sent(scene.nodes)).toContain(part);
      expect(callsIn(sent(scene.nodes))).toBe(callsIn(`${OSLO.id} ${OSLO.id} ${BERGEN.id} ${BERGEN.id}`));
    },
  },
  {
    name: "the upstream gets a model's reasoning back with the results of its tools",
    needs: 'reasoning of earlier turns',
    async holds(scene) {
      // A chat client has words only, and a Responses server takes none that are not its own.
      if (scene.client.api === 'chat' && scene.upstream === 'responses') return;
      const calls = { reasoning: ['I have to look.'], toolCalls: [OSLO] };
      const got = await heard(scene, { text: 'Weather?', weather: () => 'rain' }, calls, { text: ['Rain.'] });
      expect(got.text).toBe('Rain.');
      expect(sent(scene.nodes)).toContain(
        scene.upstream === 'chat' ? '"reasoning_content":"I have to look."' : 'sealed-by-the-upstream',
      );
    },
  },
  {
    name: 'in a conversation of three turns the upstream knows all that was said',
    async holds(scene) {
      const question = { text: 'I am Ada.', andThen: ['I like tea.', 'Who am I?'] };
      const said = [{ text: ['Hello Ada.'] }, { text: ['Noted.'] }, { text: ['Ada.'] }];
      const got = await heard(scene, question, ...said);
      expect(got.text).toBe('Ada.');
      for (const part of ['I am Ada.', 'Hello Ada.', 'I like tea.', 'Noted.', 'Who am I?'])
        expect(sent(scene.nodes)).toContain(part);
    },
  },
  {
    name: 'what a client only refers to is known to the upstream, with its tools and its reasoning',
    needs: 'references',
    async holds(scene) {
      const question = { text: 'I am Ada.', andThen: ['And now?'], weather: () => 'rain', byReference: true };
      const calls = { reasoning: ['I have to look.'], toolCalls: [OSLO] };
      const said = [calls, { text: ['Rain for Ada.'] }, { text: ['Still rain.'] }];
      const got = await heard(scene, { ...question, byReference: true }, ...said);
      expect(got.text).toBe('Still rain.');
      expect(sent(scene.nodes)).toContain('And now?');
      // Its own ids mean something to a server that keeps what it said.
      if (scene.upstream === 'responses')
        return expect(sent(scene.nodes)).toMatch(/"resp_scripted"|"item_reference"/);
      for (const part of ['I am Ada.', 'Oslo', '"rain"', 'Rain for Ada.'])
        expect(sent(scene.nodes)).toContain(part);
    },
  },
];

/** Which of the two calls are named there, and how often: their punctuation is the client's own. */
function callsIn(text: string): string {
  return (text.match(/call_?\d/g) ?? [])
    .map((id) => id.replace('_', ''))
    .sort()
    .join();
}

const FAILURES: readonly Promised[] = [
  {
    name: 'a 429 of the upstream is the error of the library, and says when to try again',
    async holds(scene) {
      const busy = refuses(429, { message: 'not now', code: 'rate_limit_exceeded' }, { 'retry-after': '7' });
      const { status, message, retryAfter } = await failure(scene, busy);
      expect(status).toBe(429);
      expect(message).toMatch(/not now/);
      if (scene.client.abilities.includes('headers of a refusal')) expect(retryAfter).toBe('7');
    },
  },
  ...[400, 500].map((refused) => ({
    name: `a ${refused} of the upstream is the error of the library, in the upstream's words`,
    async holds(scene: Scene) {
      const { status, message } = await failure(scene, refuses(refused, { message: 'no such luck' }));
      expect(status).toBe(refused);
      expect(message).toMatch(/no such luck/);
    },
  })),
  {
    name: 'an unknown model is a 404 that names it',
    async holds({ place, ...scene }) {
      const { status, message } = await failure({ ...scene, place: { ...place, model: 'no-such-model' } });
      expect(status).toBe(404);
      expect(message).toContain('no-such-model');
    },
  },
  {
    name: 'a stream that is cut in the middle is an error, never a complete answer',
    async holds(scene) {
      await failure(scene, cutsAfter(BEGUN[scene.upstream]));
    },
  },
  {
    name: 'a stream that just ends in the middle is an error, never a complete answer',
    async holds(scene) {
      await failure(scene, raw({ headers: EVENT_STREAM }, BEGUN[scene.upstream]));
    },
  },
  {
    name: 'an error of the upstream in the middle of a stream is told in its words',
    async holds(scene) {
      const broken = BEGUN[scene.upstream] + BROKEN[scene.upstream];
      const { message } = await failure(scene, raw({ headers: EVENT_STREAM }, broken));
      expect(message).toMatch(/out of memory/);
    },
  },
];

const PROMISES: readonly Promised[] = [...ANSWERS, ...TURNS, ...FAILURES];

/** Makes the tests of these clients, with two daemons of their own. */
export function keepsEveryPromiseTo(clients: readonly Client[]): void {
  let nodes: TwoNodes;
  beforeAll(async () => {
    nodes = await startTwoNodes();
  }, START_MS);
  afterAll(async () => {
    await nodes?.[Symbol.asyncDispose]();
  });
  describe.each(clients.map((client) => [client.name, client.api, client] as const))('%s on %s', (...at) => {
    const client = at[2];
    describe.each(UPSTREAMS)('with an upstream that speaks %s', (upstream) => {
      const able = PROMISES.filter(({ needs }) => needs === undefined || client.abilities.includes(needs));
      test.each(able.map((promised) => [promised.name, promised] as const))('%s', async (_name, promised) => {
        const place = { url: nodes.url, model: MODELS[upstream] };
        await promised.holds({ client, upstream, place, nodes });
      });
    });
    if (client.models !== undefined)
      test('the list of models has those of the other node', async () => {
        expect(await client.models?.(nodes.url)).toEqual(expect.arrayContaining(Object.values(MODELS)));
      });
  });
  waitsThrough(clients);
}

/** Slow machines start two daemons and load a library at the same time. */
const START_MS = 60_000;
/** The first sign of life comes after 14 s, and this waits for one in each of two silences. */
const SILENT_MS = 60_000;
/** A sign of life, as bytes on the wire: an event on Responses, a comment on chat. */
const SIGN_OF_LIFE = /event: keepalive\n|\n: /g;

/** All clients at once: each silence takes as long as the time between two signs of life. */
function waitsThrough(clients: readonly Client[]): void {
  test(
    'a silent upstream, before its first byte and in mid-stream, is waited for through signs of life',
    async () => {
      await using nodes = await startTwoNodes({ alpha: { timeouts: { holdMs: 200 } } });
      const { hostname: host, port } = new URL(nodes.url);
      await using tap = await startTap({ host, port: Number(port) });
      const asked = clients.flatMap((client) => UPSTREAMS.map((upstream) => ({ client, upstream })));
      const silent = silences(nodes, tap, asked.length);
      const url = `http://${host}:${tap.port}/v1`;
      const got = asked.map(({ client, upstream }) =>
        client.ask({ url, model: MODELS[upstream] }, { text: 'Take your time.' }),
      );
      await silent;
      expect((await Promise.all(got)).map(({ text }) => text)).toEqual(asked.map(() => 'Slowly'));
    },
    2 * SILENT_MS,
  );
}

async function silences({ upstream }: TwoNodes, tap: WireTap, calls: number): Promise<void> {
  const waiting: Parameters<Script>[] = [];
  upstream.always((...one) => void waiting.push(one));
  const seen = () => tap.bytes().toString().match(SIGN_OF_LIFE)?.length ?? 0;
  const quiet = async (what: string) => {
    const before = seen();
    await eventually(what, () => seen() >= before + calls, SILENT_MS);
  };
  await eventually('every call has come to the upstream', () => waiting.length === calls, SILENT_MS);
  await quiet('a sign of life for every client before the first byte');
  const streams = waiting.map(([response, { url }]) => {
    const events = (url.includes('/responses') ? responsesEvents : chatEvents)({ text: ['Slow', 'ly'] });
    const begun = events.findIndex((event) => event.includes('"Slow"')) + 1;
    response.writeHead(200, EVENT_STREAM).write(events.slice(0, begun).join(''));
    return { response, rest: events.slice(begun).join('') };
  });
  await quiet('a sign of life for every client in mid-stream');
  for (const { response, rest } of streams) response.end(rest);
}
