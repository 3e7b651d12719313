/** A call that asks for something beside a new answer: it crosses as that, or not at all. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Operation } from '../../src/core/call.ts';
import { ExchangeWorld } from '../support/exchange-world.ts';
import { codeOf } from '../support/exchange-node.ts';
import { requestFrame, resetCodes } from '../support/rude-peer.ts';

let world: ExchangeWorld;

beforeEach(() => {
  world = new ExchangeWorld();
});

afterEach(() => world.close());

const OPERATIONS: readonly Operation[] = [
  { kind: 'compact' },
  { kind: 'input_tokens' },
  { kind: 'retrieve', responseId: 'resp_1', query: 'include[]=a' },
  { kind: 'delete', responseId: 'resp_1', query: '' },
  { kind: 'cancel', responseId: 'resp_1', query: '' },
  { kind: 'input_items', responseId: 'resp_1', query: '' },
];

test.each(OPERATIONS)('the owner is asked for the same: %o', async (operation) => {
  world.link();
  const got = world.call({ operation, stream: false, dialect: 'responses' });
  await world.rest();
  expect(world.owner.owner.last.call.operation).toEqual(operation);
  world.owner.owner.last.start(200, { 'content-type': 'application/json' }).push('{}').end();
  await world.rest();
  expect(codeOf(got)).toBe('whole');
});

test.each([{}, { others: true }])(
  'the owner hears whether others may be asked in its place: %o',
  async (told) => {
    world.link();
    world.call(told);
    await world.rest();
    const { others } = world.owner.owner.last.call;
    expect(others).toBe('others' in told ? true : undefined);
  },
);

test('a call without one is a call of the model', async () => {
  world.link();
  world.call();
  await world.rest();
  expect(world.owner.owner.last.call).not.toHaveProperty('operation');
});

test('an older owner is not asked: it would take it for a call of the model', async () => {
  world.owner.features = [];
  world.link();
  const got = world.call({ operation: { kind: 'compact' } });
  await world.rest();
  expect(codeOf(got)).toBe('unsupported_operation');
  expect(String(got.end)).toMatch(/bravo.*version.*update/);
  expect(world.owner.owner.calls).toHaveLength(0);
});

test.each([
  ['one that is not known', { kind: 'rewind' }],
  ['one about no response', { kind: 'delete' }],
])('%s is refused, and no upstream is asked for an answer', async (_name, operation) => {
  const rude = world.rudeEntry();
  rude.say(requestFrame(1, { operation }), { type: 'model_body', number: 1, bytes: Buffer.alloc(4) });
  await world.rest();
  expect(resetCodes(rude)).toEqual(['unsupported_operation']);
  expect(world.owner.owner.calls).toHaveLength(0);
  expect(rude.closed).toBeUndefined();
  expect(world.owner.held).toEqual({ bytes: 0, slots: 0, calls: 0 });
});
