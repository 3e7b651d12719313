import { expect, test } from 'vitest';
import {
  Handshake,
  type HandshakeOptions,
  HandshakeRefused,
  newStaticKey,
} from '../../src/mesh/handshake.ts';
import type { Identity } from '../../src/mesh/identity.ts';
import { Noise } from '../../src/mesh/noise.ts';
import { sharedSecret } from '../../src/mesh/x25519.ts';
import { first, NETWORK_KEY, second, third } from '../support/identities.ts';

const PROLOGUE = Buffer.from('clawmatrix/1 and the gate');

function side(
  role: 'initiator' | 'responder',
  identity: Identity,
  more: Partial<HandshakeOptions> = {},
): Handshake {
  return new Handshake({
    role,
    identity,
    static: newStaticKey(),
    networkKey: NETWORK_KEY,
    prologue: PROLOGUE,
    ...more,
  });
}

const some = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('nothing was sent');
  return value;
};

function met(initiator: Handshake, responder: Handshake) {
  const message1 = initiator.first();
  const message2 = some(responder.receive(message1).send);
  const { send, session } = initiator.receive(message2);
  const message3 = some(send);
  return {
    messages: [message1, message2, message3],
    near: some(session),
    far: some(responder.receive(message3).session),
  };
}

test('two nodes meet: each learns the other, the messages have the lengths of the page, and records cross', () => {
  const { messages, near, far } = met(side('initiator', first), side('responder', second));
  expect(messages.map(({ length }) => length)).toEqual([48, 192, 160]);
  expect([near.peer, far.peer]).toEqual([second.id, first.id]);
  expect(far.receive.open(near.send.seal(Buffer.from('there'))).toString()).toBe('there');
  expect(near.receive.open(far.send.seal(Buffer.from('back'))).toString()).toBe('back');
});

test('no session of the same two nodes has the key of another', () => {
  const [one, other] = [0, 1].map(() => met(side('initiator', first), side('responder', second)));
  const record = some(one).near.send.seal(Buffer.from('x'));
  expect(() => some(other).far.receive.open(record)).toThrow('tag');
});

test('HS6: the dialler refuses any node but the one it expects', () => {
  const initiator = side('initiator', first, { expected: third.id });
  const message2 = some(side('responder', second).receive(initiator.first()).send);
  expect(() => initiator.receive(message2)).toThrow(`${second.id}, not ${third.id}`);
});

test('a node does not talk to itself, whichever end it is', () => {
  const initiator = side('initiator', first);
  const own = some(side('responder', first).receive(initiator.first()).send);
  expect(() => initiator.receive(own)).toThrow('this node itself');
});

test('another network key is noticed at message 3, before the session', () => {
  const [initiator, responder] = [
    side('initiator', first, { networkKey: Buffer.alloc(32, 1) }),
    side('responder', second),
  ];
  const message2 = some(responder.receive(initiator.first()).send);
  const message3 = some(initiator.receive(message2).send);
  expect(() => responder.receive(message3)).toThrow(HandshakeRefused);
});

test('another gate is another transcript', () => {
  const initiator = side('initiator', first, { prologue: Buffer.from('another gate') });
  expect(() => side('responder', second).receive(initiator.first())).toThrow(HandshakeRefused);
});

test('HS5: message 2 sent back as message 1 is refused, and so is message 1 sent back as message 2', () => {
  const initiator = side('initiator', first);
  const message1 = initiator.first();
  const message2 = some(side('responder', second).receive(message1).send);
  expect(() => side('responder', second).receive(message2)).toThrow(HandshakeRefused);
  expect(() => initiator.receive(message1)).toThrow(HandshakeRefused);
});

test('HS4: messages of a recorded session do not open another: message 1 gets an answer that only its maker can use', () => {
  const { messages } = met(side('initiator', first), side('responder', second));
  const [message1, message2, message3] = messages;
  const again = side('responder', second);
  expect(again.receive(some(message1)).send).toHaveLength(192);
  expect(() => again.receive(some(message3))).toThrow(HandshakeRefused);
  const dialler = side('initiator', first);
  dialler.first();
  expect(() => dialler.receive(some(message2))).toThrow(HandshakeRefused);
});

test('HS5: an honest message 2 of another dial is refused', () => {
  const [one, other] = [side('initiator', first), side('initiator', third)];
  one.first();
  const message2 = some(side('responder', second).receive(other.first()).send);
  expect(() => one.receive(message2)).toThrow(HandshakeRefused);
});

