/** Half of what the pair can do, for minutes: memory must not grow. */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { callsInFlight, lagMs, quietRssMiB, until } from './node-figures.ts';
import { type Pair, startPair } from './pair.ts';
import { inParallel, type Part, type Report, rounded } from './part.ts';

const MINUTES = 10;
const CALIBRATION_MS = 5_000;
const TOGETHER = 32;
/** One call in so many is a stream of fifty events over half a second. */
const STREAM_EACH = 10;
const SLOPE_MIB_MAX = 1;
/** In so many slices the time is cut; between two of them the load rests, and memory is looked at. */
const SLICES = 30;
/** What comes first is compiled, and fills what is remembered of calls up to its bound: it is no part of the slope. */
const WARM_SLICES = 8;
/** Below so many minutes a slope says more of the start than of the load. */
const JUDGED_MINUTES = 5;

interface Tally {
  done: number;
  failed: number;
}

function call({ url }: Pair, agent: Agent, stream: boolean, tally: Tally): Promise<void> {
  const model = stream ? 'stream' : 'small';
  const body = JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Say it.' }] });
  return new Promise((resolve) => {
    const settle = (good: boolean) => {
      tally.done++;
      if (!good) tally.failed++;
      resolve();
    };
    const asked = request(`${url}/chat/completions`, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    asked.once('error', () => settle(false));
    asked.once('response', (response) => {
      let tail = '';
      response.on('data', (bytes: Buffer) => {
        tail = (tail + bytes.toString('latin1')).slice(-64);
      });
      response.on('error', () => {});
      response.once('close', () => {
        const whole = response.complete && (!stream || tail.includes('[DONE]'));
        settle(response.statusCode === 200 && whole);
      });
    });
    asked.end(body);
  });
}

/** Calls a second that the pair reaches with so many clients that never rest. */
async function calibrate(pair: Pair, agent: Agent): Promise<number> {
  const tally = { done: 0, failed: 0 };
  const until = performance.now() + CALIBRATION_MS;
  await inParallel(TOGETHER, TOGETHER, async (client) => {
    for (let index = client; performance.now() < until; index++)
      await call(pair, agent, index % STREAM_EACH === 0, tally);
  });
  return tally.done / (CALIBRATION_MS / 1_000);
}

/** So many calls a second, each when it is due, however long the others take. */
async function slice(pair: Pair, agent: Agent, perSecond: number, ms: number, tally: Tally): Promise<void> {
  const startedAt = performance.now();
  const open = new Set<Promise<void>>();
  for (let started = 0; performance.now() - startedAt < ms;) {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * perSecond);
    for (; started < due; started++) {
      const one: Promise<void> = call(pair, agent, started % STREAM_EACH === 0, tally).finally(() =>
        open.delete(one),
      );
      open.add(one);
    }
    await sleep(5);
  }
  await Promise.all(open);
}

/** Of a straight line through the points, by least squares. */
function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (of: 0 | 1) => points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const over = points.reduce((sum, [px, py]) => sum + (px - x) * (py - y), 0);
  return over / points.reduce((sum, [px]) => sum + (px - x) ** 2, 0);
}

export const load: Part = {
  name: 'load',
  what: '10 minutes at half load, streams and small calls mixed: memory grows by at most 1 MiB a minute',
  async run({ minutes = MINUTES }, report) {
    await using pair = await startPair();
    const nodes = [pair.alpha, pair.bravo];
    const agent = new Agent({ keepAlive: true });
    const most = await calibrate(pair, agent);
    report.say(`${rounded(most)} calls a second is the most, so the load is ${rounded(most / 2)}`);
    const tally = { done: 0, failed: 0 };
    const samples: (readonly [number, number])[][] = nodes.map(() => []);
    const startedAt = performance.now();
    for (let index = 0; index < SLICES; index++) {
      await slice(pair, agent, most / 2, (minutes * 60_000) / SLICES, tally);
      await settle(pair, report);
      const held = await Promise.all(nodes.map((node) => quietRssMiB(node)));
      const minute = (performance.now() - startedAt) / 60_000;
      for (const [at, mib] of held.entries()) samples[at]?.push([minute, mib]);
      report.say(
        `${tally.done} calls, ${tally.failed} failed; memory ${held.map(rounded).join(' and ')} MiB`,
      );
    }
    report.most('calls that failed', tally.failed, 0);
    for (const [at, node] of nodes.entries()) {
      const slope = slopeOf(samples[at]?.slice(WARM_SLICES) ?? []);
      report.say(`longest lag of ${node.name}: ${rounded(await lagMs(node))} ms`);
      if (minutes >= JUDGED_MINUTES)
        report.most(`${node.name} grows a minute by`, slope, SLOPE_MIB_MAX, ' MiB');
      else
        report.say(
          `${node.name} grows a minute by ${rounded(slope)} MiB, which so short a run does not judge`,
        );
    }
    agent.destroy();
  },
};

async function settle({ alpha, bravo }: Pair, report: Report): Promise<void> {
  const quiet = async () => (await callsInFlight(alpha)) + (await callsInFlight(bravo)) === 0;
  if ((await until(quiet, 10_000)) === undefined) report.holds('calls end between the slices', false);
}
