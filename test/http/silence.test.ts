/**
 * An upstream that is silent for 400 s, before its headers and in mid-stream, under a timeout set for its model: the edge
 * of the entry, its translation, the exchange and the owner's HTTP, on one clock that the test moves.
 */
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Answer, Dialect } from '../../src/core/call.ts';
import type { Card } from '../../src/core/card.ts';
import { OWNER_SILENCE_MS } from '../../src/core/limits.ts';
import { translate } from '../../src/dialect/translate.ts';
import { changed } from '../../src/lib/changed.ts';
import { Upstreams } from '../../src/upstream/upstream.ts';
import { eventually } from '../support/eventually.ts';
import { ExchangeWorld } from '../support/exchange-world.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { chatEvents, responsesEvents } from '../support/openai-bodies.ts';
import { checkResponsesStream } from '../support/responses-rules.ts';
import { json, type ScriptedUpstream, startUpstream } from '../support/scripted-upstream.ts';
import { type Started, startWith } from './start.ts';
import { settled, StreamClient } from './stream-client.ts';

const SILENT_SECONDS = 400;
const WAIT_SECONDS = 15;
const DIALECTS: readonly Dialect[] = ['chat', 'responses'];
const PATHS = { chat: '/v1/chat/completions', responses: '/v1/responses' };

interface Way {
  readonly client: Dialect;
  readonly upstream: Dialect;
}

const WAYS: readonly Way[] = DIALECTS.flatMap((client) => DIALECTS.map((upstream) => ({ client, upstream })));

let clock: FakeClock;
let server: ScriptedUpstream;
let upstreams: Upstreams;
let world: ExchangeWorld;
let on: Started;

/** What the upstream has been asked, and not answered yet. */
let asked: { readonly url: string; readonly response: ServerResponse }[];

beforeEach(async () => {
  clock = new FakeClock();
  server = await startUpstream();
  asked = [];
  server.always((response, { url }) => void asked.push({ url, response }));
  const cards = DIALECTS.map((dialect): Card => ({ id: dialect, provider: 'slow', dialect }));
  upstreams = new Upstreams(
    cards.map((card) => ({
      card,
      baseUrl: server.baseUrl,
      headers: {},
      silenceMs: 450_000,
      eventBytesMax: 1 << 20,
      compat: { returnsProgress: true },
    })),
    { nodeName: 'bravo', clock },
  );
  world = new ExchangeWorld({ owner: { answer: upstreams.answer } }, clock).link();
  on = await startWith(entryOf(cards), { parts: { clock } });
});

afterEach(async () => {
  await on[Symbol.asyncDispose]();
  await world.close();
  await upstreams.close();
  await server[Symbol.asyncDispose]();
});

/** As the router does it, where each model has one owner. */
function entryOf(cards: readonly Card[]): Answer {
  const tools = {
    randomId: (prefix: string) => `${prefix}1`,
    eventBytesMax: 1 << 20,
    wall: () => clock.wall(),
    note: () => {},
  };
  return (call, signal) => {
    const card = cards.find(({ id }) => id === call.model.id);
    if (card === undefined) throw new Error('no such model');
    const owned = changed(call, { model: { id: card.id, provider: card.provider } });
    return translate(world.entry.exchange.answer(card), call.dialect, card, tools)(owned, signal);
  };
}

class PatientClient {
  readonly #client: StreamClient;
  #seen = 0;
  #quietSeconds = 0;
  /** The longest wait for an event that it could parse. */
  waitedSeconds = 0;

  constructor({ client, upstream }: Way) {
    const said =
      client === 'chat' ? { messages: [{ role: 'user', content: 'x' }] } : { input: 'x', store: false };
    const body = JSON.stringify({ model: upstream, stream: true, ...said });
    this.#client = new StreamClient(`${on.url}${PATHS[client]}`, body);
  }

  get events(): readonly unknown[] {
    return this.#client.events.filter((event) => event !== '[DONE]');
  }

