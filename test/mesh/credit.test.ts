import { expect, test } from 'vitest';
import { FIRST_WINDOW_BYTES, WINDOW_BYTES_MAX } from '../../src/core/limits.ts';
import { Budget } from '../../src/lib/budget.ts';
import { Allowance, Grant } from '../../src/mesh/credit.ts';
import { Chance } from '../support/chance.ts';

const EXTRA = WINDOW_BYTES_MAX - FIRST_WINDOW_BYTES;

test('the first window may be received to its last byte, and not one more', () => {
  const grant = new Grant(100, []);
  expect(grant.receive(100)).toBe(true);
  expect(grant.receive(1)).toBe(false);
});

test('credit is announced once half a window is consumed, not for every byte', () => {
  const grant = new Grant(FIRST_WINDOW_BYTES, [new Budget(0)]);
  grant.receive(FIRST_WINDOW_BYTES);
  expect(grant.consume(FIRST_WINDOW_BYTES / 2 - 1)).toBeUndefined();
  expect(grant.consume(1)).toBe(FIRST_WINDOW_BYTES / 2 + FIRST_WINDOW_BYTES);
});

test('the large window comes out of every budget, once, and goes back at the close, once', () => {
  const budgets = [new Budget(EXTRA), new Budget(10 * EXTRA)];
  const grant = new Grant(FIRST_WINDOW_BYTES, budgets);
  for (let turn = 0; turn < 20; turn++) {
    grant.receive(32_768);
    grant.consume(32_768);
  }
  expect(budgets.map(({ usedBytes }) => usedBytes)).toEqual([EXTRA, EXTRA]);
  grant.close();
  grant.close();
  expect(budgets.map(({ usedBytes }) => usedBytes)).toEqual([0, 0]);
});

test('where one budget is used up, none is taken from the others', () => {
  const budgets = [new Budget(EXTRA), new Budget(EXTRA - 1)];
  const grant = new Grant(FIRST_WINDOW_BYTES, budgets);
  grant.receive(40_000);
  expect(grant.consume(40_000)).toBe(40_000 + FIRST_WINDOW_BYTES);
  expect(budgets.map(({ usedBytes }) => usedBytes)).toEqual([0, 0]);
  grant.close();
});

test('however bytes come and go, a sender that keeps its credit never stands still for good', () => {
  const chance = new Chance(3);
  const grant = new Grant(FIRST_WINDOW_BYTES, [new Budget(EXTRA)]);
  const allowance = new Allowance(FIRST_WINDOW_BYTES, WINDOW_BYTES_MAX);
  let waiting = 0;
  for (let step = 0; step < 5_000; step++) {
    const bytes = Math.min(allowance.roomBytes, 1 + chance.below(20_000));
    allowance.sent(bytes);
    expect(grant.receive(bytes)).toBe(true);
    waiting += bytes;
    expect(waiting).toBeLessThanOrEqual(WINDOW_BYTES_MAX);
    // All that waits is consumed now and then; with nothing waiting there must be room.
    const consumed = chance.below(3) === 0 ? waiting : Math.min(waiting, chance.below(10_000));
    waiting -= consumed;
    const offset = grant.consume(consumed);
    if (offset !== undefined) expect(allowance.raise(offset)).toBe(true);
    if (waiting === 0) expect(allowance.roomBytes).toBeGreaterThan(0);
  }
  expect(allowance.sentBytes).toBe(grant.receivedBytes);
});

test('credit rises, and never by more than may be ahead of what was sent', () => {
  const allowance = new Allowance(100, 50);
  allowance.sent(80);
  expect([allowance.raise(130), allowance.roomBytes]).toEqual([true, 50]);
  expect([allowance.raise(131), allowance.roomBytes]).toEqual([false, 50]);
  expect([allowance.raise(10), allowance.roomBytes]).toEqual([true, 50]);
});
