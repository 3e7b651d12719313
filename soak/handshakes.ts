/** HS13: handshakes and failing ones, one after the other, at a real daemon. */
import { randomBytes } from 'node:crypto';
import { startDaemon } from './daemon.ts';
import { lagMs, quietRssMiB } from './node-figures.ts';
import { type Part, quantile, type Report, rounded } from './part.ts';
import { type Door, honest, type Lie, Visitor } from './visitor.ts';

const COUNT = 20_000;
const P99_MS = 5;
/** Handshakes before memory is compared: until then the daemon's code is still being compiled. */
const WARM = 1_000;
const RSS_RATIO_MAX = 1.1;

const LOW_ORDER = Buffer.from('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex');

const flipped = (message: Buffer, at: number) => {
  message.writeUInt8(message.readUInt8(at) ^ 1, at);
  return message;
};

const LIES: Readonly<Record<string, Lie>> = {
  'message 1 is noise': (message, index) => (index === 0 ? randomBytes(message.length) : undefined),
  'message 1 has a point of low order': (message, index) =>
    index === 0 ? Buffer.concat([LOW_ORDER, message.subarray(LOW_ORDER.length)]) : undefined,
  'message 3 has a flipped bit': (message, index) =>
    index === 1 ? flipped(message, message.length - 1) : undefined,
  'message 3 is cut': (message, index) => (index === 1 ? message.subarray(0, 80) : undefined),
};

/** Resolves with what it took from the open socket on. */
async function shake(door: Door, lie: Lie, expected: 'ready' | 'closed'): Promise<number> {
  const visitor = new Visitor(door, lie);
  const end = await visitor.met;
  if (end.kind !== expected) throw new Error(`the daemon ended it with ${JSON.stringify(end)}`);
  if (end.kind === 'closed' && end.code !== 4001) throw new Error(`closed with ${end.code}`);
  visitor.leave();
  return visitor.shookMs;
}

async function measure(count: number, report: Report, what: string, one: (index: number) => Promise<number>) {
  const took: number[] = [];
  for (let index = 0; index < count; index++) {
    took.push(await one(index));
    if ((index + 1) % Math.max(1, Math.floor(count / 4)) === 0)
      report.say(`${index + 1} ${what}: p50 ${rounded(quantile(took, 0.5))} ms`);
  }
  report.most(`p99 of ${count} ${what}`, quantile(took, 0.99), P99_MS, ' ms');
}

export const handshakes: Part = {
  name: 'handshakes',
  what: 'HS13: 20,000 handshakes and as many failing ones: none hangs, p99 under 5 ms, memory flat',
  async run({ count = COUNT }, report) {
    await using daemon = await startDaemon();
    const { node, door } = daemon;
    const lies = Object.values(LIES);
    const good = () => shake(door, honest, 'ready');
    const bad = (index: number) => shake(door, lies[index % lies.length] ?? honest, 'closed');
    for (let warm = 0; warm < WARM; warm++) {
      await good();
      await bad(warm);
    }
    const before = await quietRssMiB(node);
    await measure(count, report, 'handshakes', good);
    await measure(count, report, 'failing handshakes', bad);
    report.say(`longest lag of the daemon: ${rounded(await lagMs(node))} ms`);
    report.most('memory against before', (await quietRssMiB(node)) / before, RSS_RATIO_MAX, ' times');
  },
};
