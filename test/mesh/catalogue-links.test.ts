/** What the fault catalogue asks of links beyond their handshake: whose frames are whose, and a cut that nobody is told of. */
import { expect, test } from 'vitest';
import { RECONNECT_MAX_MS } from '../../src/core/limits.ts';
import { eventually } from '../support/eventually.ts';
import { first, second, third } from '../support/identities.ts';
import { MeshDoor } from '../support/mesh-door.ts';
import { MeshWorld } from '../support/mesh-world.ts';
import { HELLO } from '../support/recorded-link.ts';
import { requestFrame } from '../support/rude-peer.ts';

/** `third` has a larger id than `second`: its calls at `second` have even numbers, those of `first` odd ones. */
test('FR8: frames of one peer do nothing to the calls of another, whatever their number', async () => {
  await using door = await MeshDoor.open({ identity: third });
  const [caller, other] = [door.rude(), door.rude({}, second)];
  await eventually('both are shaken', () => caller.shaken && other.shaken);
  for (const rude of [caller, other]) rude.say({ type: 'ready', head: HELLO });
  caller.say(requestFrame(1), { type: 'model_body', number: 1, bytes: Buffer.from('{  ') });
  await eventually('both are linked', () => door.linked === 2);
  other.say(
    { type: 'model_body', number: 1, bytes: Buffer.from('evil') },
    { type: 'model_credit', number: 1, offset: 1 },
    { type: 'model_reset', number: 1, head: { code: 'cancelled', message: '' } },
    { type: 'ping', token: Buffer.from('12345678') },
  );
  await eventually('it was read', () => other.of('pong').length > 0);
  caller.say({ type: 'model_body', number: 1, bytes: Buffer.from('}') });
  const { call, signal } = await eventually('the owner is asked', () => door.owner.calls[0]);
  expect([Buffer.from(call.body).toString(), signal.aborted, door.owner.calls.length]).toEqual([
    '{  }',
    false,
    1,
  ]);
  expect([caller.closed, other.closed]).toEqual([undefined, undefined]);
});

test.each([1, 60, 600])(
  'a link cut silently for %i s more than it takes to notice: noticed within 16 s, back within 30 s',
  async (seconds) => {
    const world = new MeshWorld();
    const alpha = await world.node('alpha', { identity: first });
    const bravo = await world.node('bravo', { identity: second, peers: ['alpha'], listens: false });
    world.clock.advance(3_000);
    expect([alpha.linked, bravo.linked]).toEqual([[second.id], [first.id]]);
    for (const wire of world.network.wires) [wire.there.lost, wire.back.lost] = [true, true];
    world.network.reaches = () => false;
    world.clock.advance(16_000);
    expect([alpha.linked, bravo.linked]).toEqual([[], []]);
    world.clock.advance(seconds * 1_000);
    world.network.reaches = () => true;
    // The longest wait between two dials, and the five seconds of one that began while nothing came through.
    world.clock.advance(RECONNECT_MAX_MS);
    expect([alpha.linked, bravo.linked]).toEqual([[second.id], [first.id]]);
    await world.close();
  },
);
