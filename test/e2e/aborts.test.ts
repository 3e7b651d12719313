/** A thousand clients that leave two daemons at random moments. */
import { readdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { expect, test } from 'vitest';
import { Chance } from '../support/chance.ts';
import { eventually } from '../support/eventually.ts';
import { chatEvents } from '../support/openai-bodies.ts';
import { ask, cli, MODELS, post, startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';

const CALLS = 1_000;
const TOGETHER = 25;
const EVENTS = chatEvents({ text: Array.from({ length: 30 }, (_, index) => `word ${index} `) });

const LEAVES = ['at once', 'at the head', 'after some bytes', 'without reading'] as const;

/** Asks, and leaves when it is time to; resolves when the connection is closed. */
function askAndLeave(url: string, agent: Agent, chance: Chance): Promise<void> {
  const how = chance.pick(LEAVES);
  let bytes = chance.below(4_000);
  const body = JSON.stringify(
    ask(MODELS.chat, { stream: true, pad: 'x'.repeat(chance.pick([0, 0, 90_000])) }),
  );
  return new Promise((resolve) => {
    const asked = request(`${url}/chat/completions`, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    const leave = () => asked.destroy();
    asked.on('error', () => {}).on('close', resolve);
    asked.on('response', (response) => {
      response.on('error', () => {});
      if (how === 'at the head') leave();
      else if (how === 'without reading') setImmediate(leave);
      else response.on('data', (chunk: Buffer) => ((bytes -= chunk.length) < 0 ? leave() : undefined));
    });
    asked.end(body, () => (how === 'at once' ? setImmediate(leave) : undefined));
  });
}

/** As each node says of itself: no call, neither as entry nor as owner. */
async function isIdle(nodes: TwoNodes): Promise<boolean> {
  const told = await Promise.all([nodes.alpha, nodes.bravo].map(({ home }) => cli(home, 'status', '--json')));
  return told.every(({ stdout }) => {
    const { calls } = JSON.parse(stdout);
    return calls.entry === 0 && calls.owner === 0;
  });
}

const descriptors = (nodes: TwoNodes) =>
  [nodes.alpha, nodes.bravo].map(({ pid }) => readdirSync(`/proc/${pid}/fd`).length);

test(`${CALLS} calls left at random moments: nothing is in flight after them, and no descriptor is kept`, async () => {
  await using nodes = await startTwoNodes();
  const chance = new Chance(7);
  nodes.upstream.always((response) => {
    const events = [...EVENTS];
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const go = () => {
      const event = events.shift();
      // It never ends: whoever is still there leaves by itself.
      if (event === undefined || response.destroyed) return;
      if (response.write(event)) setImmediate(go);
      else response.once('drain', go);
    };
    go();
  });
  const agent = new Agent({ keepAlive: false });
  const round = () =>
    Promise.all(Array.from({ length: TOGETHER }, () => askAndLeave(nodes.url, agent, chance)));
  await round();
  await eventually('the first have settled', () => isIdle(nodes));
  const before = process.platform === 'linux' ? descriptors(nodes) : [0, 0];
  for (let done = 0; done < CALLS; done += TOGETHER) await round();
  await eventually('nothing is in flight', () => isIdle(nodes));
  if (process.platform === 'linux')
    await eventually('descriptors are as before', () =>
      // A pooled connection to the upstream more or less is no leak.
      descriptors(nodes).every((count, index) => count <= (before[index] ?? 0) + 3),
    );
  agent.destroy();
  nodes.upstream.always((response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(EVENTS.join('')),
  );
  const after = await post(`${nodes.url}/chat/completions`, ask(MODELS.chat, { stream: true }));
  expect(await after.text()).toContain('[DONE]');
});