test('any byte of any message that is altered, or missing, ends the handshake', () => {
  for (let index = 0; index < 3; index++) {
    for (const at of [0, 31, 32, 47, 48, 80, 95, 111, 159, 191]) {
      for (const how of ['altered', 'cut'] as const) {
        const [initiator, responder] = [side('initiator', first), side('responder', second)];
        const damage = (message: Buffer) => {
          if (at >= message.length) return undefined;
          if (how === 'cut') return message.subarray(0, at);
          message.writeUInt8(message.readUInt8(at) ^ 1, at);
          return message;
        };
        const run = () => {
          let message = initiator.first();
          for (let step = 0; step < 3; step++) {
            const sent = step === index ? damage(message) : message;
            if (sent === undefined) throw new HandshakeRefused('no such byte');
            const { send, session } = (step % 2 === 0 ? responder : initiator).receive(sent);
            if (step === 2) return session;
            message = some(send);
          }
          return undefined;
        };
        expect(run).toThrow(HandshakeRefused);
      }
    }
  }
});

const LOW_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

test.each(LOW_ORDER)('HS7: a point of low order is refused: %s', (hex) => {
  const point = Buffer.from(hex, 'hex');
  expect(() => sharedSecret(newStaticKey(), point)).toThrow();
  // As an ephemeral key it gets as far as the first Diffie-Hellman of the responder.
  const options = {
    name: 'Noise_XXpsk3_25519_ChaChaPoly_SHA256',
    prologue: PROLOGUE,
    psk: NETWORK_KEY,
  } as const;
  const pair = newStaticKey();
  const liar = new Noise({
    ...options,
    role: 'initiator',
    static: pair,
    ephemeral: { ...pair, publicKey: point },
  });
  const message1 = liar.write(Buffer.alloc(0));
  expect(() => side('responder', second).receive(message1)).toThrow(HandshakeRefused);
});

test.each([0, 31, 33, 64])('HS7: a public key of %i bytes is refused', (bytes) => {
  expect(() => sharedSecret(newStaticKey(), Buffer.alloc(bytes, 9))).toThrow(RangeError);
});

/** A dialler that holds the network key and lies in message 3. */
function lie(payload: (pair: { publicKey: Buffer }) => Buffer): () => unknown {
  const pair = newStaticKey();
  const noise = new Noise({
    name: 'Noise_XXpsk3_25519_ChaChaPoly_SHA256',
    role: 'initiator',
    prologue: PROLOGUE,
    psk: NETWORK_KEY,
    static: pair,
  });
  const responder = side('responder', second);
  const message1 = noise.write(Buffer.alloc(0));
  noise.read(some(responder.receive(message1).send));
  const message3 = noise.write(payload(pair));
  return () => responder.receive(message3);
}

test.each<[string, (pair: { publicKey: Buffer }) => Buffer]>([
  [
    'of another key',
    () => Buffer.concat([first.publicKey, first.sign('static key', newStaticKey().publicKey)]),
  ],
  [
    'by another node',
    ({ publicKey }) => Buffer.concat([first.publicKey, third.sign('static key', publicKey)]),
  ],
  ['made for a record', ({ publicKey }) => Buffer.concat([first.publicKey, first.sign('node', publicKey)])],
  [
    'of 63 bytes',
    ({ publicKey }) => Buffer.concat([first.publicKey, first.sign('static key', publicKey)]).subarray(0, 95),
  ],
  [
    'of 65 bytes',
    ({ publicKey }) => Buffer.concat([first.publicKey, first.sign('static key', publicKey), Buffer.of(0)]),
  ],
  [
    'by a key that is no point',
    ({ publicKey }) => Buffer.concat([Buffer.alloc(32, 0xff), first.sign('static key', publicKey)]),
  ],
  [
    'by the responder itself',
    ({ publicKey }) => Buffer.concat([second.publicKey, second.sign('static key', publicKey)]),
  ],
  ['that is missing', () => Buffer.alloc(0)],
])('who holds the network key and brings a signature %s is refused', (_what, payload) => {
  expect(lie(payload)).toThrow(HandshakeRefused);
});

test('HS9: a payload in message 1, a version range perhaps, is refused', () => {
  const options = {
    name: 'Noise_XXpsk3_25519_ChaChaPoly_SHA256',
    prologue: PROLOGUE,
    psk: NETWORK_KEY,
  } as const;
  const noise = new Noise({ ...options, role: 'initiator', static: newStaticKey() });
  expect(() => side('responder', second).receive(noise.write(Buffer.from('x')))).toThrow('payload');
});

test('after a refusal nothing opens the handshake again', () => {
  const { messages } = met(side('initiator', first), side('responder', second));
  const responder = side('responder', second);
  expect(() => responder.receive(Buffer.alloc(48))).toThrow(HandshakeRefused);
  for (const message of messages) expect(() => responder.receive(message)).toThrow(HandshakeRefused);
});
