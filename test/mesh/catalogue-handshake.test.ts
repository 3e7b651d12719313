/** Group Handshake of the fault catalogue at a real mesh port; what shows at a smaller part is named in its own test. */
import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import {
  HANDSHAKE_MS,
  HANDSHAKES_PENDING_MAX,
  RECONNECT_MAX_MS,
  RECONNECT_VERSION_MS,
} from '../../src/core/limits.ts';
import { GATE_HEADER, Gate, type GatePass } from '../../src/mesh/gate.ts';
import { Handshake, HandshakeRefused, newStaticKey } from '../../src/mesh/handshake.ts';
import { SUBPROTOCOL } from '../../src/protocol/frame.ts';
import { Chance } from '../support/chance.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { first, NETWORK_KEY, second, third } from '../support/identities.ts';
import { LinkWorld } from '../support/link-pair.ts';
import { knockWithPass, MeshDoor } from '../support/mesh-door.ts';
import { MeshWorld } from '../support/mesh-world.ts';
import { OPCODE, upgradeRequest, webSocketFrame } from '../support/raw-client.ts';
import { handshakeOf, HELLO, listening, RecordedLink } from '../support/recorded-link.ts';
import { startTap } from '../support/wire-tap.ts';
import { requestFrame } from '../support/rude-peer.ts';

const NOT_FOUND = 'HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
const OTHER_KEY = Buffer.alloc(32, 1);

const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
});

async function door(options: Parameters<typeof MeshDoor.open>[0] = {}): Promise<MeshDoor> {
  const opened = await MeshDoor.open(options);
  open.unshift(opened);
  return opened;
}

test('HS1: a dial with another network key gets a 404 and no WebSocket', async () => {
  const far = await door();
  const knocked = far.knock(knockWithPass({}, OTHER_KEY));
  await eventually('the connection has ended', () => knocked.ended);
  expect(knocked.text).toBe(NOT_FOUND);
  const near = await door({ identity: first, networkKey: OTHER_KEY, peers: [{ url: far.url }] });
  await eventually('the dialler says why', () =>
    near.mesh.views()[0]?.reason?.includes('another network key'),
  );
  expect([far.mesh.views(), near.linked]).toEqual([[], 0]);
});

test('HS1: a thousand passes of another network key cost less than a millisecond each', () => {
  const [gate, other] = [new Gate(NETWORK_KEY), new Gate(OTHER_KEY)];
  const passes = Array.from({ length: 1_000 }, () => other.pass(randomBytes).header);
  const before = process.cpuUsage();
  expect(passes.filter((pass) => gate.check(pass) !== undefined)).toEqual([]);
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(1_000);
});

test.each(['https://evil.example', 'null', 'http://127.0.0.1', ''])(
  'HS2: an Origin of %j gets the same 404, though the pass is good',
  async (origin) => {
    const far = await door();
    const knocked = far.knock(knockWithPass({ origin }));
    await eventually('the connection has ended', () => knocked.ended);
    expect(knocked.text).toBe(NOT_FOUND);
    // The pass itself was not looked at: it still opens the door.
    await far.knock(knockWithPass()).upgraded();
  },
);

test('HS3: whoever was let in and says nothing, or a byte now and then, is out after 5 s', async () => {
  const clock = new FakeClock();
  const far = await door({ clock });
  const [silent, dripping] = [far.knock(knockWithPass()), far.knock(knockWithPass())];
  await Promise.all([silent.upgraded(), dripping.upgraded()]);
  for (let second = 0; second < 5; second++) {
    // A message that never ends: fragments of one byte.
    dripping.write(
      webSocketFrame(second === 0 ? OPCODE.binary : OPCODE.continuation, Buffer.of(0), { final: false }),
    );
    clock.advance(HANDSHAKE_MS / 5 - 1);
    expect([silent.closeCode, dripping.closeCode]).toEqual([undefined, undefined]);
  }
  clock.advance(5);
  await eventually('both are told', () => silent.closeCode === 4001 && dripping.closeCode === 4001);
});

