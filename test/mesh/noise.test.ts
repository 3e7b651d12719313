import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { Noise, type NoiseName } from '../../src/mesh/noise.ts';
import { dhPairOf } from '../../src/mesh/x25519.ts';

const Vector = z.object({
  source: z.string(),
  protocol_name: z.enum(['Noise_XX_25519_ChaChaPoly_SHA256', 'Noise_XXpsk3_25519_ChaChaPoly_SHA256']),
  init_prologue: z.string(),
  resp_prologue: z.string(),
  init_psks: z.array(z.string()).optional(),
  resp_psks: z.array(z.string()).optional(),
  init_static: z.string(),
  resp_static: z.string(),
  init_ephemeral: z.string(),
  resp_ephemeral: z.string(),
  handshake_hash: z.string().optional(),
  messages: z.array(z.object({ payload: z.string(), ciphertext: z.string() })),
});

const text = readFileSync(new URL('../../fixtures/noise/vectors.json', import.meta.url), 'utf8');
const { vectors } = z.object({ vectors: z.array(Vector) }).parse(JSON.parse(text));
const hex = (digits: string) => Buffer.from(digits, 'hex');

function side(vector: z.infer<typeof Vector>, role: 'initiator' | 'responder'): Noise {
  const own = role === 'initiator' ? 'init' : 'resp';
  const psk = vector[`${own}_psks`]?.[0];
  const name: NoiseName = vector.protocol_name;
  return new Noise({
    name,
    role,
    prologue: hex(vector[`${own}_prologue`]),
    static: dhPairOf(hex(vector[`${own}_static`])),
    ephemeral: dhPairOf(hex(vector[`${own}_ephemeral`])),
    ...(psk === undefined ? {} : { psk: hex(psk) }),
  });
}

test.each(vectors)('the published vector of $protocol_name ($source) holds, byte for byte', (vector) => {
  const initiator = side(vector, 'initiator');
  const responder = side(vector, 'responder');
  const handshake = vector.messages.slice(0, 3);
  for (const [index, { payload, ciphertext }] of handshake.entries()) {
    const [from, to] = index % 2 === 0 ? [initiator, responder] : [responder, initiator];
    const message = from.write(hex(payload));
    expect(message.toString('hex')).toBe(ciphertext);
    expect(to.read(message).toString('hex')).toBe(payload);
  }
  const left = initiator.split();
  const right = responder.split();
  if (vector.handshake_hash !== undefined)
    expect(left.handshakeHash.toString('hex')).toBe(vector.handshake_hash);
  expect(right.handshakeHash).toEqual(left.handshakeHash);
  for (const [index, { payload, ciphertext }] of vector.messages.slice(3).entries()) {
    // Message 3 was the initiator's, so the responder speaks next.
    const [from, to] = index % 2 === 0 ? [right, left] : [left, right];
    const record = from.send.seal(hex(payload));
    expect(record.toString('hex')).toBe(ciphertext);
    expect(to.receive.open(record).toString('hex')).toBe(payload);
  }
});

test('vectors of both patterns are there', () => {
  expect(new Set(vectors.map((vector) => vector.protocol_name)).size).toBe(2);
});
