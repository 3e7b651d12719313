/** What every client must get from two daemons, whatever the upstream behind them speaks. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MODELS, startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';
import { ANSWERS } from './answers.ts';
import type { Client } from './client.ts';
import { FAILURES, SURPRISES } from './failures.ts';
import { type Promised, UPSTREAMS } from './scene.ts';
import { waitsThrough } from './silence.ts';
import { TURNS } from './turns.ts';

/** Slow machines start two daemons and load a library at the same time. */
const START_MS = 60_000;
const PROMISES: readonly Promised[] = [...ANSWERS, ...TURNS, ...SURPRISES, ...FAILURES];

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
      const able = PROMISES.filter(
        ({ needs, where }) =>
          (needs === undefined || client.abilities.includes(needs)) && where?.(client, upstream) !== false,
      );
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