  second(): void {
    this.#quietSeconds = this.events.length > this.#seen ? 0 : this.#quietSeconds + 1;
    this.#seen = this.events.length;
    this.waitedSeconds = Math.max(this.waitedSeconds, this.#quietSeconds);
  }

  async whole(): Promise<boolean> {
    return (await this.#client.closed()).whole;
  }
}

async function turn(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await world.rest(5);
    await settled(on.url);
  }
}

async function silence(clients: readonly PatientClient[]): Promise<void> {
  for (let second = 0; second < SILENT_SECONDS; second++) {
    clock.advance(1_000);
    await world.rest(3);
    await settled(on.url);
    for (const client of clients) client.second();
  }
}

const eventsOf = (dialect: Dialect) =>
  dialect === 'chat' ? chatEvents({ text: ['Hel', 'lo'] }) : responsesEvents({ text: ['Hel', 'lo'] });

function textOf(events: readonly unknown[], dialect: Dialect): string {
  return events
    .map((event) => {
      const { type, delta, choices } = Object(event);
      if (dialect === 'chat') return choices?.[0]?.delta?.content ?? '';
      return type === 'response.output_text.delta' ? delta : '';
    })
    .join('');
}

/** All calls at once, each answered so far by `begin`, silent then, and answered to its end. */
async function asksAll(begunEvents: number): Promise<ReadonlyMap<Way, PatientClient>> {
  const clients = new Map<Way, PatientClient>();
  const responses: (readonly [Dialect, ServerResponse])[] = [];
  for (const way of WAYS) {
    clients.set(way, new PatientClient(way));
    const { response } = await eventually('the upstream is asked', async () => {
      await turn();
      return asked[responses.length];
    });
    responses.push([way.upstream, response]);
  }
  for (const [dialect, response] of begunEvents > 0 ? responses : []) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(eventsOf(dialect).slice(0, begunEvents).join(''));
  }
  await turn();
  await silence([...clients.values()]);
  for (const [dialect, response] of responses) {
    if (begunEvents === 0) response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(eventsOf(dialect).slice(begunEvents).join(''));
  }
  await turn();
  return clients;
}

describe.each([
  ['before its headers', 0],
  ['in mid-stream', 3],
])('400 s of silence %s', (_, begunEvents) => {
  test('every client has its whole answer, and never waits over 15 s for an event', async () => {
    for (const [way, client] of await asksAll(begunEvents)) {
      const name = `${way.client} in front of ${way.upstream}`;
      expect(await client.whole(), name).toBe(true);
      expect(textOf(client.events, way.client), name).toBe('Hello');
      // Counted in whole seconds at whose end nothing had come; real timers fire a little later.
      expect(client.waitedSeconds + 1, name).toBeLessThan(WAIT_SECONDS);
      expect(client.events.length, name).toBeGreaterThanOrEqual(SILENT_SECONDS / WAIT_SECONDS);
      if (way.client === 'responses') oneResponse(client.events, begunEvents === 0);
      if (way.client === 'responses' && way.upstream === 'chat') checkResponsesStream(client.events);
    }
    // Far longer than an owner may say nothing of a call.
    expect(SILENT_SECONDS * 1_000).toBeGreaterThan(10 * OWNER_SILENCE_MS);
  });
});

test('a server that loads its model and then reads a long prompt: those who watch see how far it is', async () => {
  const body = JSON.stringify({ model: 'chat', stream: true, messages: [{ role: 'user', content: 'x' }] });
  const client = new StreamClient(`${on.url}${PATHS.chat}`, body);
  const second = async () => {
    clock.advance(1_000);
    await turn();
  };
  for (let tries = 0; tries < 12; tries++) {
    const { response } = await eventually('the upstream is asked', async () => {
      await turn();
      return asked[tries];
    });
    json(503, { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } })(response);
    await turn();
    await second();
  }
  expect(client.comments).toContain('clawmatrix loading');
  const { response } = await eventually('the upstream is asked once more', async () => {
    await turn();
    return asked[12];
  });
  const [role = '', ...rest] = eventsOf('chat');
  const prompt_progress = { total: 2048, cache: 0, processed: 512, time_ms: 9_000 };
  const progress = { ...JSON.parse(role.slice('data: '.length)), prompt_progress };
  response
    .writeHead(200, { 'content-type': 'text/event-stream' })
    .write(`data: ${JSON.stringify(progress)}\n\n`);
  for (let seconds = 0; seconds < 20; seconds++) await second();
  expect(client.comments).toContain('clawmatrix prefill 512/2048');
  response.end(role + rest.join(''));
  await turn();
  expect((await client.closed()).whole).toBe(true);
  expect(textOf(client.events, 'chat')).toBe('Hello');
  expect(client.text).not.toContain('prompt_progress');
});

/** One id from the first event to the last, and one run of numbers; signs of life have one where this node counts. */
function oneResponse(events: readonly unknown[], isHeld: boolean): void {
  const all = events.map((event): Record<string, unknown> => Object(event));
  expect(
    new Set(all.flatMap(({ response }) => (response === undefined ? [] : [Object(response).id]))).size,
  ).toBe(1);
  const numbered = isHeld ? all : all.filter(({ type }) => type !== 'keepalive');
  expect(numbered.map(({ sequence_number }) => sequence_number)).toEqual(numbered.map((_, at) => at));
}
