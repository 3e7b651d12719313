/** Two owners of one model, one of them in trouble: the client gets its answer, and can see what happened. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { chatEvents } from '../support/openai-bodies.ts';
import { type Owner, type Owners, SHARED_MODEL, startOwners } from '../support/owners.ts';
import { neverAnswers, refuses, says } from '../support/scripted-upstream.ts';
import { ask, post } from '../support/two-nodes.ts';

let owners: Owners;

beforeEach(async () => {
  owners = await startOwners(1_500);
  owners.bravo.upstream.always(says('from bravo'));
  owners.charlie.upstream.always(says('from charlie'));
});

afterEach(() => owners[Symbol.asyncDispose]());

interface Asked {
  readonly text: string;
  readonly status: number;
  readonly route: string;
  readonly ms: number;
}

async function asked(more: object = {}): Promise<Asked> {
  const startedAt = performance.now();
  const reply = await post(`${owners.url}/chat/completions`, ask(SHARED_MODEL, more));
  const text = await reply.text();
  const ms = performance.now() - startedAt;
  return { text, status: reply.status, route: reply.headers.get('x-clawmatrix-route') ?? '', ms };
}

/** The one that a first call goes to, which is the one to be put into trouble. */
async function preferred(): Promise<{ sick: Owner; sickName: string; wellName: string }> {
  const { route } = await asked();
  const isBravo = route.startsWith('alpha>bravo;');
  expect(route).toMatch(/attempts=1$/);
  return {
    sick: isBravo ? owners.bravo : owners.charlie,
    sickName: isBravo ? 'bravo' : 'charlie',
    wellName: isBravo ? 'charlie' : 'bravo',
  };
}

const failedRoute = (well: string, sick: string, why: string) =>
  `alpha>${well}; model=${SHARED_MODEL}; upstream=scripted; attempts=2; failed=${sick}:${why}`;

test('one upstream is down: the other owner answers within a second', async () => {
  const { sick, sickName, wellName } = await preferred();
  await sick.upstream.stop();
  const got = await asked({ stream: true });
  expect(got).toMatchObject({
    status: 200,
    route: failedRoute(wellName, sickName, 'upstream_unreachable'),
  });
  expect(got.text).toContain(`from ${wellName}`);
  expect(got.ms).toBeLessThan(1_000);
});

test('one answers 503: the other one does, and is asked alone for a while', async () => {
  const { sick, sickName, wellName } = await preferred();
  sick.upstream.always(refuses(503, { message: 'overloaded' }));
  expect(await asked()).toMatchObject({ status: 200, route: failedRoute(wellName, sickName, '503') });
  const asksBefore = sick.upstream.requests.length;
  for (let call = 0; call < 5; call++) expect((await asked()).route).toMatch(/attempts=1$/);
  expect(sick.upstream.requests).toHaveLength(asksBefore);
});

test('one still loads the model: the other one answers, and where both do one of them is waited for', async () => {
  const { sick, sickName, wellName } = await preferred();
  const loading = refuses(503, { code: 503, message: 'Loading model', type: 'unavailable_error' });
  sick.upstream.always(loading);
  const got = await asked({ stream: true });
  expect(got).toMatchObject({ status: 200, route: failedRoute(wellName, sickName, '503') });
  expect(got.ms).toBeLessThan(900);
  const well = sick === owners.bravo ? owners.charlie : owners.bravo;
  sick.upstream.always(says('loaded'));
  for (const { upstream } of [sick, well]) upstream.next(loading);
  const waited = await asked();
  expect(waited).toMatchObject({ status: 200, route: failedRoute(sickName, wellName, '503') });
  expect(waited.text).toContain('loaded');
});

test('one is wedged, its upstream takes the call and says nothing: the other answers after the guard’s time', async () => {
  const { sick, sickName, wellName } = await preferred();
  sick.upstream.always(neverAnswers);
  const got = await asked({ stream: true });
  expect(got).toMatchObject({ status: 200, route: failedRoute(wellName, sickName, 'upstream_timeout') });
  expect(got.ms).toBeLessThan(3_000);
});

