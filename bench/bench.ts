/** Side by side in one run: the mock direct, plain pipes, one daemon, two daemons. Prints ratios, writes JSON. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DemoNode } from '../demo/node.ts';
import type { Figures, Job } from './job.ts';
import { cpuSeconds, load, type Part, startPart } from './parts.ts';

interface Target {
  readonly name: string;
  readonly port: number;
  /** Those between client and mock. */
  readonly pids: readonly number[];
}

interface Scenario {
  readonly name: string;
  readonly job: Omit<Job, 'port' | 'ms' | 'warmMs'>;
  readonly of: (figures: Figures, cpu: number) => Record<string, number>;
  /** Which targets can do it. */
  readonly targets: readonly string[];
}

const CHAT = '/v1/chat/completions';
const ALL = ['direct', 'pipe1', 'pipe2', 'one', 'two'];
const small = (inFlight: number): Scenario => ({
  name: `small call, ${inFlight} in flight`,
  job: { path: CHAT, model: 'small', stream: false, inFlight, paced: false },
  of: ({ requestsPerSecond, p50Us, p99Us, requestsPerSecond: n }, cpu) => ({
    'req/s': requestsPerSecond,
    'p50 µs': p50Us,
    'p99 µs': p99Us,
    'cpu µs/req': (cpu * 1e6) / n,
  }),
  targets: ALL,
});
const burst = (inFlight: number, path = CHAT, targets = ALL): Scenario => ({
  name: `${path === CHAT ? 'stream' : 'translated stream'}, ${inFlight} at once`,
  job: { path, model: 'burst-200', stream: true, inFlight, paced: false },
  of: ({ chunksPerSecond, firstP50Us, firstP99Us }, cpu) => ({
    'chunks/s': chunksPerSecond,
    'cpu µs/chunk': (cpu * 1e6) / chunksPerSecond,
    'first p50 µs': firstP50Us,
    'first p99 µs': firstP99Us,
  }),
  targets,
});
const paced = (inFlight: number): Scenario => ({
  name: `a token every 20 ms, ${inFlight} streams`,
  job: { path: CHAT, model: 'paced-20-100', stream: true, inFlight, paced: true },
  of: ({ delayP50Us, delayP99Us }) => ({ 'delay p50 µs': delayP50Us, 'delay p99 µs': delayP99Us }),
  targets: ALL,
});

const SCENARIOS: readonly Scenario[] = [
  small(1),
  small(16),
  small(64),
  burst(1),
  burst(32),
  burst(256),
  burst(32, '/v1/responses', ['one', 'two']),
  paced(32),
];

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

async function measure(target: Target, scenario: Scenario, ms: number): Promise<Record<string, number>> {
  const used = async () => (await Promise.all(target.pids.map(cpuSeconds))).reduce((a, b) => a + b, 0);
  const before = await used();
  const warmMs = ms / 3;
  const figures = await load({ ...scenario.job, port: target.port, ms, warmMs });
  const cpu = ((await used()) - before) / ((ms + warmMs) / 1_000);
  if (figures.errors > 0) throw new Error(`${figures.errors} errors: ${target.name}, ${scenario.name}`);
  return scenario.of(figures, cpu);
}

async function main(rounds: number, ms: number, only: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'clawmatrix-bench-'));
  const [alpha, bravo, solo] = ['alpha', 'bravo', 'solo'].map((name) => new DemoNode(name, folder));
  if (alpha === undefined || bravo === undefined || solo === undefined) throw new Error('three nodes');
  const parts: Part[] = [];
  try {
    const mock = await startPart('mock');
    parts.push(mock);
    const near = await startPart('pipe', `http://127.0.0.1:${mock.port}`);
    parts.push(near);
    const far = await startPart('pipe', `http://127.0.0.1:${near.port}`);
    parts.push(far);
    const models = ['small', 'burst-200', 'paced-20-100'].map((id) => ({ id, provider: 'mock' }));
    const owner = {
      proxy: { port: 0 },
      providers: { mock: { baseUrl: `http://127.0.0.1:${mock.port}/v1` } },
      models,
    };
    await bravo.init();
    await alpha.init(bravo);
    await solo.init();
    const behind = await bravo.start({ ...owner, nodeId: 'bravo', listen: { host: '127.0.0.1', port: 0 } });
    const front = await alpha.start({ nodeId: 'alpha', proxy: { port: 0 }, peers: [behind.mesh] });
    const alone = await solo.start({ ...owner, nodeId: 'solo' });
    const portOf = (url: string) => Number(new URL(url).port);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const targets: Target[] = [
      { name: 'direct', port: mock.port, pids: [] },
      { name: 'pipe1', port: near.port, pids: [near.pid] },
      { name: 'pipe2', port: far.port, pids: [near.pid, far.pid] },
      { name: 'one', port: portOf(alone.proxy), pids: [solo.pid ?? 0] },
      { name: 'two', port: portOf(front.proxy), pids: [alpha.pid ?? 0, bravo.pid ?? 0] },
    ];
    const results: Record<string, Record<string, Record<string, number[]>>> = {};
    for (let round = 0; round < rounds; round++) {
      for (const scenario of SCENARIOS.filter(({ name }) => name.includes(only))) {
        for (const target of targets.filter(({ name }) => scenario.targets.includes(name))) {
          const values = await measure(target, scenario, ms);
          const row = ((results[scenario.name] ??= {})[target.name] ??= {});
          for (const [figure, value] of Object.entries(values)) (row[figure] ??= []).push(value);
        }
      }
    }
    report(results);
    await writeFile('bench-results.json', JSON.stringify(results, undefined, 2));
  } finally {
    for (const node of [alpha, bravo, solo]) await node.stop();
    for (const part of parts.reverse()) await part.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function report(results: Record<string, Record<string, Record<string, number[]>>>): void {
  for (const [scenario, rows] of Object.entries(results)) {
    console.log(`\n${scenario}`);
    for (const [target, figures] of Object.entries(rows)) {
      const cells = Object.entries(figures).map(([name, values]) => {
        const base = rows[target === 'one' ? 'pipe1' : 'pipe2']?.[name];
        const ratio = base === undefined ? '' : ` (${(median(values) / median(base)).toFixed(2)}×)`;
        return `${name} ${median(values).toFixed(median(values) < 100 ? 1 : 0)}${ratio}`;
      });
      console.log(`  ${target.padEnd(7)} ${cells.join('  ')}`);
    }
  }
}

const [rounds = '3', ms = '1500', only = ''] = process.argv.slice(2);
await main(Number(rounds), Number(ms), only);