test('HS3: of 33 that were let in and have not proved themselves, the last gets the 404', async () => {
  const clock = new FakeClock();
  const far = await door({ clock });
  const waiting = Array.from({ length: HANDSHAKES_PENDING_MAX }, () => far.knock(knockWithPass()));
  await Promise.all(waiting.map((client) => client.upgraded()));
  const over = far.knock(knockWithPass());
  await eventually('the connection has ended', () => over.ended);
  expect(over.text).toBe(NOT_FOUND);
  clock.advance(HANDSHAKE_MS);
  await far.knock(knockWithPass()).upgraded();
});

test('HS4: a whole session, said again byte for byte, opens nothing, at the same node and at another', async () => {
  // Time stands still for the other: it is not the five seconds that end it.
  const [far, other] = [await door(), await door({ identity: third, clock: new FakeClock() })];
  const tap = await startTap({ host: '127.0.0.1', port: far.port });
  open.unshift(tap);
  const near = await door({ identity: first, peers: [{ url: `ws://127.0.0.1:${tap.port}` }] });
  await eventually('they are linked', () => near.linked === 1 && far.linked === 1);
  const recorded = tap.sent();
  const again = far.knock();
  again.write(recorded);
  await eventually('the connection has ended', () => again.ended);
  expect(again.text).toBe(NOT_FOUND);
  // A node that has not seen the pass goes as far as message 2, and no record leaves it.
  const elsewhere = other.knock();
  elsewhere.write(recorded);
  await eventually('it is refused', () => elsewhere.closeCode === 4001);
  const [frameHead, message2, closeFrame] = [4, 192, 4];
  expect(elsewhere.received.subarray(elsewhere.received.indexOf('\r\n\r\n') + 4)).toHaveLength(
    frameHead + message2 + closeFrame,
  );
  expect([other.linked, other.mesh.views()]).toEqual([0, []]);
});

test('HS4: message 1 or message 3 of another session is refused with 4001', async () => {
  const far = await door({ clock: new FakeClock() });
  const pass = new Gate(NETWORK_KEY).pass(randomBytes);
  const dialler = new Handshake(handshakeOf('initiator', first, { prologue: pass.prologue }));
  const listener = new Handshake(handshakeOf('responder', second, { prologue: pass.prologue }));
  const message1 = dialler.first();
  const message2 = listener.receive(message1).send ?? Buffer.alloc(0);
  const message3 = dialler.receive(message2).send ?? Buffer.alloc(0);
  for (const recorded of [[message1], [message1, message3], [message3]]) {
    const replayed = far.knock(knockWithPass());
    await replayed.upgraded();
    for (const message of recorded) replayed.write(webSocketFrame(OPCODE.binary, message));
    await eventually('it is refused', () => replayed.closeCode === 4001);
  }
  expect(far.linked).toBe(0);
});

test('HS5: a man in the middle who passes on the message 2 of another dial is refused by the dialler', async () => {
  const world = new LinkWorld();
  const kept: Buffer[] = [];
  world.network.onWire = ({ back }) => {
    back.tamper = (message) => {
      kept.push(message);
      return [kept[0] ?? message];
    };
  };
  world.linked();
  const second = world.dial();
  world.clock.turn();
  expect([second.readyTimes, second.end?.code]).toEqual([0, 4001]);
});

test('HS6: where another node answers than the one expected, it is refused and left alone between tries', async () => {
  const world = new MeshWorld();
  await world.node('alpha', { identity: first });
  const bravo = await world.node('bravo', {
    identity: second,
    peers: [{ url: 'ws://alpha:1', id: third.id }],
    listens: false,
  });
  world.clock.advance(10 * RECONNECT_MAX_MS);
  expect(bravo.linked).toEqual([]);
  expect(bravo.mesh.views()).toMatchObject([{ id: third.id, status: 'down' }]);
  // Every 0.5 s would be 600 tries.
  expect(world.network.wires.length).toBeLessThan(60);
  await world.close();
});

test('HS8: an application frame before ready closes 4001, and nothing of it is read', async () => {
  // Its time stands still: it is not the five seconds that end it.
  const far = await door({ clock: new FakeClock() });
  const rude = far.rude();
  await eventually('the handshake is over', () => rude.shaken);
  rude.say(requestFrame(1));
  await eventually('it is refused', () => rude.closed?.code === 4001);
  expect([far.owner.calls.length, far.mesh.views()]).toEqual([0, []]);
});