test('one does not accept, its process stands still: the other one answers within 7 s', async () => {
  const { sick, sickName, wellName } = await preferred();
  process.kill(sick.node.pid ?? 0, 'SIGSTOP');
  const got = await asked();
  expect(got).toMatchObject({ status: 200, route: failedRoute(wellName, sickName, 'owner_silent') });
  expect(got.ms).toBeLessThan(7_000);
});

test('one is killed before its first byte: the other one answers at once', async () => {
  const { sick, sickName, wellName } = await preferred();
  sick.upstream.next(neverAnswers);
  const before = sick.upstream.requests.length;
  const got = asked({ stream: true });
  await eventually('the call is there', () => sick.upstream.requests.length > before);
  await sick.node.stop('SIGKILL');
  expect(await got).toMatchObject({ status: 200, route: failedRoute(wellName, sickName, 'peer_lost') });
});

test('both are down: the client is told of the last one, and of the other', async () => {
  await owners.bravo.upstream.stop();
  await owners.charlie.upstream.stop();
  const got = await asked();
  expect(got.status).toBe(502);
  expect(JSON.parse(got.text).error.message).toMatch(/cannot be reached: the connection was refused/);
  expect(got.route).toMatch(/attempts=2; failed=(bravo|charlie):upstream_unreachable$/);
});

test('SIGTERM to an owner with 50 running streams: all of them end whole, and new calls go to the other', async () => {
  const { sick, wellName } = await preferred();
  const events = chatEvents({ text: ['one', 'two', 'three'] });
  const model = `${sick.node.name}/${SHARED_MODEL}`;
  const streams = Array.from({ length: 50 }, () => sick.upstream.nextStream(events));
  const replies = streams.map(async () => {
    const reply = await post(`${owners.url}/chat/completions`, ask(model, { stream: true }));
    return reply.text();
  });
  for (const stream of streams) await stream.send(2);
  const stopped = sick.node.stop('SIGTERM');
  await eventually('new calls go elsewhere', async () =>
    (await asked()).route.startsWith(`alpha>${wellName};`),
  );
  expect((await asked()).text).toContain(`from ${wellName}`);
  for (const stream of streams) await stream.finish();
  for (const text of await Promise.all(replies)) {
    expect(text).toContain('three');
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
  }
  expect(await stopped).toBe(0);
});

test('SIGTERM to the entry with 50 running streams: all of them end whole before it goes', async () => {
  const { bravo } = owners;
  const events = chatEvents({ text: ['one', 'two', 'three'] });
  const streams = Array.from({ length: 50 }, () => bravo.upstream.nextStream(events));
  const replies = streams.map(async () => {
    const reply = await post(
      `${owners.url}/chat/completions`,
      ask(`bravo/${SHARED_MODEL}`, { stream: true }),
    );
    return reply.text();
  });
  for (const stream of streams) await stream.send(2);
  const stopped = owners.alpha.stop('SIGTERM');
  await eventually('it says that it stops', () => owners.alpha.log.includes('stopping'));
  for (const stream of streams) await stream.finish();
  for (const text of await Promise.all(replies)) expect(text).toMatch(/three[\s\S]*data: \[DONE\]\n\n$/);
  expect(await stopped).toBe(0);
});

test('a second SIGTERM ends a daemon at once, whatever still runs', async () => {
  const { bravo } = owners;
  const stream = bravo.upstream.nextStream(chatEvents({ text: ['one'] }));
  const reply = post(`${owners.url}/chat/completions`, ask(`bravo/${SHARED_MODEL}`, { stream: true }));
  await stream.send(1);
  const ended = (await reply).text().then(
    () => 'whole',
    () => 'broken',
  );
  const stopped = owners.alpha.stop('SIGTERM');
  await eventually('it says that it stops', () => owners.alpha.log.includes('stopping'));
  const again = owners.alpha.stop('SIGTERM');
  expect([await stopped, await again]).toEqual([143, 143]);
  expect(await ended).toBe('broken');
});
