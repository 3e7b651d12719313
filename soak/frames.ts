/** FR5: mutated frames at the pre-auth parser and behind the handshake of a real daemon; a seed for each, always the same. */
import { Handshake, HandshakeRefused, newStaticKey } from '../src/mesh/handshake.ts';
import type { Frame } from '../src/protocol/frame.ts';
import { mutated } from '../test/protocol/mutated.ts';
import { decode } from '../test/protocol/fixtures.ts';
import { Chance } from '../test/support/chance.ts';
import { first, NETWORK_KEY, second } from '../test/support/identities.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import { lagMs, quietRssMiB } from './node-figures.ts';
import { type Part, type Report, rounded } from './part.ts';
import { type Lie, plainOf, Visitor } from './visitor.ts';

const COUNT = 1_000_000;
/** Of the mutated first messages, so many go to the daemon, each on a connection of its own; all go to the parser. */
const SOCKET_SHARE = 0.02;
const LAG_MS = 100;
const RSS_RATIO_MAX = 1.1;
/** Frames before memory is compared: until then the daemon's code is still being compiled. */
const WARM = 20_000;
/** Records between two pings, and frames on one link. */
const BATCH = 20;
const LINK_FRAMES = 1_000;

export const frames: Part = {
  name: 'frames',
  what: 'FR5: 10^6 mutated frames before and behind the handshake: no crash, no lag over 100 ms',
  async run({ count = COUNT }, report) {
    preAuth(count, report);
    await using daemon = await startDaemon();
    await strangers(daemon, Math.ceil(count * SOCKET_SHARE), report);
    await postAuth(daemon, new Chance(33), WARM, report);
    const before = await quietRssMiB(daemon.node);
    await postAuth(daemon, new Chance(34), count, report);
    report.most('longest lag of the daemon', await lagMs(daemon.node), LAG_MS, ' ms');
    const meets = new Visitor(daemon.door);
    report.holds('the daemon still lets a node in', (await meets.met).kind === 'ready');
    meets.leave();
    report.most('memory against before', (await quietRssMiB(daemon.node)) / before, RSS_RATIO_MAX, ' times');
  },
};

/** The first bytes that a stranger's handshake sends, with faults put in by chance; never the honest ones. */
function alteredMessage(chance: Chance, honest: Buffer): Buffer {
  if (chance.below(3) === 0) return chance.bytes(chance.below(300));
  const altered = Buffer.from(honest);
  for (let flips = chance.below(8) + 1; flips > 0; flips--)
    altered[chance.below(altered.length)] = chance.below(256);
  if (altered.equals(honest)) altered.writeUInt8(altered.readUInt8(0) ^ 1, 0);
  return chance.below(4) === 0 ? altered.subarray(0, chance.below(altered.length)) : altered;
}

function preAuth(count: number, report: Report): void {
  const chance = new Chance(31);
  const options = { networkKey: NETWORK_KEY, prologue: Buffer.from('soak'), static: newStaticKey() };
  const honest = new Handshake({ ...options, role: 'initiator', identity: first }).first();
  let slowest = 0;
  for (let index = 0; index < count; index++) {
    const responder = new Handshake({ ...options, role: 'responder', identity: second });
    const startedAt = performance.now();
    try {
      responder.receive(alteredMessage(chance, honest));
      throw new Error('a mutated message was let in');
    } catch (error) {
      if (!(error instanceof HandshakeRefused)) throw error;
    }
    slowest = Math.max(slowest, performance.now() - startedAt);
  }
  report.most(`slowest of ${count} mutated first messages at the parser`, slowest, LAG_MS, ' ms');
}

async function strangers({ door, node }: Daemon, count: number, report: Report): Promise<void> {
  const chance = new Chance(32);
  // What its start held up is forgotten.
  await lagMs(node);
  for (let index = 0; index < count; index++) {
    const at = chance.below(2);
    const lie: Lie = (message, step) => (step === at ? alteredMessage(chance, message) : undefined);
    const end = await new Visitor(door, lie).met;
    if (end.kind !== 'closed' || end.code !== 4001) throw new Error(`it ended with ${JSON.stringify(end)}`);
  }
  report.most(`longest lag over ${count} mutated handshakes at the daemon`, await lagMs(node), LAG_MS, ' ms');
}

async function postAuth({ door }: Daemon, chance: Chance, count: number, report: Report): Promise<void> {
  let sent = 0;
  let links = 0;
  while (sent < count) {
    const visitor = new Visitor(door);
    if ((await visitor.met).kind !== 'ready') throw new Error('the daemon did not let a node in');
    links++;
    for (let onLink = 0; onLink < LINK_FRAMES && !visitor.closed && sent < count;) {
      const { records, read } = batch(chance);
      for (const record of records) visitor.say(record);
      // Where it closed at another record than the codec's own fault, one frame is all that is sure to have been read.
      const counted = (await visitor.answers()) || read.fault ? read.frames : 1;
      sent += counted;
      onLink += counted;
    }
    visitor.leave();
    if (links % 5_000 === 0) report.say(`${sent} frames over ${links} links`);
  }
  report.say(`${sent} frames over ${links} links (${rounded(sent / links)} a link)`);
}

/** Records up to the first that must end the link, and how many frames the daemon reads of them. */
function batch(chance: Chance) {
  const records: Buffer[] = [];
  const read = { frames: 0, fault: false };
  while (records.length < BATCH && !read.fault) {
    const record = chance.below(40) === 0 ? mutated(chance) : plainOf(harmless(chance));
    const { frames, fault } = decode(record);
    records.push(record);
    read.fault = fault !== undefined;
    read.frames += frames.length + (read.fault ? 1 : 0);
  }
  return { records, read };
}

/** Frames that are in order for the codec, and about calls that nobody opened. */
function harmless(chance: Chance): Frame[] {
  return Array.from({ length: chance.below(4) + 1 }, () => {
    const number = 1 + chance.below(2 ** 32 - 2);
    const bytes = chance.bytes(chance.below(64) + 1);
    return chance.pick<Frame>([
      { type: 'model_body', number, bytes },
      { type: 'model_stream', number, bytes, more: chance.below(2) === 0 },
      { type: 'model_credit', number, offset: chance.below(2 ** 31) * chance.below(2 ** 21) },
      { type: 'model_reset', number, head: { code: bytes.toString('hex').slice(0, 32), message: '' } },
      { type: 'model_end', number, head: { bytes: chance.below(1_000) } },
      { type: 'model_ack', number },
      { type: 'model_progress', number, head: { state: 'waiting' } },
      { type: 'pong', token: chance.bytes(8), lagMs: chance.below(2 ** 32) },
    ]);
  });
}