test('HS9: without a common version there is one line in the log, and the next try after five minutes', async () => {
  const world = new MeshWorld();
  const { clock, network } = world;
  const gate = new Gate(NETWORK_KEY);
  const times: number[] = [];
  // A node of a later version of this program.
  await network.host('alpha').listen<GatePass>({
    ...listening(() => {}),
    subprotocol: SUBPROTOCOL,
    admit: ({ [GATE_HEADER]: pass }) => (typeof pass === 'string' ? gate.check(pass) : undefined),
    onSocket: (socket, { prologue }) => {
      times.push(clock.now());
      const handshake = handshakeOf('responder', first, { prologue });
      new RecordedLink({ socket, clock, handshake, hello: { ...HELLO, min: 2, max: 3 } });
    },
  });
  const bravo = await world.node('bravo', { identity: second, peers: ['alpha'], listens: false });
  clock.advance(3 * RECONNECT_VERSION_MS + 1);
  expect(times).toEqual([0, 1, 2, 3].map((tries) => tries * RECONNECT_VERSION_MS));
  expect(bravo.mesh.views()[0]?.reason).toBe('speaks wire versions 2 to 3, this node 1 to 1');
  expect(bravo.logged.filter((line) => line.includes('wire versions'))).toHaveLength(1);
  await world.close();
});

const ROUNDS = 1_000;
const MUTATED = 300;

test(`HS13: ${ROUNDS} handshakes and ${ROUNDS} that fail: none hangs, and nothing of them is left`, () => {
  const world = new LinkWorld();
  const chance = new Chance(13);
  const lasted: number[] = [];
  world.listen();
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    const good = world.dial();
    world.clock.turn();
    lasted.push(performance.now() - startedAt);
    expect(good.isOpen).toBe(true);
    good.link.close(1001, 'enough');
    world.network.onWire = ({ there, back }) => {
      const lane = chance.pick([there, back]);
      lane.tamper = (message) => {
        const at = chance.below(message.length);
        message.writeUInt8(message.readUInt8(at) ^ (1 << chance.below(8)), at);
        return [message];
      };
    };
    const bad = world.dial();
    world.clock.turn();
    world.network.onWire = () => {};
    expect([bad.isOpen, bad.end?.code]).toEqual([false, 4001]);
  }
  world.clock.advance(2 * HANDSHAKE_MS);
  expect(world.clock.pending).toBe(0);
  expect(world.accepted.filter(({ isOpen }) => isOpen)).toEqual([]);
  // In the full run the bound is 5 ms for 99 of 100; here a busy machine must not fail the half of them.
  lasted.sort((one, other) => one - other);
  expect(lasted[ROUNDS / 2]).toBeLessThan(50);
});

test('HS13: mutated handshake messages are refused, never thrown at anyone', () => {
  const chance = new Chance(14);
  const [near, far] = [newStaticKey(), newStaticKey()];
  for (let round = 0; round < MUTATED; round++) {
    const dialler = new Handshake(handshakeOf('initiator', first, { static: near }));
    const listener = new Handshake(handshakeOf('responder', second, { static: far }));
    const message =
      round % 2 === 0 ? dialler.first() : (listener.receive(dialler.first()).send ?? Buffer.of());
    const altered = chance.below(4) === 0 ? chance.bytes(chance.below(300)) : Buffer.from(message);
    if (altered.equals(message)) altered.writeUInt8(altered.readUInt8(0) ^ 1, 0);
    const other = round % 2 === 0 ? listener : dialler;
    expect(() => other.receive(altered)).toThrow(HandshakeRefused);
  }
});

test('a header that names the subprotocol and holds no pass is refused like any other', async () => {
  const far = await door();
  const knocked = far.knock(
    upgradeRequest({ 'sec-websocket-protocol': SUBPROTOCOL, [GATE_HEADER]: undefined }),
  );
  await eventually('the connection has ended', () => knocked.ended);
  expect(knocked.text).toBe(NOT_FOUND);
});
