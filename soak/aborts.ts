/** Calls that are left at random moments: afterwards both daemons are as they were. */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Chance } from '../test/support/chance.ts';
import { callsInFlight, descriptors, quietRssMiB, until } from './node-figures.ts';
import { type Pair, startPair } from './pair.ts';
import { inParallel, type Part } from './part.ts';

const COUNT = 10_000;
const TOGETHER = 50;
/** The slow model needs about a second for an answer. */
const LEAVE_MS_MAX = 400;
const SETTLE_MS = 15_000;
/** Connections to the upstream that nobody used for so long are closed. */
const POOL_MS = 10_000;
const DESCRIPTORS_MORE_MAX = 2;
const RSS_RATIO_MAX = 1.1;
const WARM = 1_000;

function askAndLeave(url: string, agent: Agent, chance: Chance): Promise<void> {
  const content = 'x'.repeat(chance.pick([10, 10, 1_000, 150_000]));
  const body = JSON.stringify({ model: 'slow', stream: true, messages: [{ role: 'user', content }] });
  return new Promise((resolve) => {
    const asked = request(`${url}/chat/completions`, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    const leaving = setTimeout(() => asked.destroy(), chance.below(LEAVE_MS_MAX));
    asked.on('error', () => {});
    asked.on('response', (response) => response.on('error', () => {}).resume());
    asked.on('close', () => {
      clearTimeout(leaving);
      resolve();
    });
    asked.end(body);
  });
}

async function settled({ alpha, bravo, upstream }: Pair): Promise<number | undefined> {
  return until(async () => {
    const open = await Promise.all([callsInFlight(alpha), callsInFlight(bravo)]);
    return open.every((count) => count === 0) && upstream.open() === 0;
  }, SETTLE_MS);
}

export const aborts: Part = {
  name: 'aborts',
  what: '10,000 calls left at random moments: calls in flight, descriptors and memory are as before',
  async run({ count = COUNT }, report) {
    await using pair = await startPair();
    const nodes = [pair.alpha, pair.bravo];
    const chance = new Chance(11);
    const agent = new Agent({ keepAlive: false });
    const leave = () => askAndLeave(pair.url, agent, chance);
    await inParallel(Math.min(WARM, count), TOGETHER, leave);
    await settled(pair);
    await sleep(POOL_MS);
    const before = await Promise.all(
      nodes.map(async (node) => ({ rss: await quietRssMiB(node), open: descriptors(node) })),
    );
    let done = 0;
    await inParallel(count, TOGETHER, async () => {
      await leave();
      if (++done % Math.max(1, Math.floor(count / 5)) === 0) report.say(`${done} calls left`);
    });
    const tookMs = await settled(pair);
    report.holds(
      `nothing is in flight ${Math.round(tookMs ?? SETTLE_MS)} ms after them`,
      tookMs !== undefined,
    );
    await sleep(POOL_MS);
    for (const [index, node] of nodes.entries()) {
      const { rss, open } = before[index] ?? { rss: 0, open: 0 };
      report.most(`descriptors of ${node.name}`, descriptors(node), open + DESCRIPTORS_MORE_MAX);
      report.most(
        `memory of ${node.name} against before`,
        (await quietRssMiB(node)) / rss,
        RSS_RATIO_MAX,
        ' times',
      );
    }
    agent.destroy();
  },
};
